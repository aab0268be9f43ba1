"""The plan as a network of nodes that may queue for slots and permits."""

from collections.abc import Mapping

import numpy as np

from aos.engine.execution.contention import contended, schedule
from aos.engine.execution.program import Program
from aos.engine.sampling.distributions import Floats
from aos.engine.sampling.draws import Flags, Node


class Network:
    """The plan's nodes as `contention.schedule` wants them; steps of several nodes end in a join of no length."""

    def __init__(
        self, program: Program, items: list[tuple[tuple[Node, ...], ...]], ran: Mapping[int, Flags]
    ) -> None:
        self.program = program
        self.ran = ran
        self.nodes: list[Node | None] = []
        self.owner: list[int] = []
        self.after: list[tuple[int, ...]] = []
        self.first: dict[int, list[int]] = {}
        self.join: dict[int, int] = {}
        for i in program.order.sequence:
            self._add_step(i, items[i])

    def _add_step(self, i: int, items: tuple[tuple[Node, ...], ...]) -> None:
        before = tuple(self.join[b] for b in self.program.order.waits_for[i])
        self.first[i] = []
        last: list[int] = []
        for chain in items:
            ahead = before
            for node in chain:
                if ahead is before:
                    self.first[i].append(len(self.nodes))
                ahead = (self._add(node, i, ahead),)
            last += ahead
        self.join[i] = last[0] if len(last) == 1 and items else self._add(None, i, (*before, *last))

    def _add(self, node: Node | None, step: int, after: tuple[int, ...]) -> int:
        self.nodes.append(node)
        self.owner.append(step)
        self.after.append(after)
        return len(self.nodes) - 1

    def run(self, count: int, waits: list[Floats | None]) -> tuple[list[Floats], list[Floats], Floats]:
        shape = (len(self.nodes), count)
        gap, hold, active = np.zeros(shape), np.zeros(shape), np.zeros(shape, bool)
        permits = np.ones(shape, np.int64)
        firsts = {n for heads in self.first.values() for n in heads}
        for n, node in enumerate(self.nodes):
            if node is None:
                continue
            hold[n], active[n] = node.draw.time, node.ran
            if node.gap is not None:
                gap[n] = node.gap
            wait = waits[self.owner[n]]
            if wait is not None and n in firsts:
                gap[n] += wait
            permits[n] = node.draw.attempts()
        calls = [self.program.calls[i] for i in self.owner]
        pool = [c.pool if node else -1 for c, node in zip(calls, self.nodes, strict=True)]
        limiter = [c.limiter if node else -1 for c, node in zip(calls, self.nodes, strict=True)]
        start, end = schedule(
            self.after, gap, hold, active, pool, self.program.pools, limiter, self.program.limiters, permits
        )
        starts, ends = [], []
        for i in range(len(self.program.calls)):
            heads = self.first[i] or [self.join[i]]
            starts.append(start[heads].min(axis=0))
            ends.append(end[self.join[i]])
        return starts, ends, end.max(axis=0)


def can_queue(program: Program) -> bool:
    """Whether anybody can queue at all."""
    after: list[tuple[int, ...]] = []
    pool, limiter, permits = [], [], []
    position: dict[int, list[int]] = {}
    for i in program.order.sequence:
        call = program.calls[i]
        before = tuple(n for b in program.order.waits_for[i] for n in position[b])
        position[i] = []
        for _ in range(call.items.most):
            position[i].append(len(after))
            after.append(before)
            pool.append(call.pool)
            limiter.append(call.limiter)
            permits.append(call.retry.max_attempts * call.step.iterations)
    return contended(after, pool, program.pools, limiter, program.limiters, permits)
