"""The plan as a network of nodes that may queue for slots and permits."""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.engine.execution.contention import contended, schedule
from aos.engine.execution.program import Program
from aos.engine.sampling.distributions import Floats
from aos.engine.sampling.draws import Flags, Node


class Waits(NamedTuple):
    """Of the item of a step that ended `last` in each sample (its number): ms that it waited for slots and permits.

    Of all its items together: ms that they were `busy`, and `held` up by the rate limit with a slot in their hands.
    """

    last: NDArray[np.intp]
    slots: Floats
    permits: Floats
    busy: Floats
    held: Floats


class Queued(NamedTuple):
    """When each step starts and ends, when the plan does; `waits` by step where somebody asked for them."""

    starts: list[Floats]
    ends: list[Floats]
    finish: Floats
    waits: list[Waits] | None


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
        self.chains: dict[int, list[list[int]]] = {}
        self.join: dict[int, int] = {}
        for i in program.order.sequence:
            self._add_step(i, items[i])

    def _add_step(self, i: int, items: tuple[tuple[Node, ...], ...]) -> None:
        before = tuple(self.join[b] for b in self.program.order.waits_for[i])
        self.chains[i] = []
        last: list[int] = []
        for chain in items:
            ahead = before
            self.chains[i].append([])
            for node in chain:
                ahead = (self._add(node, i, ahead),)
                self.chains[i][-1] += ahead
            last += ahead
        self.join[i] = last[0] if len(last) == 1 and items else self._add(None, i, (*before, *last))

    def _add(self, node: Node | None, step: int, after: tuple[int, ...]) -> int:
        self.nodes.append(node)
        self.owner.append(step)
        self.after.append(after)
        return len(self.nodes) - 1

    def run(self, count: int, waits: list[Floats | None], *, tell_waits: bool = False) -> Queued:
        shape = (len(self.nodes), count)
        gap, hold, active = np.zeros(shape), np.zeros(shape), np.zeros(shape, bool)
        permits = np.ones(shape, np.int64)
        firsts = {chain[0] for chains in self.chains.values() for chain in chains}
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
        gap *= active
        calls = [self.program.calls[i] for i in self.owner]
        pool = [c.pool if node else -1 for c, node in zip(calls, self.nodes, strict=True)]
        limiter = [c.limiter if node else -1 for c, node in zip(calls, self.nodes, strict=True)]
        pools, limiters = self.program.pools, self.program.limiters
        granted = np.empty(shape) if tell_waits else None
        start, end = schedule(self.after, gap, hold, active, pool, pools, limiter, limiters, permits, granted)
        steps = range(len(self.program.calls))
        heads = ([chain[0] for chain in self.chains[i]] or [self.join[i]] for i in steps)
        return Queued(
            starts=[start[nodes].min(axis=0) for nodes in heads],
            ends=[end[self.join[i]] for i in steps],
            finish=end.max(axis=0),
            waits=None if granted is None else [self._waits(i, gap, start, end, granted) for i in steps],
        )

    def _waits(self, i: int, gap: Floats, start: Floats, end: Floats, granted: Floats) -> Waits:
        call, chains = self.program.calls[i], self.chains[i]
        last = np.zeros(end.shape[1], np.intp)
        if len(chains) > 1:
            last = end[[chain[-1] for chain in chains]].argmax(axis=0)
        found = Waits(last, *np.zeros((4, len(last))))
        if not chains or (call.pool < 0 and call.limiter < 0):
            return found
        ready = end[list(self.after[chains[0][0]])].max(axis=0, initial=0.0)
        for number, chain in enumerate(chains):
            mine = last == number
            for before, node in pairwise((-1, *chain)):
                held = start[node] - granted[node]
                np.add(found.held, held, out=found.held)
                np.add(found.busy, end[node] - start[node], out=found.busy)
                np.add(found.permits, held, out=found.permits, where=mine)
                waited = granted[node] - (ready if before < 0 else end[before]) - gap[node]
                np.add(found.slots, waited, out=found.slots, where=mine)
        return found


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
