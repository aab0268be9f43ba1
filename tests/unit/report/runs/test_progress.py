"""The live line of a run."""

from decimal import Decimal

from aos.domain.runs.happenings import AttemptEnded, RunStarted
from aos.domain.runs.outcomes import Execution, Outcome
from aos.domain.runs.recorded import Attempted, RunState
from aos.domain.runs.run import Intent, Money, Place, RunStart, StepEnd
from aos.report.runs.progress import Progress

ESTIMATE = {"typical_start_ms": None, "typical_duration_ms": None}
TOLD = {"step_estimates": [{"id": name, **ESTIMATE} for name in ("a", "b")]}
START = RunStart("r1", {}, "", "", TOLD, Decimal(10), None, 0.0)


def ended(step: str, cost_cents: int | None) -> AttemptEnded:
    cost = None if cost_cents is None else Decimal(cost_cents)
    intent = Intent("r1", Place(step), "s", 1, "", "", True, 0.0, None)
    return AttemptEnded(1.0, intent, Outcome(True, None, None, Execution(1.0, cost, 0, False)))


def test_a_run_that_goes_on_stands_where_it_stood() -> None:
    progress, first = Progress(), ended("a", 2)
    progress.add(RunStarted(0.0, START))
    assert progress.standing() == "0 of 2 steps, 0 attempts, 0c of 10c"
    attempts = (Attempted(first.intent, first.outcome, 1.0),)
    steps = {"a": StepEnd("r1", "a", "succeeded", None, 1.0)}
    money = Money(Decimal(10), Decimal(2), Decimal(0))
    past = RunState(START, "running", attempts, steps, money, 1.0, None)
    assert progress.add(RunStarted(2.0, START, past)) == ["resumed as r1"]
    assert progress.standing() == "1 of 2 steps, 1 attempt, 2c of 10c"


def test_what_nobody_knows_is_not_left_out_of_what_was_spent() -> None:
    progress = Progress()
    progress.add(RunStarted(0.0, START))
    for cost in (3, None):
        progress.add(ended("a", cost))
    spent = "3c of 10c, 1 attempt of unknown cost"
    assert progress.standing() == f"0 of 2 steps, 2 attempts, {spent}"
