"""The joint Monte Carlo: every sample is one run of the whole plan.

Which steps run depends on outcomes alone, so a sample is drawn in three passes over the steps in order: draw
each call, decide whether it ran, put it on the clock. Without contention the passes are one loop; with it the
clock is `aos.engine.execution.contention`'s.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from aos.domain.plans.flow import Flow
from aos.engine.execution.clock import Clock
from aos.engine.execution.network import Network, Queued, Waits, can_queue
from aos.engine.execution.program import Call, Program
from aos.engine.sampling.distributions import Floats
from aos.engine.sampling.draws import (
    Draw,
    Flags,
    Node,
    Shared,
    draw,
    from_donor,
    from_run,
    open_sizes,
    overhead,
    refused,
)
from aos.engine.sampling.growth import AS_TOLD
from aos.engine.sampling.moods import REST, WHOLE, Moods
from aos.engine.sampling.prices import MICRO, Money
from aos.engine.sampling.streams import ITEMS, RECORDED_RUN, RUN_FACTOR, WAIT, Streams

T = TypeVar("T", bound=np.generic)

Handing = Mapping[int, Mapping[str, Floats]]
"""By step and feature the sizes of samples."""

CHUNK = 10_000
_CELLS = 4_000_000


class StepSamples(NamedTuple):
    """What a step did in each sample. `ran`, `ok`; `cost` in micro-cents or None where free; `items` of nodes; `waits`
    for slots and permits, None in a plan where nobody can queue.
    """

    ran: Flags
    ok: Flags
    cost: Money | None
    start: Floats
    end: Floats
    items: tuple[tuple[Node, ...], ...]
    waits: Waits | None = None

    @property
    def cents(self) -> Floats:
        return np.zeros(len(self.ran)) if self.cost is None else self.cost / MICRO

    @property
    def nodes(self) -> list[Node]:
        """The iterations of all items."""
        return [node for chain in self.items for node in chain]


class Samples(NamedTuple):
    """A chunk of samples of the whole plan. `time` is active time, `elapsed` includes waits for people.

    `cost`, `time` hold the known part; the `*_open` flags say in which samples an unknown figure adds to it.
    """

    cost: Money
    time: Floats
    elapsed: Floats
    success: Flags
    cost_open: Flags | None
    time_open: Flags | None
    success_open: Flags | None
    steps: tuple[StepSamples, ...] | None


class Simulation:
    """The samples of one program and seed, to be taken in as many goes as it needs.

    `detail` keeps what every step did in the first chunk; further ones only sharpen the totals.
    """

    def __init__(self, program: Program, seed: int, *, detail: bool = True) -> None:
        self.program = program
        self._streams = Streams(seed)
        self._detail = detail

    def take(self, samples: int, handed: Handing = MappingProxyType({})) -> Iterator[Samples]:
        """The next `samples` runs, in chunks that fit the cache.

        `handed` are sizes that take the place of those that the plan states, by step and feature, one value a sample.
        """
        size = chunk_size(self.program)
        for start in range(0, samples, size):
            count = min(size, samples - start)
            part = slice(start, start + count)
            here = {i: {name: x[part] for name, x in sizes.items()} for i, sizes in handed.items()}
            yield _Chunk(self.program, self._streams, count, self._detail, here).run()
            self._detail = False


def chunk_size(program: Program) -> int:
    """Samples drawn at once: 10,000, fewer where a plan has so many nodes that they would not fit in memory."""
    nodes = sum(call.items.most * call.step.iterations for call in program.calls)
    return min(CHUNK, max(400, _CELLS // max(1, nodes) // 4 * 4))


class _Chunk:
    """The state of one chunk while its steps are drawn in order."""

    def __init__(self, program: Program, streams: Streams, count: int, detail: bool, handed: Handing) -> None:
        self.program = program
        self.streams = streams
        self.count = count
        self.detail = detail
        self.handed = handed
        self.contended = can_queue(program)
        steps = len(program.calls)
        self.flow = Flow([call.step for call in program.calls], program.order, np.ones(count, bool))
        self.costs: list[Money | None] = [None] * steps
        self.items: list[tuple[tuple[Node, ...], ...]] = [()] * steps
        self.moods = Moods(program.shared, streams, count)
        self.factor = self._take(program.run_factor, RUN_FACTOR)
        records = program.rows or program.loans
        self.picked = self._take(records.pick, RECORDED_RUN) if records else None
        self.delays: dict[int, Floats] = {}

    def run(self) -> Samples:
        program = self.program
        clock = Clock(program, self.count, keep=self.detail)
        for i in program.order.sequence:
            ran = self.flow.decide(i)
            self.flow.end(i, self._draw(i, ran))
            if not self.contended:
                clock.place(i, self.items[i], ran, self._wait(i))
                if not self.detail:
                    self.items[i] = ()
        queued = self._queue() if self.contended else None
        starts, ends, time, waits = queued or Queued(clock.start, clock.end, clock.finish(), None)
        flow = self.flow
        steps = None
        if self.detail:
            steps = tuple(
                StepSamples(
                    flow.ran[i],
                    flow.ok[i],
                    self.costs[i],
                    starts[i],
                    ends[i],
                    self.items[i],
                    None if waits is None else waits[i],
                )
                for i in range(len(program.calls))
            )
        return Samples(
            cost=self._total_cost(),
            time=time,
            elapsed=clock.finish_elapsed() if queued is None else self._queue_with_people(queued),
            success=flow.success(),
            cost_open=self._open([c.cost_known for c in program.calls]),
            time_open=self._open([c.time_known for c in program.calls]),
            success_open=self._open([c.failures_known for c in program.calls]),
            steps=steps,
        )

    def _draw(self, i: int, ran: Flags) -> Flags:
        """Draw every item and iteration; a failed iteration ends its item, all items must succeed: whether they do."""
        call = self.program.calls[i]
        width = self._width(i)
        ok = np.ones(self.count, bool)
        nothing, unfit = self._lacks(i, ran, items=True), self._lacks(i, ran, items=False)
        if nothing is not None:
            ok &= ~nothing
        cost: Money | None = None
        items = []
        for item in range(call.items.most):
            here = ran if width is None else ran & (item < width)
            amiss = unfit
            if nothing is not None:  # what it goes over is null: the first call fails, and there is no other
                here = here & ~nothing if item else here | nothing
                amiss = nothing if unfit is None else nothing | unfit
            chain = []
            for iteration in range(call.step.iterations):
                number = item * call.step.iterations + iteration
                drawn, gap = self._node(i, number)
                if amiss is not None and call.unfit:
                    drawn = refused(drawn, amiss, call.unfit)
                chain.append(Node(drawn, here, gap))
                if drawn.cost is not None:
                    spent = drawn.cost if here.all() else drawn.cost * here
                    cost = spent if cost is None else cost + spent
                if drawn.failed.size:
                    here = here.copy()
                    lost = drawn.failed[here[drawn.failed]]
                    here[lost] = False
                    ok[lost] = False
            items.append(tuple(chain))
        self.costs[i], self.items[i] = cost, tuple(items)
        return ok

    def _lacks(self, i: int, ran: Flags, *, items: bool) -> Flags | None:
        """Where the step runs, and something that it goes over, or that it hands on, is null; None: nowhere."""
        unfit = self.program.calls[i].unfit
        found = [read.source for read in unfit.reads if read.items is items] if unfit else []
        lacks = [ran & ~self.flow.gave(source) for source in found]
        lost = np.logical_or.reduce(lacks) if lacks else None
        return lost if lost is not None and lost.any() else None

    def _width(self, i: int) -> Floats | None:
        call = self.program.calls[i]
        if call.items.table is None:
            return None
        return call.items.table.take(self.streams.indices(self.count, call.stream, ITEMS))

    def _node(self, i: int, number: int) -> tuple[Draw, Floats | None]:
        """One invocation, and what passes before it starts."""
        program, call = self.program, self.program.calls[i]
        if program.rows is not None and self.picked is not None:
            return from_run(program.rows, i, self.picked, Shared(factor=self.factor))
        if program.loans is not None and self.picked is not None:
            return from_donor(program.loans, call, self.streams, self.picked, Shared(factor=self.factor))
        shared = Shared(*self.moods.of(call.group, REST if call.sized else WHOLE), self.factor)
        sizes = {**self.handed.get(i, {}), **open_sizes(call, self.streams, number, self.count, self.moods)}
        scale = call.handed.scale(sizes) if call.handed and sizes else AS_TOLD
        drawn = draw(call, self.streams, number, self.count, shared, scale)
        return drawn, self._gap(call, number, overhead(call, self.streams, number, self.count, shared))

    def _gap(self, call: Call, number: int, gap: Floats | None) -> Floats | None:
        """The overhead, and for the first iteration of a sibling of a fan-out its delay."""
        item, iteration = divmod(number, call.step.iterations)
        if call.late is None or iteration:
            return gap
        if call.group not in self.delays:
            self.delays[call.group] = call.late.draw(self.streams, self.count)
        delay: Floats = self.delays[call.group] * call.late.shares[call.sibling + item]
        return delay if gap is None else gap + delay

    def _wait(self, i: int) -> Floats | None:
        call = self.program.calls[i]
        if call.wait is None:
            return None
        return call.wait.take(self.streams.indices(self.count, call.stream, WAIT))

    def _take(self, table: NDArray[T] | None, stream: int) -> NDArray[T] | None:
        return None if table is None else table.take(self.streams.indices(self.count, stream))

    def _total_cost(self) -> Money:
        total = np.zeros(self.count, np.int64)
        for cost in self.costs:
            if cost is not None:
                total += cost
        return total

    def _open(self, known: list[bool]) -> Flags | None:
        """Samples in which a step runs whose figure nobody knows."""
        found = None
        for i, told in enumerate(known):
            if not told:
                found = self.flow.ran[i] if found is None else found | self.flow.ran[i]
        return found

    def _queue(self) -> Queued:
        """The clock under contention: all nodes at once, first come first served."""
        net = Network(self.program, self.items, self.flow.ran)
        return net.run(self.count, [None] * len(self.items), tell_waits=self.detail)

    def _queue_with_people(self, without: Queued) -> Floats:
        """When the plan ends where steps also wait for people."""
        if not any(call.wait is not None for call in self.program.calls):
            return without.finish
        net = Network(self.program, self.items, self.flow.ran)
        return net.run(self.count, [self._wait(i) for i in range(len(self.items))]).finish
