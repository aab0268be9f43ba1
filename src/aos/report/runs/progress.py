"""A run in progress, in lines: what just happened, and how far it has got."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from aos.domain.runs.happenings import AttemptEnded, Happening, Retrying, RunEnded, RunStarted, StepEnded
from aos.domain.runs.run import RunStart
from aos.report.figures import cents, count, duration, money
from aos.wire.problems import visible

__all__ = ["Progress"]


class Progress:
    """Told what happens, in order, it says it in a line; `standing` is how far the run has got."""

    def __init__(self) -> None:
        self._start: RunStart | None = None
        self._estimates: Mapping[str, Mapping[str, Any]] = {}
        self._ended: set[str] = set()
        self._failed: str = ""  # the line of a failed attempt waits: it may be tried again
        self._attempts = 0
        self._spent = Decimal(0)
        self._unknown = 0  # attempts whose cost nobody knows
        self._now = 0.0
        self.over = False

    def add(self, happening: Happening) -> list[str]:
        """What there is to say of it: no line, or some."""
        self._now = happening.at_ms
        held, self._failed = self._failed, ""
        match happening:
            case Retrying(at_ms, _, _, due_ms):
                return [f"{held}, again in {duration(max(0.0, due_ms - at_ms))}"]
            case RunStarted(_, start, past):
                self._start = start
                if past:
                    self._ended, self._attempts = set(past.steps), len(past.attempts)
                    self._spent, self._unknown = past.money.spent, past.money.unknown
                told = start.simulation.get("step_estimates", ()) if start.simulation else ()
                self._estimates = {estimate["id"]: estimate for estimate in told}
                which = f", try {past.tries:,}" if past and past.tries > 1 else ""
                return [f"{'resumed' if past else 'running'} as {start.id}{which}"]
            case AttemptEnded():
                line = self._attempt(happening)
                if happening.outcome.failure:
                    self._failed = line
                    return [held] if held else []
                return [held, line] if held else [line]
            case StepEnded(_, _, step, outcome):
                self._ended.add(step)
                skipped = [f"{_cell(step, 12)} skipped"] if outcome == "skipped" else []
                return [held, *skipped] if held else skipped
            case RunEnded():
                self.over = True
        return [held] if held else []

    def standing(self) -> str:
        """`2 of 3 steps, 4 attempts, 0c of 100c ($1.00), about 1.2 s left`."""
        budget = self._start.budget_cents if self._start else None
        parts = [
            f"{len(self._ended)} of {count(len(self._estimates), 'step')}",
            count(self._attempts, "attempt"),
            cents(self._spent) + (f" of {money(budget)}" if budget is not None else ""),
        ]
        if self._unknown:
            parts.append(f"{count(self._unknown, 'attempt')} of unknown cost")
        left = self._left()
        return ", ".join(parts) + (f", about {duration(left)} left" if left else "")

    def _left(self) -> float | None:
        """Typically: from the first start to the last end of the steps that have not ended; None: nobody knows."""
        open_steps = [e for name, e in self._estimates.items() if name not in self._ended]
        starts = [e["typical_start_ms"] for e in open_steps if e["typical_start_ms"] is not None]
        times = [
            e["typical_start_ms"] + e["typical_duration_ms"]
            for e in open_steps
            if e["typical_start_ms"] is not None and e["typical_duration_ms"] is not None
        ]
        return max(times) - min(starts) if times else None

    def _attempt(self, happening: AttemptEnded) -> str:
        intent, outcome = happening.intent, happening.outcome
        self._attempts += 1
        self._spent += outcome.execution.cost_cents or 0
        self._unknown += outcome.execution.cost_cents is None
        took, cost = duration(outcome.execution.latency_ms), outcome.execution.cost_cents
        head = f"{_cell(str(intent.place), 12)} {_cell(intent.skill, 16)}"
        if outcome.failure:
            return f"{head} {visible(outcome.failure.code)} after {took}"
        price = f", {cents(cost)}" if cost else "" if cost is not None else ", cost unknown"
        return f"{head} ok in {took}{price}"


def _cell(text: str, width: int) -> str:
    shown = visible(text, 2 * width)
    return shown.ljust(width)
