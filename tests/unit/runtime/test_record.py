"""What leaves nothing behind may wait to be written, for a moment, and nothing else may."""

import time
from collections.abc import Callable
from decimal import Decimal
from threading import Event
from typing import Any

import pytest

from aos.domain.plans.plan import Step
from aos.domain.runs.happenings import AttemptStarted, Happening
from aos.domain.runs.run import Intent, RunEnd, Settled, StepEnd
from aos.domain.skills.distributions import Constant
from aos.domain.skills.skill import Effects, Skill
from aos.errors import AosError
from aos.runtime.memory import Memory
from aos.runtime.skills import Reply
from tests.unit.engine.build import catalog, skill
from tests.unit.runtime.scripted import Bench, Told, writer

LONG_S = 10.0


class Journal(Memory):
    """What is on record, and what waits for it. `full` once nothing more can be written."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[str] = []
        self.written: list[str] = []
        self.intended: list[str] = []
        self.full = False
        self.flushed = Event()

    def intend(self, *intents: Intent) -> bool:
        self._write()
        names = [f"{intent.place.step} begins" for intent in intents]
        self.intended += names
        self.written += names
        return super().intend(*intents)

    def note(self, *intents: Intent) -> None:
        self.waiting += [f"{intent.place.step} begins" for intent in intents]
        assert super().intend(*intents)

    def settle(self, settled: Settled) -> None:
        self.waiting.append(f"{settled.intent.place.step} ended")
        super().settle(settled)

    def step_ended(self, end: StepEnd) -> None:
        self.waiting.append(f"{end.step} ended")
        super().step_ended(end)

    def flush(self) -> None:
        self._write()
        self.flushed.set()

    def end(self, end: RunEnd) -> None:
        self._write()
        super().end(end)

    def _write(self) -> None:
        if self.full:
            raise AosError("write_failed", "the disk is full")
        self.written += self.waiting
        self.waiting.clear()


def pure(count: int, first: int = 1) -> tuple[Step, ...]:
    return tuple(Step(f"p{i}", "pure", {}) for i in range(first, first + count))


def noted(steps: tuple[Step, ...]) -> list[str]:
    return [f"{step.id} {what}" for step in steps for what in ("begins", "ended")]


@pytest.fixture
def bench() -> Bench:
    made = Bench(pure=Told(), writes=Told())
    made.journal = Journal()
    return made


@pytest.fixture
def journal(bench: Bench) -> Journal:
    assert isinstance(bench.journal, Journal)
    return bench.journal


def test_all_that_waits_is_written_before_an_effect(bench: Bench, journal: Journal):
    before = pure(20)
    seen = list[str]()

    def looks(*_: Any) -> Reply:
        seen.extend(journal.written)
        return Reply("done")

    bench.skills["writes"] = Told(looks)
    after = Step("w", "writes", {})
    state = bench.run(*before, after, *pure(2, first=21), known=catalog(skill("pure"), writer("writes")))
    assert state.status == "succeeded"
    assert seen == [*noted(before), "w begins"]
    assert journal.intended == ["w begins"]  # the others were notes
    assert journal.written == [*noted((*before, after, *pure(2, first=21)))]


def test_nobody_is_told_what_is_not_on_record(bench: Bench, journal: Journal):
    told = list[str]()

    def watch(happening: Happening) -> None:
        if isinstance(happening, AttemptStarted):
            told.append(happening.intent.place.step)
            assert f"{told[-1]} begins" in journal.written

    bench.watch = watch
    bench.run(*pure(30))
    assert told == [step.id for step in pure(30)]


def test_what_waits_is_written_soon_though_an_attempt_takes_long(bench: Bench, journal: Journal):
    bench.skills["pure"] = Told(Reply("quick"), lambda *_: Reply(journal.flushed.wait(LONG_S)))
    state = bench.run(*pure(2))
    assert state.steps["p2"].output is True


def test_nor_does_it_wait_for_the_last_of_many(bench: Bench, journal: Journal):
    def work(*_: Any) -> Reply:
        time.sleep(0.001)
        return Reply(journal.flushed.is_set())

    bench.skills["pure"] = Told(*[work] * 100)
    state = bench.run(Step("p", "pure", {}, iterations=100))
    assert state.steps["p"].output is True


def test_the_outcome_of_an_effect_does_not_wait_for_what_follows(bench: Bench, journal: Journal):
    bench.skills["pure"] = Told(lambda *_: Reply("w ended" in journal.written))
    state = bench.run(Step("w", "writes", {}), *pure(1), known=catalog(skill("pure"), writer("writes")))
    assert state.steps["p1"].output is True


@pytest.mark.parametrize(
    "changed",
    [
        lambda skill: skill._replace(
            effects=Effects(False, True, False, True, False)
        ),  # it changes something
        lambda skill: skill._replace(effects=Effects(True, True, False, True, True)),  # it reaches others
        lambda _: skill("pure", cost=Constant(1.0)),
        lambda _: skill("pure", cost=None),
    ],
    ids=["changes", "reaches", "costs", "price unknown"],
)
def test_what_leaves_something_behind_is_on_record_before_it_begins(
    bench: Bench, journal: Journal, changed: Callable[[Skill], Skill]
):
    bench.run(*pure(3), known=catalog(changed(skill("pure"))))
    assert journal.intended == ["p1 begins", "p2 begins", "p3 begins"]


def test_what_sets_money_aside_is_on_record_before_it_begins(bench: Bench, journal: Journal):
    bench.run(*pure(2), reserves={"p2": Decimal(1)}, budget="1")
    assert journal.intended == ["p2 begins"]


def test_what_begins_together_with_an_effect_is_written_with_it(bench: Bench, journal: Journal):
    steps = Step("p", "pure", {}, needs=()), Step("w", "writes", {}, needs=())
    bench.run(*steps, known=catalog(skill("pure"), writer("writes")))
    assert journal.intended == ["p begins", "w begins"]


def test_no_effect_follows_from_notes_that_could_not_be_written(bench: Bench, journal: Journal):
    def fills(*_: Any) -> Reply:
        journal.full = True
        return Reply("done")

    bench.skills["pure"] = Told(Reply("done"), fills)
    with pytest.raises(AosError, match="full"):
        bench.run(*pure(2), Step("w", "writes", {}), known=catalog(skill("pure"), writer("writes")))
    assert not bench.skills["writes"].calls
    assert "p2 ended" not in journal.written
