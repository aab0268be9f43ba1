"""A journal in memory: for embedding, where a run needs no record, and for tests."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from aos.domain.plans.flow import too_dear
from aos.domain.runs.recorded import Attempted, PastFailures, RunState, left_of
from aos.domain.runs.run import GoAhead, Intent, Money, Place, RunEnd, RunStart, RunStatus, Settled, StepEnd
from aos.errors import AosError

__all__ = ["Memory"]


class Memory:
    """Keeps the runs of one process, as `aos.runtime.journal.Journal` and `resume` ask for it."""

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}

    def begin(self, start: RunStart) -> None:
        """A new run."""
        self._runs[start.id] = _Run(start)

    def intend(self, *intents: Intent) -> bool:
        """Set the reserves aside, if all are within the budget."""
        run = self._runs[intents[0].run]
        budget, held = run.start.budget_cents, run.spent + sum(run.reserved.values())
        for intent in intents:
            ask = intent.reserve_cents or Decimal(0)
            if budget is not None and too_dear(ask, held, budget):
                return False
            held += ask
        for intent in intents:
            step, ask = intent.place.step, intent.reserve_cents or Decimal(0)
            run.attempts[intent.place, intent.attempt] = Attempted(intent, None, None, of_try=run.tries)
            run.reserved[step] = run.reserved.get(step, Decimal(0)) + ask
        return True

    def note(self, *intents: Intent) -> None:
        """Attempts that are free are always within the budget."""
        self.intend(*intents)

    def settle(self, settled: Settled) -> None:
        """Book what the attempt cost."""
        run, intent = self._runs[settled.intent.run], settled.intent
        at = intent.place, intent.attempt
        run.attempts[at] = run.attempts[at]._replace(outcome=settled.outcome, ended_ms=settled.ended_ms)
        cost = settled.outcome.execution.cost_cents
        run.spent += cost or 0
        run.unknown += cost is None
        if end := settled.step_end:
            run.steps[end.step] = end
        if settled.releases:
            run.reserved.pop(intent.place.step, None)

    def step_ended(self, end: StepEnd) -> None:
        """What the step had set aside is free again."""
        self._runs[end.run].steps[end.step] = end
        self._runs[end.run].reserved.pop(end.step, None)

    def flush(self) -> None:
        """Nothing waits here."""

    def approve(self, yes: GoAhead) -> None:
        """The step has its go-ahead."""
        self._runs[yes.run].approved.add(yes.step)

    def end(self, end: RunEnd) -> None:
        """The run ended or pauses."""
        self._runs[end.run].end = end
        self._runs[end.run].status = end.status

    def money(self, run: str) -> Money:
        """Budget, spent and reserved."""
        found = self._runs[run]
        unseen = sum(one.outcome is None for one in found.attempts.values())
        unknown = found.unknown + (0 if found.status == "running" else unseen)
        return Money(found.start.budget_cents, found.spent, sum(found.reserved.values(), Decimal(0)), unknown)

    def state(self, run: str) -> RunState:
        """The run as far as it went. Raises AosError(run_not_found)."""
        if run not in self._runs:
            raise AosError("run_not_found", f'there is no run "{run}"')
        found = self._runs[run]
        active = 0.0 if found.end is None else found.end.active_ms
        attempts = tuple(found.attempts.values())
        return RunState(
            found.start,
            found.status,
            attempts,
            dict(found.steps),
            self.money(run),
            active,
            found.end,
            frozenset(found.approved),
            found.tries,
            found.again,
        )

    def past_failures(self, skill: str, code: str) -> PastFailures:
        """How often the skill failed with the code, and the share of those calls that succeeded in the end."""
        mine = [a for run in self._runs.values() for a in run.attempts.values() if a.intent.skill == skill]
        met = {
            (a.intent.run, a.intent.place)
            for a in mine
            if a.outcome and a.outcome.failure and a.outcome.failure.code == code
        }
        seen = sum(bool(a.outcome and a.outcome.failure and a.outcome.failure.code == code) for a in mine)
        good = {(a.intent.run, a.intent.place) for a in mine if a.outcome and a.outcome.success}
        return PastFailures(seen, len(met & good) / len(met) if met else None)

    def resume(
        self,
        run: str,
        at_ms: float,
        budget_cents: Decimal | None,
        approval: Mapping[str, Any] | None = None,
        again: Sequence[str] | None = None,
    ) -> RunState:
        """Go on with a run that has not ended, or try the steps in `again` once more, by a new `approval`.

        Raises AosError: run_not_found, run_conflict.
        """
        status = self.state(run).status
        if status == "succeeded" or (status == "failed" and again is None):
            raise AosError("run_conflict", f"run {run} has {status}")
        found = self._runs[run]
        found.start = found.start.resumed(budget_cents, approval)
        found.status = "running"
        if again is not None:
            found.tries, found.again = found.tries + 1, frozenset(again)
            found.steps = dict(left_of(found.steps, found.again))
        return self.state(run)

    def score(self, run: str, score: Mapping[str, Any]) -> None:
        """Keep how the run's forecast did."""
        self._runs[run].score = score


class _Run:
    def __init__(self, start: RunStart) -> None:
        self.start = start
        self.status: RunStatus = "running"
        self.attempts: dict[tuple[Place, int], Attempted] = {}
        self.steps: dict[str, StepEnd] = {}
        self.approved: set[str] = set()
        self.reserved: dict[str, Decimal] = {}
        self.spent = Decimal(0)
        self.unknown = 0
        self.tries = 1
        self.again: frozenset[str] = frozenset()
        self.end: RunEnd | None = None
        self.score: Mapping[str, Any] | None = None
