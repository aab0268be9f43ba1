"""First come, first served: when each node of a plan starts where nodes queue for slots and permits.

The rules, in each sample on its own:

- A node is ready at the latest end of its predecessors (0 for a root) plus its gap; it ends `hold` after
  its start.
- A node of a pool joins the pool's queue when it is ready. A free slot goes to the head of the queue, which
  keeps it until it ends.
- A node of a limiter asks it when it is ready or, if it also has a pool, when it gets its slot. The answer
  comes at once: the instant at which it may start. It keeps its slot until then, and nobody who asks later
  is let through earlier.
- Queues are in order of readiness, of nodes ready at the same instant the lower number is first. So are
  services that are possible at the same instant: first that of the node which was ready first.
- An inactive node takes no time, no slot and no permit: it starts and ends when its last predecessor ends.

The limiter is the generic cell rate algorithm (ITU-T I.371). It knows the instant `due` at which its bucket
is full again: who asks at t starts at max(t, due - (burst - 1) * interval), and its n permits then move
`due` to max(due, start) + n * interval.

How it is fast: all samples of a chunk advance together, each serving its next node in every round. One
minimum finds that node, because all that decides is in one integer, its key; from the top bits down

    predecessors not yet served | ready, in ticks | number of the node

so the smallest key of a sample is that of the node to serve, and a predecessor served is one subtraction
from the top bits. Whole ticks of a microsecond make sums exact: 0.1 + 0.2 and 0.3 ms are a tie.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.engine.execution.queues import Graph, IntArray, Ints, Limits, ancestors, tight_limiters, tight_pools

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_TICKS_PER_MS = 1000.0
_KEY_BITS = 63
_SERVED = 2**_KEY_BITS - 1  # greater than the key of any node still to serve
_CELLS = 2**17  # nodes x samples of a chunk: its arrays of 8 bytes a cell stay close to the cache of one core


def schedule(
    after: Sequence[Ints],
    gap: FloatArray,
    hold: FloatArray,
    active: BoolArray | None,
    pool: Ints,
    slots: Ints,
    limiter: Ints,
    limits: Limits,
    starts: IntArray | None,
    granted: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Start and end of every node, in ms, each of shape (nodes, samples).

    Nodes are in topological order: `after[i]` lists the predecessors of i, all lower than i. `gap` (from the
    last predecessor's end to readiness) and `hold` (all attempts and the waits between them) are in ms,
    finite, not negative, and rounded to microseconds; every array is of shape (nodes, samples). `active`
    None: all are. `pool[i]` is an index into `slots` or -1, `limiter[i]` one into `limits`, pairs of
    (interval in ms, burst >= 1), or -1. `starts` is the number of permits each node uses, at least 1 where
    it is active; None: 1. Into `granted`, where it is given, goes when each node got its slot, and whatever else
    it waited for is a permit; of one that needs no slot, when it was ready.

    A plan whose times add up to years (to days, where thousands of nodes meet in one) gets coarser ticks.
    Raises ValueError where a time is not finite.
    """
    nodes, samples = hold.shape
    permits = [1] * nodes if starts is None else starts.max(axis=1, initial=1).tolist()
    graph = Graph.build(after, pool, slots, limiter, limits, permits)
    scale = _Scale.build(graph, gap, hold, permits)
    start, end = np.empty(hold.shape), np.empty(hold.shape)
    size = min(max(_CELLS // max(nodes, 1), 256), 4096, samples)  # with fewer, the calls of numpy dominate
    chunk = _Chunk(graph, scale, size, granted is not None)
    for first in range(0, samples, max(size, 1)):
        first = min(first, samples - size)  # the last chunk would be smaller: it does a few samples again
        part = np.s_[:, first : first + size]
        chunk.load(part, gap, hold, active, starts)
        chunk.run()
        scale.to_ms(chunk.start, out=start[part])
        scale.to_ms(chunk.end, out=end[part])
        if granted is not None and chunk.granted is not None:
            scale.to_ms(chunk.granted, out=granted[part])
    return start, end


def contended(
    after: Sequence[Ints], pool: Ints, slots: Ints, limiter: Ints, limits: Limits, max_permits: Ints
) -> bool:
    """Whether any node might have to wait for a slot or a permit; False is certain.

    `max_permits` is the most permits each node can use; the rest is as in `schedule`.
    """
    return bool(tight_pools(ancestors(after), pool, slots) or tight_limiters(limiter, limits, max_permits))


class _Scale(NamedTuple):
    """How milliseconds are written in a key: whole ticks, above `node_bits` bits for the node's number."""

    ticks_per_ms: float
    node_bits: int
    one_missing: int  # what one predecessor not yet served adds to a key; greater than any time

    @classmethod
    def build(cls, graph: Graph, gap: FloatArray, hold: FloatArray, permits: list[int]) -> "_Scale":
        node_bits = max(len(graph.after) - 1, 0).bit_length()
        time_bits = min(_KEY_BITS - max(graph.missing, default=0).bit_length(), _KEY_BITS - 1)
        longest = sum(gap.max(axis=1, initial=0).tolist()) + sum(hold.max(axis=1, initial=0).tolist())
        for number, most in zip(graph.limiter, permits, strict=True):
            longest += graph.limits[number][0] * most if number >= 0 else 0
        if not longest < float("inf"):
            raise ValueError("times must be finite")
        ticks_per_ms = _TICKS_PER_MS
        most_ticks = 2.0 ** min(time_bits - node_bits - 1, 52)  # one bit is left for what rounding adds
        while longest * ticks_per_ms >= most_ticks:
            ticks_per_ms /= 10
        return cls(ticks_per_ms, node_bits, 1 << time_bits)

    def from_ms(self, ms: FloatArray, out: IntArray) -> None:
        ticks = ms * self.ticks_per_ms
        np.rint(ticks, out=ticks)
        np.multiply(ticks, 1 << self.node_bits, out=out, casting="unsafe")

    def to_ms(self, time: IntArray, out: FloatArray) -> None:
        np.divide(time, self.ticks_per_ms * (1 << self.node_bits), out=out)


class _Pool:
    """One pool in all samples of a chunk: the instants at which its slots come free, soonest first."""

    def __init__(self, slots: int, samples: int) -> None:
        self.free = np.zeros((slots, samples), np.int64)

    def grant(self, mine: BoolArray, at: IntArray) -> IntArray:
        granted: IntArray = np.maximum(at, self.free[0] * mine)
        return granted

    def occupy(self, mine: BoolArray, until: IntArray) -> None:
        moved = np.where(mine, until, self.free[0])
        for lower, upper in pairwise(self.free):  # the first goes, `moved` is sorted in
            np.minimum(upper, moved, out=lower)
            moved = np.maximum(upper, moved)
        self.free[-1] = moved


class _Limiter:
    """One limiter in all samples of a chunk: the instants at which its bucket is full again."""

    def __init__(self, interval: int, burst: int, samples: int) -> None:
        self.interval = interval
        self.tolerance = min((burst - 1) * interval, _SERVED)
        self.due = np.zeros(samples, np.int64)

    def admit(self, mine: BoolArray, at: IntArray, permits: IntArray | int) -> IntArray:
        start: IntArray = np.maximum(at, (self.due - self.tolerance) * mine)
        self.due = np.where(mine, np.maximum(self.due, start) + permits * self.interval, self.due)
        return start


class _Chunk:
    """Some samples, served together. All times are in the ticks of `scale`, as in a key."""

    def __init__(self, graph: Graph, scale: _Scale, samples: int, tell_granted: bool) -> None:
        self.graph, self.scale = graph, scale
        self.sample = np.arange(samples)
        shape = len(graph.after), samples
        self.gap, self.hold, self.start, self.end, self.keys = (np.empty(shape, np.int64) for _ in range(5))
        self.granted = np.empty(shape, np.int64) if tell_granted else None
        self.active: BoolArray | None = None
        self.permits: IntArray | None = None
        intervals = np.empty(len(graph.limits), np.int64)
        scale.from_ms(np.array([interval for interval, _ in graph.limits]), out=intervals)
        self.limits = [(int(i), burst) for i, (_, burst) in zip(intervals, graph.limits, strict=True)]

    def load(
        self,
        part: tuple[slice, slice],
        gap: FloatArray,
        hold: FloatArray,
        active: BoolArray | None,
        permits: IntArray | None,
    ) -> None:
        """Begin anew, at time 0, with that part of the samples."""
        self.scale.from_ms(gap[part], out=self.gap)
        self.scale.from_ms(hold[part], out=self.hold)
        if active is not None:
            self.active = np.ascontiguousarray(active[part])
            self.gap *= self.active
            self.hold *= self.active
        if permits is not None:
            self.permits = np.ascontiguousarray(permits[part])
        samples = len(self.sample)
        self.pools = [_Pool(slots, samples) for slots in self.graph.slots]
        self.limiters = [_Limiter(interval, burst, samples) for interval, burst in self.limits]

    def run(self) -> None:
        """Work out `start` and `end` of all nodes."""
        self._follow(self.graph.ahead)
        self._serve()
        for node in self.graph.core:
            np.add(self.start[node], self.hold[node], out=self.end[node])
        self._follow(self.graph.behind)
        if self.granted is not None:
            for node in (*self.graph.ahead, *self.graph.behind):
                self.granted[node] = self.start[node]

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
        low = 0
        for high in self.graph.reach:
            while self.keys[low].min() == _SERVED:
                low += 1
            key = self._next(slice(low, high))
            node = key & ((1 << self.scale.node_bits) - 1)
            cell = node * len(self.sample) + self.sample
            granted, start, end = self._place(node, cell, key - node)
            if self.granted is not None:
                self.granted.reshape(-1)[cell] = granted
            starts[cell] = start
            keys[cell] = _SERVED
            self._release(node, end)

    def _make_keys(self) -> None:
        """A key for each node and sample, as things are before anybody of the core is served."""
        graph = self.graph
        self.keys[...] = _SERVED
        for node in graph.core:
            self.keys[node] = graph.missing[node] * self.scale.one_missing + node
            if graph.early[node] or not graph.missing[node]:
                self.keys[node] += self._latest_end(graph.early[node]) + self.gap[node]

    def _next(self, rows: slice) -> IntArray:
        """The key of the node to serve next in each sample; it is in one of these rows.

        It is the first to be ready, unless one limiter is asked from several queues: then it is the first
        to be let through by its queue, for a node that was ready earlier may be in a slower one.
        """
        keys = self.keys[rows]
        if self.graph.crossed:
            free = np.stack([*(pool.free[0] for pool in self.pools), np.zeros_like(self.sample)])
            wait = free[self.graph.pool[rows]]
            if self.active is not None:
                wait *= self.active[rows]
            turn = np.maximum(keys, wait) >> self.scale.node_bits
            keys = np.where(turn == turn.min(axis=0), keys, _SERVED)
        smallest: IntArray = keys.min(axis=0)
        return smallest

    def _place(self, node: IntArray, cell: IntArray, ready: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """When one node per sample gets its slot, starts and ends, with its slot and its permits taken."""
        members = self._members(self.graph.pool, len(self.pools), node, cell)
        start = ready
        for pool, mine in zip(self.pools, members, strict=True):
            start = pool.grant(mine, start)
        granted = start
        permits = 1 if self.permits is None else self.permits.take(cell)
        asking = self._members(self.graph.limiter, len(self.limiters), node, cell)
        for limiter, mine in zip(self.limiters, asking, strict=True):
            start = limiter.admit(mine, start, permits)
        end = start + self.hold.take(cell)
        for pool, mine in zip(self.pools, members, strict=True):
            pool.occupy(mine, end)
        return granted, start, end

    def _members(self, owner: IntArray, owners: int, node: IntArray, cell: IntArray) -> list[BoolArray]:
        """For each pool, or each limiter: in which samples the node has to do with it."""
        if not owners:
            return []
        owned = owner.take(node)
        if self.active is not None:
            owned = np.where(self.active.take(cell), owned, -1)
        return [owned == number for number in range(owners)]

    def _release(self, node: IntArray, end: IntArray) -> None:
        """Tell the successors: one predecessor fewer is missing, and they are not ready before its end."""
        graph = self.graph
        fan = graph.fan.take(node)
        sample = self.sample.repeat(fan)
        if not len(sample):
            return
        edge = (graph.last.take(node) - fan.cumsum()).take(sample) + np.arange(len(sample))
        successor = graph.successor.take(edge)
        cell = successor * len(self.sample) + sample
        keys = self.keys.reshape(-1)
        key = keys.take(cell)
        earliest = key & (self.scale.one_missing - 1)
        ready = end.take(sample) + self.gap.take(cell) + successor
        keys[cell] = np.maximum(ready, earliest) + (key - earliest - self.scale.one_missing)
