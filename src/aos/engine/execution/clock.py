"""The clock where nobody queues: a step starts when the last one before it ends."""

import numpy as np

from aos.engine.execution.program import Program
from aos.engine.sampling.distributions import Floats
from aos.engine.sampling.draws import Flags, Node


class Clock:
    """Start and end (ms) of each step; `keep` holds on to all of them, else only those still looked at."""

    def __init__(self, program: Program, count: int, keep: bool) -> None:
        self.program = program
        self.count = count
        self.start: list[Floats] = [np.empty(0)] * len(program.calls)
        self.end: list[Floats] = [np.empty(0)] * len(program.calls)
        self.elapsed: list[Floats] | None = None
        if any(call.wait is not None for call in program.calls):
            self.elapsed = [np.empty(0)] * len(program.calls)
        self.last_use = {} if keep else _last_uses(program)
        self.finish_time = np.zeros(count)
        self.finish_elapsed_time = np.zeros(count)

    def place(self, i: int, items: tuple[tuple[Node, ...], ...], ran: Flags, wait: Floats | None) -> None:
        before = self.program.order.waits_for[i]
        self.start[i] = self._latest(self.end, before)
        self.end[i] = _ends(self.start[i], items)
        np.maximum(self.finish_time, self.end[i], out=self.finish_time)
        if self.elapsed is not None:
            start = self._latest(self.elapsed, before)
            self.elapsed[i] = _ends(start if wait is None else start + wait * ran, items)
            np.maximum(self.finish_elapsed_time, self.elapsed[i], out=self.finish_elapsed_time)
        for done in self.last_use.get(i, ()):
            self.end[done] = np.empty(0)

    def finish(self) -> Floats:
        return self.finish_time

    def finish_elapsed(self) -> Floats:
        return self.finish_time if self.elapsed is None else self.finish_elapsed_time

    def _latest(self, ends: list[Floats], before: tuple[int, ...]) -> Floats:
        if not before:
            return np.zeros(self.count)
        latest = ends[before[0]]
        for other in before[1:]:
            latest = np.maximum(latest, ends[other])
        return latest


def _last_uses(program: Program) -> dict[int, list[int]]:
    """For each step the steps whose ends nobody looks at after it."""
    last: dict[int, int] = {}
    for i in program.order.sequence:
        for before in program.order.waits_for[i]:
            last[before] = i
    uses: dict[int, list[int]] = {}
    for step, user in last.items():
        uses.setdefault(user, []).append(step)
    return uses


def _ends(start: Floats, items: tuple[tuple[Node, ...], ...]) -> Floats:
    """The end of a step whose items start together, each a chain of iterations."""
    end = start
    for chain in items:
        at = start
        for node in chain:
            took = node.draw.time if node.gap is None else node.draw.time + node.gap
            at = at + (took if node.ran.all() else took * node.ran)
        end = at if len(items) == 1 else np.maximum(end, at)
    return end
