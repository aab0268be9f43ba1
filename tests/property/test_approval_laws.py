"""Laws of approval requests: whoever does what, in whatever order."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from aos.domain import approvals
from aos.domain.approvals import BECOMES, OPEN, Actor, Party, Request
from aos.errors import AosError

START = datetime(2026, 11, 26, tzinfo=UTC)
ASKER = Party("iss", "ann")
KEY = Party("keys", "k1")

people = st.builds(
    lambda subject, level, live: Actor(Party("iss", subject), True, level, live),
    st.sampled_from(["ann", "ANN", "bob", "Bob ", "cyd", "dan"]),
    st.integers(0, 5),
    st.booleans(),
)
machines = st.builds(
    lambda owner: Actor(KEY, False, 5, True, Party("iss", owner)), st.sampled_from(["ann", "bob"])
)
actors = people | machines
levels = st.none() | st.integers(1, 5)


class Requests(RuleBasedStateMachine):
    """One request, and everybody who wants something of it."""

    @initialize(
        level=st.integers(1, 5), uses=st.integers(1, 3), after=st.sampled_from([None, timedelta(minutes=5)])
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
        assert (after.digest, after.parties, after.expires_at) == (
            before.digest,
            before.parties,
            before.expires_at,
        )

    @rule(minutes=st.sampled_from([1, 10, 400, 900]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(actor=actors, level=levels, glass=st.booleans(), digest=st.sampled_from([None, "d", "other"]))
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

    @rule(actor=actors)
    def cancel(self, actor: Actor) -> None:
        self.become(lambda: approvals.cancel(self.request, actor, self.now))

    @rule(actor=actors)
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
TestRequests.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
