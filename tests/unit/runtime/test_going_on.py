"""What makes a run wait or stop, what is on record by then, and how it goes on."""

import threading
import time
from decimal import Decimal
from threading import Timer
from typing import Any

import pytest

from aos.domain.plans.plan import OnError, Plan, Step
from aos.domain.runs.happenings import AttemptEnded, Happening
from aos.domain.runs.run import Intent, Place, RunEnd, Settled
from aos.domain.skills.skill import Effects, RetryPolicy
from aos.errors import AosError
from aos.runtime.memory import Memory
from aos.runtime.skills import Reply
from tests.unit.engine.build import catalog, skill
from tests.unit.runtime.scripted import Bench, Told, codes, ends, fails, writer

QUICK = RetryPolicy(3, backoff_ms=1)
PUTS = Effects(False, True, False, False, True)


# -- budget, people, signals --------------------------------------------------------------------------------------


def test_a_budget_that_is_used_up_pauses_the_run_which_goes_on_with_more():
    pay = Told(*[Reply("paid", cost_cents=Decimal(3))] * 3)
    bench = Bench(pay=pay)
    steps = (Step("a", "pay", {}), Step("b", "pay", {}), Step("c", "pay", {}))
    reserves = dict.fromkeys("abc", Decimal(3))
    state = bench.run(*steps, budget="7", reserves=reserves)
    assert state.status == "paused"
    assert state.end is not None
    assert (state.end.cause, state.end.at) == ("budget", Place("c"))
    assert state.money.spent == 6
    state = bench.run(*steps, budget="9", reserves=reserves, resume=True)
    assert state.status == "succeeded"
    assert state.money.spent == 9
    assert len(pay.calls) == 3


def test_what_has_begun_before_the_money_ran_out_is_finished():
    def slowly(*_: Any) -> Reply:
        time.sleep(0.05)
        return Reply("paid", cost_cents=Decimal(3))

    bench = Bench(slow=Told(slowly, slowly), pay=Told())
    state = bench.run(
        Step("a", "slow", {}, needs=(), iterations=2),
        Step("b", "pay", {}, needs=()),
        budget="4",
        reserves={"a": Decimal(3), "b": Decimal(2)},
    )
    assert state.status == "paused"
    assert ends(state) == {"a": "succeeded"}


def test_a_person_is_asked_once_nothing_else_is_left_to_do():
    order: list[str] = []

    def work(params: Any, _: Any) -> Reply:
        order.append(params["name"])
        return Reply("done")

    def confirm(step: Step) -> bool:
        order.append(f"ask {step.id}")
        time.sleep(0.1)
        return True

    state = Bench(work=Told(work, work)).run(
        Step("a", "work", {"name": "a"}, approval=2, needs=()),
        Step("b", "work", {"name": "b"}, needs=()),
        confirm=confirm,
    )
    assert state.status == "succeeded"
    assert order == ["b", "ask a", "a"]
    assert state.active_ms < 90


def test_who_is_asked_sees_what_the_step_would_be_given_but_no_secret():
    asked: list[Step] = []
    params = {
        "of": "${steps.a.output.n}",
        "in": "${inputs.in}",
        "with": "${secrets.key}",
        "at": "${item.at} of it",
    }
    state = Bench(work=Told(Reply({"n": 7}))).run(
        Step("a", "work", {}),
        Step("b", "work", params, for_each=({"at": 1}, {"at": 2}), approval=2),
        inputs={"in": ["x"]},
        secret=lambda name: "psst",
        confirm=lambda step: asked.append(step),
    )
    assert state.status == "paused"
    assert [step.params for step in asked] == [
        {"of": 7, "in": ["x"], "with": "${secrets.key}", "at": "${item.at} of it"}
    ]


def test_without_anybody_to_ask_the_run_pauses_and_a_no_fails_the_step():
    bench = Bench(work=Told())
    step = Step("a", "work", {}, approval=2)
    state = bench.run(step)
    assert state.end is not None
    assert (state.status, state.end.cause) == ("paused", "approval")
    state = bench.run(step, confirm=lambda step: False, resume=True)
    assert state.status == "failed"
    assert not bench.skills["work"].calls


def test_a_yes_stays_a_yes_though_the_step_could_not_begin():
    bench = Bench(work=Told())
    step = Step("a", "work", {}, approval=2)
    dear: dict[str, Any] = {"reserves": {"a": Decimal(5)}}
    state = bench.run(step, confirm=lambda step: True, budget="1", **dear)
    assert state.end is not None
    assert (state.status, state.end.cause) == ("paused", "budget")
    state = bench.run(step, confirm=lambda step: pytest.fail("asked again"), budget="9", resume=True, **dear)
    assert state.status == "succeeded"


def test_a_no_stays_a_no():
    bench = Bench(work=Told())
    steps = (
        Step("a", "work", {}, approval=2, on_error=OnError("continue")),
        Step("b", "work", {}, approval=2),
    )
    answers = iter([False, None])
    assert bench.run(*steps, confirm=lambda step: next(answers)).status == "paused"
    asked: list[str] = []

    def confirm(step: Step) -> bool:
        asked.append(step.id)
        return True

    state = bench.run(*steps, confirm=confirm, resume=True)
    assert (state.status, asked) == ("succeeded", ["b"])
    assert ends(state) == {"a": "failed", "b": "succeeded"}
    assert len(bench.skills["work"].calls) == 1


def test_a_run_that_is_stopped_ends_cleanly_and_can_be_resumed():
    def patient(_: Any, call: Any) -> Reply:
        call.cancelled.wait(60)
        return fails("CANCELLED")

    bench = Bench(work=Told(patient))
    executor = bench.executor(Plan((Step("a", "work", {}), Step("b", "work", {}))))
    Timer(0.05, executor.stop).start()
    began = time.monotonic()
    state = executor.run()
    assert state.status == "cancelled"
    assert time.monotonic() - began < 30
    assert codes(state, "a") == ["CANCELLED"]
    assert bench.run(Step("a", "work", {}), Step("b", "work", {}), resume=True).status == "succeeded"


def test_a_write_that_was_stopped_and_may_have_happened_waits_for_somebody_who_knows():
    def patient(_: Any, call: Any) -> Reply:
        call.cancelled.wait(5)
        return fails("CANCELLED")

    bench = Bench(work=Told(patient))
    known = catalog(writer("work", retry=QUICK))
    executor = bench.executor(Plan((Step("a", "work", {}),)), known)
    Timer(0.05, executor.stop).start()
    assert codes(executor.run(), "a") == ["?"]
    state = bench.run(Step("a", "work", {}), known=known, resume=True)
    assert state.end is not None
    assert (state.status, state.end.cause, state.end.at) == ("paused", "unknown_effect", Place("a"))
    assert len(bench.skills["work"].calls) == 1


# -- records ------------------------------------------------------------------------------------------------------


class Torn(Memory):
    """A journal that can be written no more after so many intents."""

    def __init__(self, intents: int) -> None:
        super().__init__()
        self.left = intents

    def intend(self, *intents: Intent) -> bool:
        self.left -= 1
        if self.left < 0:
            time.sleep(0.1)  # what was begun before it was written down is under way by then
            raise AosError("write_failed", "the disk is full")
        return super().intend(*intents)


def test_nothing_is_done_that_could_not_be_written_down():
    bench = Bench(work=Told())
    bench.journal = Torn(1)
    with pytest.raises(AosError, match="full"):
        bench.run(Step("a", "work", {}), Step("b", "work", {}), known=catalog(writer("work")))
    assert len(bench.skills["work"].calls) == 1


class Late(Memory):
    """A journal that writes outcomes and notes with what is written next, as a ledger does."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[tuple[Place, int]] = []
        self.written = set[tuple[Place, int]]()
        self.together = list[int]()

    def settle(self, settled: Settled) -> None:
        super().settle(settled)
        self.waiting.append((settled.intent.place, settled.intent.attempt))

    def note(self, *intents: Intent) -> None:
        assert super().intend(*intents)

    def intend(self, *intents: Intent) -> bool:
        fits = super().intend(*intents)
        self.together.append(len(intents) if fits else 0)
        if fits:
            self.flush()
        return fits

    def flush(self) -> None:
        self.written.update(self.waiting)
        self.waiting.clear()

    def end(self, end: RunEnd) -> None:
        self.flush()
        super().end(end)


def test_nothing_follows_from_an_outcome_that_is_not_on_record():
    journal, told = Late(), list[tuple[Place, int]]()

    def quick(*_: Any) -> Reply:
        assert not journal.waiting
        return Reply("done")

    def slow(*_: Any) -> Reply:
        until = time.monotonic() + 5
        while (Place("a"), 2) not in told:  # what is shown of others does not wait for this one
            assert time.monotonic() < until
            time.sleep(0.001)
        return Reply("done")

    def watch(happening: Happening) -> None:
        if isinstance(happening, AttemptEnded):
            at = happening.intent.place, happening.intent.attempt
            assert at in journal.written
            told.append(at)

    bench = Bench(quick=Told(fails("TIMEOUT"), quick, quick), slow=Told(slow))
    bench.journal, bench.watch = journal, watch
    state = bench.run(
        Step("a", "quick", {}, needs=()),
        Step("b", "slow", {}, needs=()),
        Step("c", "quick", {}, needs=("b",)),
        known=catalog(skill("quick", retry=QUICK)._replace(effects=PUTS), skill("slow")),
    )
    assert state.status == "succeeded"
    assert codes(state, "c") == [None]
    assert len(told) == 4


def test_what_starts_at_once_is_written_at_once_or_as_far_as_the_money_goes():
    bench = Bench(do=Told())
    bench.journal = journal = Late()
    steps = tuple(Step(name, "do", {}, needs=()) for name in "abc")
    state = bench.run(
        *steps, Step("d", "do", {}, for_each=(1, 2)), reserves=dict.fromkeys("abcd", Decimal(4)), budget="20"
    )
    assert state.status == "succeeded"
    assert journal.together == [3, 2]
    bench.journal = journal = Late()
    state = bench.run(*steps, reserves=dict.fromkeys("abc", Decimal(4)), budget="10")
    assert (state.status, state.end and state.end.cause) == ("paused", "budget")
    assert journal.together == [0, 1, 1, 0]
    assert [a.intent.place.step for a in state.attempts] == ["a", "b"]
    bench.journal = journal = Late()
    dear = {"a": Decimal(4), "b": Decimal(8), "c": Decimal(4)}
    state = bench.run(*steps, reserves=dear, budget="10")
    assert [a.intent.place.step for a in state.attempts] == ["a"]  # once one is refused, nothing new starts
    assert journal.together == [0, 1, 0]


def test_a_resumed_run_redoes_no_step_and_asks_nobody_twice():
    bench = Bench(work=Told(Reply(1), fails("BAD_QUERY")), after=Told())
    steps = (
        Step("a", "work", {}, approval=2),
        Step("b", "work", {}, on_error=OnError("continue")),
        Step("c", "after", {"it": "${steps.a.output}"}, approval=2),
    )
    answers = iter([True, None])
    state = bench.run(*steps, confirm=lambda step: next(answers))
    assert state.status == "paused"
    state = bench.run(*steps, confirm=lambda step: True, resume=True)
    assert state.status == "succeeded"
    assert len(bench.skills["work"].calls) == 2
    assert bench.skills["after"].calls[0][0] == {"it": 1}


def test_everybody_is_told_in_order():
    bench = Bench(work=Told(fails("TIMEOUT")))
    bench.run(Step("a", "work", {}), known=catalog(skill("work", retry=QUICK)))
    assert [type(happening).__name__ for happening in bench.seen] == [
        "RunStarted",
        "AttemptStarted",
        "AttemptEnded",
        "Retrying",
        "AttemptStarted",
        "AttemptEnded",
        "StepEnded",
        "RunEnded",
    ]


def test_no_thread_is_left_behind():
    before = threading.active_count()
    Bench(work=Told()).run(Step("a", "work", {}, for_each=tuple(range(20))))
    for thread in threading.enumerate():
        if thread.name == "aos attempt":
            thread.join(1)
    assert threading.active_count() <= before
