"""Guesses from the plan's own samples of what an edit could give: they save simulating what can't do."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from aos.domain.forecasts.verdicts import Limits
from aos.engine.alternatives.edits import Edit
from aos.engine.alternatives.levers import Help, Lever
from aos.engine.attribution import Contributions
from aos.engine.execution.program import Program
from aos.engine.sampling.draws import Flags
from aos.engine.sampling.prices import MICRO
from aos.engine.simulate import Samples

_ROUNDING_CENTS, _ROUNDING_MS = 1e-6, 1e-6


class Guesses(NamedTuple):
    """A chunk of the plan as it is, what each step adds to it, and its figures that nobody knows.

    `open` are the step, what its unknown figure bears on, and the samples in which it runs.
    """

    chunk: Samples
    parts: Contributions
    open: tuple[tuple[int, Help, Flags], ...]
    limits: Limits

    def margin(self, *moves: tuple[Lever, Edit]) -> float:
        """How far the worst chance would be above the one asked for, below 0 if it would not.

        Of what its steps add to a sample there remains what the edit keeps; where it helps success, they never
        fail; what nobody knows of them is nothing, what nobody knows of others a miss. So an edit that keeps
        nothing can do no better. An agreement may spare all waits for slots and permits, and nothing else.
        """
        cost, time = self.chunk.cost / MICRO, self.chunk.time
        for lever, edit in moves:
            rows = list(edit.steps)
            if "cost" in lever.helps:
                cost = cost - (1 - edit.keeps) * self.parts.cost[rows].sum(axis=0)
            if "time" in lever.helps:
                time = time - (1 - edit.keeps) * self.parts.time[rows].sum(axis=0)
                for row, most in zip(rows, edit.at_most_ms, strict=False):
                    time = time - (self.parts.time[row] - most).clip(min=0)
        if any(edit.agreed for _, edit in moves):
            time = time - sum(self.parts.waits.values())
        within = ~self._still_open(moves, "cost") & ~self._still_open(moves, "time")
        if self.limits.budget_cents is not None:
            within &= cost <= float(self.limits.budget_cents) + _ROUNDING_CENTS
        if self.limits.deadline_ms is not None:
            within &= time <= self.limits.deadline_ms + _ROUNDING_MS
        return min(self.success_margin(*moves), float(within.mean()) - self.limits.confidence)

    def success_margin(self, *moves: tuple[Lever, Edit]) -> float:
        """The same for the chance of success alone."""
        mended = [step for lever, edit in moves if "success" in lever.helps for step in edit.steps]
        success = self.chunk.success | self.parts.breaks[mended].any(axis=0)
        return float((success & ~self._still_open(moves, "success")).mean()) - self.limits.min_success

    def saving(self, lever: Lever, edit: Edit) -> float:
        """The share of the cost, or if that is more, of the time, that the edit saves."""
        rows = list(edit.steps)
        shares = [
            float(parts[rows].sum() / parts.sum())
            for name, parts in (("cost", self.parts.cost), ("time", self.parts.time))
            if name in lever.helps and parts.any()
        ]
        return (1 - edit.keeps) * max(shares, default=0.0)

    def _still_open(self, moves: tuple[tuple[Lever, Edit], ...], what: Help) -> Flags:
        """Samples in which a step runs of which somebody would still have to know something."""
        found = np.zeros(len(self.chunk.time), bool)
        for step, name, ran in self.open:
            if name == what and not any(step in edit.steps and what in lever.helps for lever, edit in moves):
                found |= ran
        return found


def open_steps(program: Program, chunk: Samples) -> Iterator[tuple[int, Help, Flags]]:
    """Steps with a figure that nobody knows, what it bears on, and the samples in which the step runs."""
    assert chunk.steps is not None
    for i, (call, step) in enumerate(zip(program.calls, chunk.steps, strict=True)):
        known: dict[Help, bool] = {
            "cost": call.price is not None,
            "time": call.attempts.latency_known,
            "success": call.attempts.failures_known,
        }
        for name, is_known in known.items():
            if not (is_known and call.items.known):
                yield i, name, step.ran
