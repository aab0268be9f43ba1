"""Whatever happens in a run, in whatever order: what is read is what was written, and money adds up.

The journal in memory is the model; the ledger, closed and opened again at any moment, has to tell the same.
"""

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aos.domain.runs.run import Intent, RunEnd, Settled
from aos.ledger.ledger import Ledger
from aos.ledger.verify import verify
from aos.runtime.memory import Memory
from tests.unit.ledger.build import failed, intent, settled, start, step_end

CENTS = st.one_of(st.none(), st.decimals(0, 8, places=6).map(str))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
STEPS = ("s1", "s2", "s3")


class OneRun(RuleBasedStateMachine):
    """A run with three steps, any of which may be tried, fail, succeed or end at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "ledger.db"
        self.memory, self.ledger = Memory(), Ledger(self.path)
        for journal in (self.memory, self.ledger):
            journal.begin(start(budget="6"))
        self.attempts = dict.fromkeys(STEPS, 0)
        self.open: list[Intent] = []
        self.going = True

    @precondition(lambda self: self.going)
    @rule(step=st.sampled_from(STEPS), reserve=CENTS, item=st.integers(0, 1), held=st.booleans())
    def intends(self, step: str, reserve: str | None, item: int, held: bool) -> None:
        call = intent(step, self.attempts[step] + 1, reserve=reserve, item=item)
        done = step in self.memory.state("r1").steps
        if not done:
            granted = self.memory.intend(call)
            if held and reserve is None:
                self.ledger.note(call)
            else:
                assert self.ledger.intend(call) == granted
            if granted:
                self.attempts[step] += 1
                self.open.append(call)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), result=JSON, cost=CENTS, fails=st.booleans(), releases=st.booleans())
    def settles(
        self, data: st.DataObject, result: Any, cost: str | None, fails: bool, releases: bool
    ) -> None:
        call = data.draw(st.sampled_from(self.open))
        self.open.remove(call)
        done: Settled = failed(call, releases=releases) if fails else settled(call, result=result, cost=cost)
        for journal in (self.memory, self.ledger):
            journal.settle(done._replace(releases=releases))

    @precondition(lambda self: self.going)
    @rule(
        step=st.sampled_from(STEPS), output=JSON, outcome=st.sampled_from(["succeeded", "failed", "skipped"])
    )
    def ends_a_step(self, step: str, output: Any, outcome: Any) -> None:
        pending = any(call.place.step == step for call in self.open)
        if not pending and step not in self.memory.state("r1").steps:
            end = step_end(step, output=output)._replace(outcome=outcome)
            for journal in (self.memory, self.ledger):
                journal.step_ended(end)

    @precondition(lambda self: self.going)
    @rule(status=st.sampled_from(["paused", "cancelled", "failed"]))
    def pauses(self, status: Any) -> None:
        for journal in (self.memory, self.ledger):
            journal.end(RunEnd("r1", status, 5.0, 4.0, "budget"))
        self.going = False

    @precondition(lambda self: not self.going and self.memory.state("r1").status != "failed")
    @rule(budget=st.integers(6, 15))
    def resumes(self, budget: int) -> None:
        for journal in (self.memory, self.ledger):
            journal.resume("r1", 6.0, Decimal(budget))
        self.going = True

    @precondition(lambda self: not self.going)
    @rule(budget=st.integers(6, 15))
    def is_tried_again(self, budget: int) -> None:
        ended = self.memory.state("r1").steps
        again = [name for name, end in ended.items() if end.outcome == "failed"]
        for journal in (self.memory, self.ledger):
            journal.resume("r1", 6.0, Decimal(budget), again=again)
        self.going = True

    @rule()
    def is_opened_again(self) -> None:
        self.ledger.close()
        self.ledger = Ledger(self.path)

    @invariant()
    def tells_the_same(self) -> None:
        mine, theirs = self.ledger.state("r1"), self.memory.state("r1")
        assert mine.status == theirs.status
        assert mine.money == theirs.money
        assert mine.attempts == theirs.attempts
        assert mine.steps == theirs.steps
        assert mine.start == theirs.start
        assert (mine.tries, mine.again, mine.given_up) == (theirs.tries, theirs.again, theirs.given_up)

    @invariant()
    def spends_no_more_than_is_set_aside(self) -> None:
        money = self.ledger.money("r1")
        assert money.reserved >= 0

    def teardown(self) -> None:
        self.ledger.close()
        assert not verify(self.path).damage
        self.folder.cleanup()


TestOneRun = OneRun.TestCase
TestOneRun.settings = settings(stateful_step_count=30)
