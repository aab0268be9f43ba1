"""First come, first served: when each node of a plan starts where nodes queue for slots and for permits.

The rules, in each sample on its own:

- A node is ready at the latest end of its predecessors (0 for a root) plus its gap. It ends `hold` after its
start. - A node of a pool joins the pool's queue when it is ready. A free slot goes to the head of the queue;
the node keeps
  it until it ends.
- A node of a limiter asks it when it is ready, or, where it also has a pool, when it gets its slot. The
answer comes
  at once: the instant from which it may start. It keeps its slot until then, and nobody overtakes it at the
  limiter.
- Queues are in order of readiness; of nodes ready at the same instant the lower number is first. Of services
that
  are possible at the same instant, that of the node which was ready first is first, then that of the lower
  number.
- An inactive node takes no time, no slot and no permit: it starts and ends when its last predecessor ends.

The limiter is the generic cell rate algorithm (ITU-T I.371): it knows the instant `due` at which its bucket
is full again. A node that asks at t starts at max(t, due - (burst - 1) * interval); its n permits then move
`due` to max(due, start) + n * interval.

How it is fast: all samples of a chunk advance together, each serving its next node in every round. The next
node is found with one minimum, because everything that decides is in one integer, the node's key; from the
top bits down

    predecessors not yet served | ready, in ticks | the node's number

so the smallest key of a sample is that of the node to serve, and a served predecessor is one subtraction
from the top bits. Whole ticks of a microsecond make sums exact: 0.1 + 0.2 and 0.3 ms are a tie, in whatever
order they are added.
"""

from collections.abc import Sequence
from functools import reduce
from itertools import accumulate, chain, pairwise
from operator import or_
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Limit = tuple[float, int]

_TICKS_PER_MS = 1000.0
_KEY_BITS = 63
_SERVED = 2**_KEY_BITS - 1  # greater than the key of any node still to serve
_CELLS = 2**17  # nodes x samples of a chunk: its arrays of 8 bytes a cell stay close to the cache of one core
_FEWEST, _MOST = 256, 4096  # samples of a chunk: with fewer the calls of numpy dominate, with more nothing is gained


def schedule(
    after: Sequence[Sequence[int]],
    gap: FloatArray,
    hold: FloatArray,
    active: BoolArray | None,
    pool: Sequence[int],
    slots: Sequence[int],
    limiter: Sequence[int],
    limits: Sequence[Limit],
    starts: IntArray | None,
) -> tuple[FloatArray, FloatArray]:
    """Start and end of every node, in ms, each of shape (nodes, samples).

    Nodes are in topological order: `after[i]` lists the predecessors of i, all lower than i. `gap` (from the last
    predecessor's end to readiness) and `hold` (all attempts and the waits between them) are in ms, finite, not
    negative, and rounded to microseconds; every array is of shape (nodes, samples). `active` None: all are. `pool[i]`
    is an index into `slots` or -1, `limiter[i]` one into `limits`, pairs of (interval in ms, burst >= 1), or -1.
    `starts` is the number of permits each node uses, at least 1 where it is active; None: 1.

    A plan whose times add up to decades gets coarser ticks. Raises ValueError where a time is not finite.
    """
    nodes, samples = hold.shape
    permits = [1] * nodes if starts is None else starts.max(axis=1, initial=1).tolist()
    graph = _Graph.build(after, pool, slots, limiter, limits, permits)
    scale = _Scale.build(graph, gap, hold, permits)
    start, end = np.empty(hold.shape), np.empty(hold.shape)
    size = min(max(_CELLS // max(nodes, 1), _FEWEST), _MOST, samples)
    chunk = _Chunk(graph, scale, size)
    for first in range(0, samples, max(size, 1)):
        part = np.s_[:, min(first, samples - size) :][...]
    return start, end


def contended(
    after: Sequence[Sequence[int]],
    pool: Sequence[int],
    slots: Sequence[int],
    limiter: Sequence[int],
    limits: Sequence[Limit],
    max_permits: Sequence[int],
) -> bool:
    """Whether any node might have to wait for a slot or a permit; False is certain.

    `max_permits` is the most permits each node can use; the rest is as in `schedule`.
    """
    return bool(_tight_pools(_ancestors(after), pool, slots) or _tight_limiters(limiter, limits, max_permits))


def _ancestors(after: Sequence[Sequence[int]]) -> list[int]:
    """All that must end before each node starts: bit j of the i-th number is set where j is an ancestor of i."""
    ancestors: list[int] = []
    for before in after:
        ancestors.append(reduce(lambda seen, node: seen | ancestors[node] | 1 << node, before, 0))
    return ancestors


def _tight_pools(ancestors: list[int], pool: Sequence[int], slots: Sequence[int]) -> list[int]:
    """The pools of which more nodes than there are slots might run at once."""
    members: dict[int, list[int]] = {}
    for node, number in enumerate(pool):
        members.setdefault(number, []).append(node)
    return [p for p in range(len(slots)) if not _fit(members.get(p, []), slots[p], ancestors)]


def _fit(nodes: list[int], slots: int, ancestors: list[int]) -> bool:
    """Whether the nodes can be laid out in as many chains as there are slots, so that no two of a chain overlap.

    Greedy, first chain that fits: it may need more chains than the fewest possible (Dilworth 1950), never less.
    """
    chains: list[int] = []
    for node in nodes:
        for number, last in enumerate(chains):
            if ancestors[node] >> last & 1:
                chains[number] = node
                break
        else:
            chains.append(node)
            if len(chains) > slots:
                return False
    return True


def _tight_limiters(limiter: Sequence[int], limits: Sequence[Limit], permits: Sequence[int]) -> list[int]:
    """The limiters whose nodes might use more permits than one burst gives."""
    used = [0] * (len(limits) + 1)
    for number, most in zip(limiter, permits, strict=True):
        used[number] += most
    return [n for n, (interval, burst) in enumerate(limits) if interval > 0 and used[n] > burst]


class _Graph(NamedTuple):
    """What is the same in all samples. Pools and limiters that nobody ever waits for are left out.

    Only the `core` is served event by event: nodes that may queue, and those between two such. What comes `ahead` has
    nobody before it who queues, what comes `behind` nobody after it.
    """

    after: list[list[int]]  # without edges that a longer way makes superfluous
    ahead: list[int]
    core: list[int]
    behind: list[int]
    missing: list[int]  # number of predecessors in the core
    fan: IntArray  # number of successors in the core ...
    first: IntArray  # ... and where they begin in:
    successor: IntArray
    pool: IntArray
    slots: list[int]
    limiter: IntArray
    limits: list[Limit]
    crossed: bool  # nodes come to one limiter from several queues

    @classmethod
    def build(
        cls,
        after: Sequence[Sequence[int]],
        pool: Sequence[int],
        slots: Sequence[int],
        limiter: Sequence[int],
        limits: Sequence[Limit],
        permits: Sequence[int],
    ) -> "_Graph":
        ancestors = _ancestors(after)
        pools = _tight_pools(ancestors, pool, slots)
        limiters = _tight_limiters(limiter, limits, permits)
        pool = [pools.index(p) if p in pools else -1 for p in pool]
        limiter = [limiters.index(n) if n in limiters else -1 for n in limiter]
        queueing = [i for i in range(len(after)) if pool[i] >= 0 or limiter[i] >= 0]
        ahead, core, behind = _split(ancestors, queueing)
        after = [_direct(before, ancestors) for before in after]
        inside = set(core)
        successors: list[list[int]] = [[] for _ in after]
        for node in core:
            for before in inside.intersection(after[node]):
                successors[before].append(node)
        fan = [len(s) for s in successors]
        ways = {(limiter[i], pool[i]) for i in queueing if limiter[i] >= 0}
        return cls(
            after,
            ahead,
            core,
            behind,
            [len(inside.intersection(before)) for before in after],
            np.array(fan, np.int64),
            np.array([0, *accumulate(fan)][: len(after)], np.int64),
            np.array([*chain.from_iterable(successors)], np.int64),
            np.array(pool, np.int64),
            [slots[p] for p in pools],
            np.array(limiter, np.int64),
            [limits[n] for n in limiters],
            len(ways) > len({number for number, _ in ways}),
        )


def _split(ancestors: list[int], queueing: list[int]) -> tuple[list[int], list[int], list[int]]:
    """The nodes ahead of all queues, those in and between queues, and those behind."""
    queues = sum(1 << node for node in queueing)
    leads = reduce(or_, (ancestors[node] for node in queueing), 0) | queues
    ahead, core, behind = [], [], []
    for node, above in enumerate(ancestors):
        if not (above & queues or queues >> node & 1):
            ahead.append(node)
        elif leads >> node & 1:
            core.append(node)
        else:
            behind.append(node)
    return ahead, core, behind


def _direct(before: Sequence[int], ancestors: list[int]) -> list[int]:
    """The predecessors without those that are ancestors of another one: they ended long ago."""
    indirect = reduce(or_, (ancestors[node] for node in before), 0)
    return sorted({node for node in before if not indirect >> node & 1})


class _Scale(NamedTuple):
    """How milliseconds are written in a key: whole ticks, above `node_bits` bits for the node's number."""

    per_ms: float
    node_bits: int
    one_missing: int  # what one predecessor not yet served adds to a key; greater than any time

    @classmethod
    def build(cls, graph: _Graph, gap: FloatArray, hold: FloatArray, permits: list[int]) -> "_Scale":
        node_bits = max(len(graph.after) - 1, 0).bit_length()
        time_bits = _KEY_BITS - max(graph.missing, default=0).bit_length()
        longest = sum((gap.max(axis=1, initial=0) + hold.max(axis=1, initial=0)).tolist())
        for number, most in zip(graph.limiter, permits, strict=True):
            longest += graph.limits[number][0] * most if number >= 0 else 0
        if not longest < float("inf"):
            raise ValueError("times must be finite")
        ticks_per_ms = _TICKS_PER_MS
        while longest * ticks_per_ms >= 2.0 ** min(time_bits - node_bits - 1, 52):  # half is left for rounding
            ticks_per_ms /= 10
        return cls(ticks_per_ms, node_bits, 1 << min(time_bits, _KEY_BITS - 1))

    def from_ms(self, ms: FloatArray) -> IntArray:
        ticks = ms * self.per_ms
        np.rint(ticks, out=ticks)
        ticks *= 1 << self.node_bits
        return ticks.astype(np.int64)

    def to_ms(self, time: IntArray, out: FloatArray) -> None:
        np.divide(time, self.per_ms * (1 << self.node_bits), out=out)


class _Pool:
    """One pool in all samples of a chunk: the instants at which its slots come free, soonest first."""

    def __init__(self, slots: int, samples: int) -> None:
        self.free = np.zeros((slots, samples), np.int64)

    def grant(self, mine: BoolArray, at: IntArray) -> IntArray:
        return np.where(mine, np.maximum(at, self.free[0]), at)

    def occupy(self, mine: BoolArray, until: IntArray) -> None:
        moved = np.where(mine, until, self.free[0])
        for lower, upper in pairwise(self.free):  # takes the first out and sorts `moved` in
            np.minimum(upper, moved, out=lower)
            moved = np.maximum(upper, moved)
        self.free[-1] = moved


class _Limiter:
    """One limiter in all samples of a chunk."""

    def __init__(self, interval: int, burst: int, samples: int) -> None:
        self.interval = interval
        self.tolerance = min((burst - 1) * interval, _SERVED)
        self.due = np.zeros(samples, np.int64)

    def admit(self, mine: BoolArray, at: IntArray, permits: IntArray | int) -> IntArray:
        start = np.where(mine, np.maximum(at, self.due - self.tolerance), at)
        self.due = np.where(mine, np.maximum(self.due, start) + permits * self.interval, self.due)
        return start


class _Chunk:
    """Some samples, served together. All times are in the ticks of `scale`."""

    def __init__(
        self,
        graph: _Graph,
        scale: _Scale,
        gap: FloatArray,
        hold: FloatArray,
        active: BoolArray | None,
        permits: IntArray | None,
    ) -> None:
        self.graph, self.scale = graph, scale
        self.gap, self.hold = scale.from_ms(gap), scale.from_ms(hold)
        self.active = None if active is None else np.ascontiguousarray(active)
        if active is not None:
            self.gap *= active
            self.hold *= active
        self.permits = None if permits is None else np.ascontiguousarray(permits)
        self.start, self.end = np.empty_like(self.hold), np.empty_like(self.hold)
        self.samples = hold.shape[1]
        self.pools = [_Pool(slots, self.samples) for slots in graph.slots]
        intervals = scale.from_ms(np.array([interval for interval, _ in graph.limits])).tolist()
        self.limiters = [
            _Limiter(interval, burst, self.samples)
            for interval, (_, burst) in zip(intervals, graph.limits, strict=True)
        ]

    def run(self) -> None:
        self._follow(self.graph.ahead)
        self._serve()
        self._follow(self.graph.behind)

    def _follow(self, nodes: list[int]) -> None:
        """Nodes that never queue start when they are ready."""
        for node in nodes:
            np.add(self._latest_end(self.graph.after[node]), self.gap[node], out=self.start[node])
            np.add(self.start[node], self.hold[node], out=self.end[node])

    def _latest_end(self, nodes: list[int]) -> IntArray:
        latest: IntArray = self.end[nodes].max(axis=0, initial=0)
        return latest

    def _serve(self) -> None:
        """Serve the core: in every round the next node of each sample."""
        self._make_keys()
        keys, starts = self.keys.reshape(-1), self.start.reshape(-1)
        for _ in self.graph.core:
            key = self._next()
            node = key & ((1 << self.scale.node_bits) - 1)
            cell = node * self.samples + self.sample
            start, end = self._place(node, cell, key - node)
            starts[cell] = start
            keys[cell] = _SERVED
            self._release(node, end)
        core = self.graph.core
        self.end[core] = self.start[core] + self.hold[core]

    def _make_keys(self) -> None:
        """A key for each node and sample. Outside rows `low` to `high` there is nobody to serve at the moment."""
        graph = self.graph
        self.sample = np.arange(self.samples)
        self.keys = np.full(self.hold.shape, _SERVED)
        inside = set(graph.core)
        for node in graph.core:
            ready = self._latest_end([p for p in graph.after[node] if p not in inside]) + self.gap[node]
            self.keys[node] = ready + (graph.missing[node] * self.scale.one_missing + node)
        self.low = min(graph.core, default=0)
        self.high = 1 + max((node for node in graph.core if not graph.missing[node]), default=0)

    def _next(self) -> IntArray:
        """The key of the node to serve next in each sample."""
        while self.keys[self.low].min() == _SERVED:
            self.low += 1
        keys = self.keys[self.low : self.high]
        if not self.graph.crossed:
            return keys.min(axis=0)
        # Who is ready first need not be first at a limiter: another queue may be quicker. So: whose turn comes first?
        free = np.stack([*(pool.free[0] for pool in self.pools), np.zeros_like(self.sample)])
        wait = free[self.graph.pool[self.low : self.high]]
        if self.active is not None:
            wait *= self.active[self.low : self.high]
        turn = np.maximum(keys, wait) >> self.scale.node_bits
        return np.where(turn == turn.min(axis=0), keys, _SERVED).min(axis=0)

    def _place(self, node: IntArray, cell: IntArray, ready: IntArray) -> tuple[IntArray, IntArray]:
        """Start and end of one node per sample, with its slot and its permits taken."""
        pool, limiter = self.graph.pool.take(node), self.graph.limiter.take(node)
        if self.active is not None:
            idle = ~self.active.take(cell)
            pool[idle] = limiter[idle] = -1
        start = ready
        members = [pool == number for number in range(len(self.pools))]
        for slots, mine in zip(self.pools, members, strict=True):
            start = slots.grant(mine, start)
        permits = 1 if self.permits is None else self.permits.take(cell)
        for number, limit in enumerate(self.limiters):
            start = limit.admit(limiter == number, start, permits)
        end = start + self.hold.take(cell)
        for slots, mine in zip(self.pools, members, strict=True):
            slots.occupy(mine, end)
        return start, end

    def _release(self, node: IntArray, end: IntArray) -> None:
        """Tell the successors: one predecessor fewer is missing, and they are not ready before its end."""
        graph = self.graph
        fan = graph.fan.take(node)
        sample = self.sample.repeat(fan)
        edge = (graph.first.take(node) - fan.cumsum() + fan).take(sample) + np.arange(len(sample))
        if not len(edge):
            return
        successor = graph.successor.take(edge)
        cell = successor * self.samples + sample
        keys = self.keys.reshape(-1)
        key = keys.take(cell)
        earliest = key & (self.scale.one_missing - 1)
        ready = end.take(sample) + self.gap.take(cell) + successor
        keys[cell] = np.maximum(ready, earliest) + (key - earliest - self.scale.one_missing)
        self.high = max(self.high, int(successor.max()) + 1)
