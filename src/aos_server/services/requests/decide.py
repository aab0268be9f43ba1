"""Decide on a request: approve, reject, escalate, cancel, review.

Each is one change: the row is locked, the rule of the domain asked, what it says written with audit row and message.
What is refused is audited, too. A request whose time is up is expired by whoever meets it first.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from aos.domain.approvals import requests as approvals
from aos.domain.approvals.requests import Actor, Party, Request, ReviewOutcome
from aos.errors import AosError
from aos_server.db.pool import Database, Row, Statement
from aos_server.identity.caller import Caller, Principal
from aos_server.services.changes import Effect, Entry, Given, Message, change, refused
from aos_server.services.idempotency import Key
from aos_server.services.requests import counts
from aos_server.services.requests.stored import changed, line, request_of, told

__all__ = [
    "Said",
    "Standing",
    "actor_of",
    "approve",
    "cancel",
    "decided",
    "escalate",
    "reject",
    "review",
    "unknown",
]

CLOCK = Principal("urn:aos:server", "clock")
"""Who does what nobody did in time."""


class Standing(NamedTuple):
    """How a request stands: what of it somebody sees change who looks at it again. As text `pending.3.0`."""

    status: str
    level: int
    approvals: int

    @classmethod
    def of(cls, request: Request) -> "Standing":
        """That of a request."""
        return cls(request.status, request.required_level, request.approvals)

    @classmethod
    def read(cls, text: str) -> "Standing":
        """What `str` gave. Raises ValueError."""
        status, level, approvals_ = text[:40].split(".")
        return cls(status, int(level), int(approvals_))

    def __str__(self) -> str:
        return f"{self.status}.{self.level}.{self.approvals}"


_LIVE = ("requests.lock", "requests.votes", "requests.review")
_ARCHIVED = ("requests.archived", "requests.archived_votes", "requests.archived_review")
"""What a request is read by: its row, who decided, its review."""


class Said(NamedTuple):
    """What somebody says with a decision. `level` and `digest` None: their own level, whatever the request says.
    `seen` is how it stood when they looked at it; None: however it stands."""

    reason: str = ""
    level: int | None = None
    digest: str | None = None
    break_glass: bool = False
    seen: Standing | None = None


Rule = Callable[[Request, datetime, Sequence[Sequence[Row]]], Request]
"""From the request, the instant and further rows to the request as it is then. Raises AosError."""


async def approve(
    database: Database, caller: Caller, request: str, said: Said, key: Key | None = None
) -> Given:
    """Say yes. The answer is the request as it stands then, `aos.request-state/1`."""
    me = caller.principal._asdict()
    also: list[Statement] = []
    if said.break_glass:
        also = [("requests.lock_breaker", me), ("requests.unreviewed", me)]

    def rule(found: Request, now: datetime, rows: Sequence[Sequence[Row]]) -> Request:
        after = approvals.approve(
            found,
            actor_of(caller),
            now,
            level=said.level,
            digest=said.digest,
            break_glass=said.break_glass,
            unreviewed=bool(said.break_glass and rows[1]),
        )
        _check_seen(found, said.seen)
        return after

    return await decided(database, caller, request, "approve", rule, said.reason, key, also)


async def reject(
    database: Database, caller: Caller, request: str, said: Said, key: Key | None = None
) -> Given:
    """Say no."""

    def rule(found: Request, now: datetime, rows: object) -> Request:
        after = approvals.reject(found, actor_of(caller), now, level=said.level, digest=said.digest)
        _check_seen(found, said.seen)
        return after

    return await decided(database, caller, request, "reject", rule, said.reason, key)


async def escalate(
    database: Database,
    caller: Caller,
    request: str,
    reason: str = "",
    key: Key | None = None,
    seen: Standing | None = None,
) -> Given:
    """Ask one level higher."""

    def rule(found: Request, now: datetime, rows: object) -> Request:
        after = approvals.escalate(found, now, actor_of(caller))
        _check_seen(found, seen)
        return after

    return await decided(database, caller, request, "escalate", rule, reason, key)


async def cancel(
    database: Database, caller: Caller, request: str, reason: str = "", key: Key | None = None
) -> Given:
    """No longer ask."""

    def rule(found: Request, now: datetime, rows: object) -> Request:
        return approvals.cancel(found, actor_of(caller), now)

    return await decided(database, caller, request, "cancel", rule, reason, key)


async def review(
    database: Database,
    caller: Caller,
    request: str,
    outcome: ReviewOutcome,
    reason: str,
    key: Key | None = None,
) -> Given:
    """Close the review of a broken glass."""

    def rule(found: Request, now: datetime, rows: object) -> Request:
        return approvals.review(found, actor_of(caller), outcome)

    return await decided(database, caller, request, "review", rule, reason, key)


class _NotLive(Exception):
    """It is not among the requests that may still change."""


async def decided(
    database: Database,
    caller: Caller,
    request_id: str,
    act: str,
    rule: Rule,
    reason: str = "",
    key: Key | None = None,
    also: Sequence[Statement] = (),
    run: str | None = None,
) -> Given:
    """Do what the rule says, with rows of `also` at hand. Raises AosError(not_found) and what the rule raises."""
    this = {"id": request_id}
    happened: list[tuple[Row, Request, Request]] = []
    refusal: AosError | None = None

    def decide(live: bool, now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
        nonlocal refusal
        found, votes, reviews, *more = rows
        if not found:
            raise _NotLive if live else unknown()
        row, who = found[0], caller.principal
        before = request_of(row, votes, reviews[0] if reviews else None)
        try:
            after = rule(before, now, more)
            if not live:
                raise AosError("already_decided", "this request is over, and in the archive")
        except AosError as error:
            refusal = error
            told = refused(Entry(f"request.{act}.refused", request_id), error)
            if not before.is_overdue(now):
                return told
            after, who = approvals.expire(before, now), CLOCK
            effect = _effect(row, before, after, who, "")
            happened.append((row, before, after))
            entry = effect.entry._replace(by=CLOCK)
            return effect._replace(entry=entry, further=[told.entry], refusal=error)
        happened.append((row, before, after))
        return _effect(row, before, after, who, reason, run)

    async def changed_by(names: Sequence[str], *, live: bool) -> Given:
        reads = [*((name, this) for name in names), *also]
        return await change(database, caller, reads, partial(decide, live), key)

    try:
        try:
            given = await changed_by(_LIVE, live=True)
        except _NotLive:  # it was archived before, or while its lock was waited for
            given = await changed_by(_ARCHIVED, live=False)
    except AosError as error:
        if error is not refusal:  # nothing is known to have happened
            raise
        _count(happened)
        raise
    _count(happened)
    return given


def _check_seen(found: Request, seen: Standing | None) -> None:
    """A decision that binds what was shown binds how it stood, too: under the lock, so that nobody comes between."""
    if seen is not None and seen != Standing.of(found):
        raise AosError("stale_digest", "it has changed since it was looked at")


def _count(happened: Sequence[tuple[Row, Request, Request]]) -> None:
    for row, before, after in happened:
        counts.count(before, after, row["created_at"])


def actor_of(caller: Caller) -> Actor:
    """The caller as rules look at one."""
    owner = Party(*caller.owner) if caller.owner else None
    return Actor(Party(*caller.principal), caller.kind == "human", caller.level, caller.live, owner)


def unknown() -> AosError:
    """The refusal of a request that is not there, or another tenant's."""
    return AosError("not_found", "there is no such request", fix="`aos requests` lists those there are.")


def happening(before: Request, after: Request) -> str:
    """What happened, in a word that people and machines are told."""
    if before.review and before.review != after.review:
        return "reviewed"
    if after.used > before.used:
        return "consumed"
    if after.status == before.status and after.required_level == before.required_level:
        return "voted"
    return after.status


def _effect(
    row: Row, before: Request, after: Request, who: Principal, reason: str, run: str | None = None
) -> Effect:
    """Everything that is written where `before` becomes `after`."""
    request, what = str(row["id"]), happening(before, after)
    me = {"id": request, **who._asdict()}
    statements = [changed(request, after)] if what != "reviewed" else []
    for vote in after.votes[len(before.votes) :]:
        said = {"decision": vote.decision, "level": vote.level, "break_glass": vote.break_glass}
        statements.append(("requests.vote", {**me, **said, "reason": reason}))
    if what == "reviewed" and after.review:
        statements.append(
            ("requests.close_review", {**me, "outcome": after.review.outcome, "reason": reason})
        )
    elif after.review != before.review:
        statements.append(("requests.open_review", me))
    if what == "consumed":
        statements.append(("requests.use", {**me, "number": after.used, "run_id": run}))
    details = _details(before, after, reason) | ({"run_id": run} if run else {})
    messages = [] if what in ("voted", "reviewed") else [_message(row, after, what, who, reason)]
    return Effect(statements, Entry(f"request.{what}", request, details), 200, told(row, after), messages)


def _details(before: Request, after: Request, reason: str) -> dict[str, Any]:
    """What the audit log has of it."""
    details: dict[str, Any] = {
        "status": after.status,
        "required_level": after.required_level,
        "min_approvals": after.min_approvals,
        "approvals": after.approvals,
        "digest": after.digest,
        "reason": reason,
    }
    for vote in after.votes[len(before.votes) :]:
        details |= {"level": vote.level, "break_glass": vote.break_glass}
    if after.review and after.review.outcome:
        details["outcome"] = after.review.outcome
    return details


def _message(row: Row, after: Request, what: str, who: Principal, reason: str) -> Message:
    return Message(f"request.{what}", {**line(row, after), "by": who.subject, "reason": reason})
