"""Runs to write down."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from aos.domain.runs.outcomes import Execution, Failure, Outcome, SideEffect
from aos.domain.runs.run import Intent, Place, RunEnd, RunStart, Settled, StepEnd
from aos.ledger.connection import connect
from aos.ledger.ledger import Ledger

PLAN = {"aos_plan": "1", "name": "demo", "steps": [{"id": "s1", "skill": "http_call"}]}


def start(run: str = "r1", budget: str | None = "10", started_ms: float = 1_000.0) -> RunStart:
    cents = None if budget is None else Decimal(budget)
    return RunStart(run, PLAN, "sha256:plan", "sha256:contract", {"seed": 0}, cents, None, started_ms)


def intent(
    step: str = "s1",
    attempt: int = 1,
    *,
    run: str = "r1",
    reserve: str | None = "4",
    item: int = 0,
    skill: str = "http_call",
    repeatable: bool = False,
    started_ms: float = 1_100.0,
) -> Intent:
    place = Place(step, item)
    cents = None if reserve is None else Decimal(reserve)
    return Intent(run, place, skill, attempt, f"{run}:{place}", "sha256:p", repeatable, started_ms, cents)


def settled(
    of: Intent,
    *,
    result: Any = None,
    cost: str | None = "1",
    releases: bool = True,
    ended_ms: float = 1_200.5,
) -> Settled:
    spent = Execution(100.25, None if cost is None else Decimal(cost), of.attempt - 1)
    done = SideEffect("http.request", "https://api.example", False)
    return Settled(
        of, Outcome(True, result, None, spent, (done,), "committed"), ended_ms, {"tokens": 3.0}, releases
    )


def failed(
    of: Intent, code: str = "TIMEOUT", *, releases: bool = False, ended_ms: float = 1_300.0
) -> Settled:
    why = Failure(code, "TRANSIENT", "no answer", True, 250.0, ("webhook_send",), None, None)
    spent = Execution(200.0, Decimal("0.5"), of.attempt - 1)
    outcome = Outcome(False, None, why, spent, effect="unknown", next_actions=("wait",))
    return Settled(of, outcome, ended_ms, {}, releases)


def step_end(step: str = "s1", *, run: str = "r1", output: Any = None) -> StepEnd:
    return StepEnd(run, step, "succeeded", output, 1_250.0)


def run_end(run: str = "r1", status: Any = "succeeded") -> RunEnd:
    return RunEnd(run, status, 2_000.0, 900.0)


def write_run(ledger: Ledger, run: str = "r1", *, budget: str | None = "10") -> None:
    """A run that fails once, tries again, succeeds, and takes a second step."""
    ledger.begin(start(run, budget))
    first = intent(run=run)
    assert ledger.intend(first)
    ledger.settle(failed(first))
    again = intent(attempt=2, run=run, reserve=None)
    assert ledger.intend(again)
    ledger.settle(settled(again, result={"n": 1}))
    ledger.step_ended(step_end(run=run, output={"n": 1}))
    second = intent("s2", run=run, reserve="0", skill="json_transform")
    assert ledger.intend(second)
    ledger.settle(settled(second, result=[1, "two"], cost="0"))
    ledger.step_ended(step_end("s2", run=run, output=[1, "two"]))
    ledger.end(run_end(run))


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The bare database, as somebody with an editor has it."""
    with closing(connect(path, write=True)) as db:
        yield db
