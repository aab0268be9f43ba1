"""Approval requests: who may say yes or no, when, and what follows from it.

    pending ──> approved ──> consumed
      │ └─> escalated ─┐       escalated is still open: what can become of pending can become of it
      └─> rejected | expired | cancelled

Each rule takes a request and the instant, and returns the request as it is then. Raises AosError, and nothing has
happened: authorization_denied, already_decided, already_voted, stale_digest and the others named with each rule.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from aos.errors import AosError

RequestStatus = Literal["pending", "escalated", "approved", "rejected", "expired", "cancelled", "consumed"]
Decision = Literal["approve", "reject"]
ReviewOutcome = Literal["justified", "not_justified"]

OPEN: frozenset[RequestStatus] = frozenset({"pending", "escalated"})
BECOMES: Mapping[RequestStatus, frozenset[RequestStatus]] = {
    **dict.fromkeys(OPEN, frozenset({"approved", "rejected", "escalated", "expired", "cancelled"})),
    "approved": frozenset({"consumed"}),
}
"""What can become of a request; whatever is not named here never changes."""

MAX_LEVEL = 5
MAX_CLAIMED_LEVEL = 3
"""What somebody is believed at most whose level nobody has confirmed just now."""
BREAK_GLASS_LEVEL = 5
REVIEW_LEVEL = 4
MIN_APPROVALS: Mapping[int, int] = {1: 1, 2: 1, 3: 1, 4: 2, 5: 2}
"""How many people have to say yes, by the level required."""

PENDING = timedelta(hours=24)
GRANT = timedelta(hours=8)
"""How long an approval may be used: a clock of its own, that starts when it is given."""

POLICY_ISSUER = "urn:aos:policy"


class Party(NamedTuple):
    """Somebody or something, for good."""

    issuer: str
    subject: str

    def is_same(self, other: "Party") -> bool:
        """Whether the two are one. Subjects that differ only in case, width or white space around them count as one:
        better one approver too few than somebody twice."""
        return self.issuer == other.issuer and _folded(self.subject) == _folded(other.subject)


class Actor(NamedTuple):
    """Who acts now. `live`: their level was confirmed just now. `owner` is the person whose key a machine brings."""

    who: Party
    human: bool = True
    level: int = 0
    live: bool = False
    owner: Party | None = None

    def acts_for(self, parties: Iterable[Party]) -> bool:
        """Whether the actor, or the person behind it, is one of them."""
        behind = [self.who, *filter(None, [self.owner])]
        return any(one.is_same(other) for one in behind for other in parties)


class Vote(NamedTuple):
    """What an approver said, and at which level. Who broke the glass decided alone."""

    who: Party
    decision: Decision
    level: int
    break_glass: bool = False


class Review(NamedTuple):
    """The second look that follows a broken glass; open while `outcome` is None."""

    breaker: Party
    outcome: ReviewOutcome | None = None


class Request(NamedTuple):
    """A request as far as rules look at it.

    `parties` are who asked and, where that was a key, its owner. `digest` stands for everything that is asked for.
    `uses` is how often a grant may be used. `escalate_after` None: nothing raises the level by itself.
    """

    status: RequestStatus
    required_level: int
    min_approvals: int
    parties: tuple[Party, ...]
    digest: str
    expires_at: datetime
    uses: int = 1
    used: int = 0
    escalate_after: timedelta | None = None
    escalates_at: datetime | None = None
    votes: tuple[Vote, ...] = ()
    decided_at: datetime | None = None
    grant_expires_at: datetime | None = None
    review: Review | None = None

    @property
    def approvals(self) -> int:
        """How many people have said yes whose level is enough. A no is no level."""
        counted = list[Party]()
        for vote in self.votes:
            enough = vote.decision == "approve" and vote.level >= self.required_level
            if enough and not any(vote.who.is_same(other) for other in counted):
                counted.append(vote.who)
        return len(counted)

    def is_overdue(self, now: datetime) -> bool:
        """Whether its time is up, though nobody has written that down."""
        return self.status in OPEN and now >= self.expires_at

    def is_due_to_escalate(self, now: datetime) -> bool:
        """Whether nobody has decided within the time of this level."""
        open_still = self.status in OPEN and not self.is_overdue(now)
        return open_still and self.escalates_at is not None and now >= self.escalates_at


def opened(
    parties: tuple[Party, ...],
    level: int,
    now: datetime,
    *,
    digest: str = "",
    expires_in: timedelta = PENDING,
    escalate_after: timedelta | None = None,
    uses: int = 1,
) -> Request:
    """A new request, which waits for people of `level`."""
    return Request(
        *("pending", level, MIN_APPROVALS[level], parties, digest, now + expires_in, uses, 0),
        escalate_after,
        now + escalate_after if escalate_after and level < MAX_LEVEL else None,
    )


def approve_by_policy(request: Request, policy_digest: str, now: datetime) -> Request:
    """A request of level 1 needs nobody: the policy itself approves it."""
    _check_open(request, now)
    if request.required_level > 1:
        raise AosError("authorization_denied", "a policy approves requests of level 1 alone")
    vote = Vote(Party(POLICY_ISSUER, f"policy:{policy_digest}"), "approve", 1)
    return _approved(request._replace(votes=(*request.votes, vote)), now)


def approve(
    request: Request,
    actor: Actor,
    now: datetime,
    *,
    level: int | None = None,
    digest: str | None = None,
    break_glass: bool = False,
    unreviewed: bool = False,
) -> Request:
    """Say yes, at `level` or at one's own. With enough of them it is approved, or at once where the glass is broken.

    `unreviewed`: the actor broke it before, and nobody has looked at that yet.
    """
    acting = _deciding_level(request, actor, level)
    if break_glass and acting < BREAK_GLASS_LEVEL:
        raise AosError("authorization_denied", f"breaking the glass takes level {BREAK_GLASS_LEVEL}")
    if break_glass and unreviewed:
        raise AosError("authorization_denied", "the last time you broke the glass has to be reviewed first")
    _check_ballot(request, actor, now, digest)
    voted = request._replace(votes=(*request.votes, Vote(actor.who, "approve", acting, break_glass)))
    if break_glass:
        return _approved(voted._replace(review=Review(actor.who)), now)
    return _approved(voted, now) if voted.approvals >= voted.min_approvals else voted


def reject(
    request: Request, actor: Actor, now: datetime, *, level: int | None = None, digest: str | None = None
) -> Request:
    """Say no, which one person who could say yes is enough for."""
    acting = _deciding_level(request, actor, level)
    _check_ballot(request, actor, now, digest)
    votes = (*request.votes, Vote(actor.who, "reject", acting))
    return _ended(request, "rejected", now)._replace(votes=votes)


def escalate(request: Request, now: datetime, actor: Actor | None = None) -> Request:
    """Ask one level higher, where as many people as that takes have to say yes.

    Without an `actor` it is the timeout that does. Raises AosError(no_higher_level).
    """
    if actor is not None:
        _check_person(request, actor)
    _check_open(request, now)
    if request.required_level >= MAX_LEVEL:
        raise AosError("no_higher_level", f"it waits for level {MAX_LEVEL}, above which there is none")
    level, after = request.required_level + 1, request.escalate_after
    return request._replace(
        status="escalated",
        required_level=level,
        min_approvals=max(request.min_approvals, MIN_APPROVALS[level]),
        escalates_at=now + after if after and level < MAX_LEVEL else None,
    )


def expire(request: Request, now: datetime) -> Request:
    """Nobody has decided in time, which is a no."""
    if not request.is_overdue(now):
        raise AosError("already_decided", f"it is {request.status}, and not overdue")
    return _ended(request, "expired", now)


def cancel(request: Request, actor: Actor, now: datetime) -> Request:
    """Whoever asked no longer does."""
    if not actor.acts_for(request.parties):
        raise AosError("authorization_denied", "only who made the request can cancel it")
    _check_open(request, now)
    return _ended(request, "cancelled", now)


def consume(request: Request, actor: Actor, now: datetime, *, digest: str | None = None) -> Request:
    """Use the grant once.

    Raises AosError: approval_pending, not_approved, already_consumed, grant_expired.
    """
    if not actor.acts_for(request.parties):
        raise AosError("authorization_denied", "only who made the request can use its approval")
    _check_digest(request, digest)
    if request.status in OPEN and not request.is_overdue(now):
        raise AosError("approval_pending", "nobody has decided on it yet")
    if request.used >= request.uses:
        raise AosError("already_consumed", f"it was granted {_times(request.uses)}, and used as often")
    if request.status != "approved" or request.grant_expires_at is None:
        raise AosError("not_approved", f"it is {_status(request, now)}")
    if now >= request.grant_expires_at:
        raise AosError("grant_expired", f"the approval was good for {GRANT // timedelta(hours=1)} hours")
    used = request.used + 1
    return request._replace(used=used, status="consumed" if used == request.uses else "approved")


def review(request: Request, actor: Actor, outcome: ReviewOutcome) -> Request:
    """Close the review of a broken glass: somebody looked who neither asked nor broke it.

    Raises AosError(no_open_review).
    """
    if _level_of(actor) < REVIEW_LEVEL or not actor.human:
        raise AosError("authorization_denied", f"a review takes a person of level {REVIEW_LEVEL}")
    if request.review is None or request.review.outcome is not None:
        raise AosError("no_open_review", "there is no review of this request that is open")
    if actor.acts_for((*request.parties, request.review.breaker)):
        raise AosError("authorization_denied", "somebody else has to review this")
    return request._replace(review=request.review._replace(outcome=outcome))


def _check_person(request: Request, actor: Actor) -> None:
    if not actor.human:
        raise AosError("authorization_denied", "a machine can't decide; people do")
    if actor.acts_for(request.parties):
        raise AosError(
            "authorization_denied", "nobody decides on their own request, nor on one of their keys'"
        )


def _deciding_level(request: Request, actor: Actor, stated: int | None) -> int:
    """The level at which the actor acts: `stated` may lower it."""
    _check_person(request, actor)
    held = _level_of(actor)
    acting = held if stated is None else stated
    if acting > held:
        raise AosError("authorization_denied", f"level {acting} is above yours, which is {held}")
    if acting < request.required_level:
        detail = f"this takes level {request.required_level}; you act at level {acting}"
        raise AosError("authorization_denied", detail)
    return acting


def _check_ballot(request: Request, actor: Actor, now: datetime, digest: str | None) -> None:
    _check_open(request, now)
    _check_digest(request, digest)
    if any(vote.who.is_same(actor.who) for vote in request.votes):
        raise AosError("already_voted", "an approver counts once, and you have approved it")


def _check_digest(request: Request, digest: str | None) -> None:
    if digest is not None and digest != request.digest:
        raise AosError("stale_digest", "what was looked at is not what is asked for")


def _check_open(request: Request, now: datetime) -> None:
    if request.status not in OPEN or request.is_overdue(now):
        raise AosError("already_decided", f"it is {_status(request, now)}, which never changes")


def _approved(request: Request, now: datetime) -> Request:
    return _ended(request, "approved", now)._replace(grant_expires_at=now + GRANT)


def _ended(request: Request, status: RequestStatus, now: datetime) -> Request:
    return request._replace(status=status, decided_at=now, escalates_at=None)


def _level_of(actor: Actor) -> int:
    return actor.level if actor.live else min(actor.level, MAX_CLAIMED_LEVEL)


def _status(request: Request, now: datetime) -> RequestStatus:
    return "expired" if request.is_overdue(now) else request.status


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _folded(subject: str) -> str:
    return unicodedata.normalize("NFKC", subject).casefold().strip()
