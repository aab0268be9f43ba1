"""Laws of approval requests: whoever does what, in whatever order."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from aos.domain.approvals import requests as approvals
from aos.domain.approvals.requests import BECOMES, OPEN, Actor, Party, Request
from aos.errors import AosError

START = datetime(2026, 11, 26, tzinfo=UTC)
ASKER = Party("iss", "ann")
KEY = Party("keys", "k1")

# Mostly people who may; else whoever asked, in any spelling, keys, and levels that are too low or not confirmed.
able = [Actor(Party("iss", name), True, level, True) for name in ("bob", "cyd", "dan") for level in (4, 5)]
others = [Actor(Party("iss", name), True, 5, True) for name in ("ann", "ANN", " Bob")]
others += [Actor(Party("iss", "eve"), True, level, level < 3) for level in range(6)]
machines = [Actor(KEY, False, 5, True, Party("iss", owner)) for owner in ("ann", "bob")]
actors = st.sampled_from([*able, *able, *others, *machines])
askers = st.sampled_from([Actor(ASKER, True, 2, True), machines[0], able[0]])
levels = st.sampled_from([None, None, None, 3, 4, 5])


class Requests(RuleBasedStateMachine):
    """One request, and everybody who wants something of it."""

    @initialize(
        level=st.sampled_from([1, 2, 3, 4, 4, 5]),
        uses=st.integers(1, 3),
        after=st.sampled_from([None, timedelta(minutes=5)]),
    )
    def ask(self, level: int, uses: int, after: timedelta | None) -> None:
        self.now = START
        parties = (KEY, ASKER)
        self.request = approvals.opened(parties, level, START, uses=uses, escalate_after=after, digest="d")

    def become(self, act: object) -> None:
        """Do it, or be refused."""
        before = self.request
        try:
            self.request = act()  # type: ignore[operator]
        except AosError:
            return
        after = self.request
        assert after.status == before.status or after.status in BECOMES[before.status]
        assert before.status in OPEN | {"approved"} or after.review != before.review
        assert after.required_level >= before.required_level
        end = before.expires_at if before.status in OPEN else before.grant_expires_at
        if before.status in OPEN or after.used > before.used:
            assert (end is not None and self.now < end) or after.status == "expired"
        assert (after.digest, after.parties, after.expires_at) == (
            before.digest,
            before.parties,
            before.expires_at,
        )

    @rule(minutes=st.sampled_from([1, 1, 1, 5, 500, 500, 1500]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(
        actor=actors,
        level=levels,
        glass=st.sampled_from([False, False, False, True]),
        digest=st.sampled_from([None, "d", "d", "other"]),
    )
    def approve(self, actor: Actor, level: int | None, glass: bool, digest: str | None) -> None:
        self.become(
            lambda: approvals.approve(
                self.request, actor, self.now, level=level, digest=digest, break_glass=glass
            )
        )

    @rule(actor=actors, level=levels)
    def reject(self, actor: Actor, level: int | None) -> None:
        self.become(lambda: approvals.reject(self.request, actor, self.now, level=level))

    @rule(actor=st.none() | actors)
    def escalate(self, actor: Actor | None) -> None:
        self.become(lambda: approvals.escalate(self.request, self.now, actor))

    @rule(actor=askers)
    def cancel(self, actor: Actor) -> None:
        self.become(lambda: approvals.cancel(self.request, actor, self.now))

    @rule(actor=askers)
    def consume(self, actor: Actor) -> None:
        self.become(lambda: approvals.consume(self.request, actor, self.now))

    @rule(actor=actors)
    def review(self, actor: Actor) -> None:
        self.become(lambda: approvals.review(self.request, actor, "justified"))

    @rule()
    def expire(self) -> None:
        self.become(lambda: approvals.expire(self.request, self.now))

    @rule()
    def let_the_policy_decide(self) -> None:
        self.become(lambda: approvals.approve_by_policy(self.request, "sha256:p", self.now))

    @invariant()
    def is_approved_by_enough_people_who_may_and_did_not_ask(self) -> None:
        request: Request = self.request
        for vote in request.votes:
            assert not any(vote.who.is_same(party) for party in request.parties)
        if request.status in ("approved", "consumed"):
            alone = any(
                vote.break_glass or vote.who.issuer == approvals.POLICY_ISSUER for vote in request.votes
            )
            assert alone or request.approvals >= request.min_approvals
            assert request.decided_at is not None
            assert request.decided_at < request.expires_at

    @invariant()
    def is_used_no_more_than_granted(self) -> None:
        assert self.request.used <= self.request.uses
        assert (self.request.status == "consumed") == (self.request.used == self.request.uses)


TestRequests = Requests.TestCase
TestRequests.settings = settings(stateful_step_count=40)
