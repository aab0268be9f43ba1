"""Who can queue at all: what `aos.engine.execution.contention` knows of a plan before it looks at any sample.

Nodes are in topological order. Sets of nodes are integers here: bit i is set where node i is a member.
"""

from collections.abc import Sequence
from functools import reduce
from itertools import accumulate, chain
from operator import or_
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
Ints = Sequence[int]
Limits = Sequence[tuple[float, int]]


class Graph(NamedTuple):
    """What is the same in all samples. Pools and limiters that nobody can have to wait for are left out.

    Only the `core` is served event by event: nodes that queue, and those between two that do. Nobody who
    queues comes before those `ahead`, nobody who queues after those `behind`.
    """

    after: list[list[int]]  # predecessors
    ahead: list[int]
    core: list[int]
    behind: list[int]
    reach: list[int]  # with 0, 1, 2 ... of the core served: one more than the last of it that can be ready
    early: list[list[int]]  # predecessors ahead ...
    missing: list[int]  # ... and the number of those in the core
    fan: IntArray  # number of successors in the core ...
    last: IntArray  # ... and where they end in:
    successor: IntArray
    pool: IntArray
    slots: list[int]
    limiter: IntArray
    limits: list[tuple[float, int]]
    crossed: bool  # nodes come to one limiter from several queues

    @classmethod
    def build(
        cls, after: Sequence[Ints], pool: Ints, slots: Ints, limiter: Ints, limits: Limits, permits: Ints
    ) -> "Graph":
        above = ancestors(after)
        pools, limiters = tight_pools(above, pool, slots), tight_limiters(limiter, limits, permits)
        pool = [pools.index(p) if p in pools else -1 for p in pool]
        limiter = [limiters.index(n) if n in limiters else -1 for n in limiter]
        ahead, core, behind = _split(above, [p >= 0 or n >= 0 for p, n in zip(pool, limiter, strict=True)])
        direct = [_direct(before, above) for before in after]
        inside = set(core)
        successors: list[list[int]] = [[] for _ in after]
        for node in core:
            for before in inside.intersection(direct[node]):
                successors[before].append(node)
        ways = {(n, p) for n, p in zip(limiter, pool, strict=True) if n >= 0}
        return cls(
            after=direct,
            ahead=ahead,
            core=core,
            behind=behind,
            reach=_reach(core, above),
            early=[[i for i in before if i not in inside] for before in direct],
            missing=[len(inside.intersection(before)) for before in direct],
            fan=np.array([len(s) for s in successors], np.int64),
            last=np.cumsum([len(s) for s in successors], dtype=np.int64),
            successor=np.array([*chain.from_iterable(successors)], np.int64),
            pool=np.array(pool, np.int64),
            slots=[slots[p] for p in pools],
            limiter=np.array(limiter, np.int64),
            limits=[limits[n] for n in limiters],
            crossed=len(ways) > len({n for n, _ in ways}),
        )


def ancestors(after: Sequence[Ints]) -> list[int]:
    """For each node the set of all that end before it starts."""
    above: list[int] = []
    for before in after:
        above.append(reduce(or_, (above[node] | 1 << node for node in before), 0))
    return above


def tight_pools(above: list[int], pool: Ints, slots: Ints) -> list[int]:
    """The pools of which more nodes than there are slots might run at once. `above`: see `ancestors`."""
    members: list[list[int]] = [[] for _ in range(len(slots) + 1)]
    for node, number in enumerate(pool):
        members[number].append(node)
    return [number for number, most in enumerate(slots) if not _fit(members[number], most, above)]


def _fit(nodes: list[int], slots: int, above: list[int]) -> bool:
    """Whether the nodes make as many chains as there are slots, or fewer: those of a chain never overlap.

    Greedy: each node goes to the first chain that takes it. The fewest chains are the most nodes that can
    run at once (Dilworth 1950); this may find more, and then calls a pool tight that is not.
    """
    chains: list[int] = []
    for node in nodes:
        for number, last in enumerate(chains):
            if above[node] >> last & 1:
                chains[number] = node
                break
        else:
            chains.append(node)
            if len(chains) > slots:
                return False
    return True


def tight_limiters(limiter: Ints, limits: Limits, permits: Ints) -> list[int]:
    """The limiters whose nodes might use more permits than one burst gives."""
    used = [0] * (len(limits) + 1)
    for number, most in zip(limiter, permits, strict=True):
        used[number] += most
    return [
        number for number, (interval, burst) in enumerate(limits) if interval > 0 and used[number] > burst
    ]


def _split(above: list[int], queues: list[bool]) -> tuple[list[int], list[int], list[int]]:
    """The nodes ahead of all that queue, those that queue or come between, and those behind."""
    queueing = reduce(or_, (1 << node for node, does in enumerate(queues) if does), 0)
    leading = reduce(or_, (above[node] for node, does in enumerate(queues) if does), 0)
    ahead, core, behind = [], [], []
    for node, does in enumerate(queues):
        follows = above[node] & queueing
        if does or (follows and leading >> node & 1):
            core.append(node)
        elif follows:
            behind.append(node)
        else:
            ahead.append(node)
    return ahead, core, behind


def _reach(core: list[int], above: list[int]) -> list[int]:
    inside = reduce(or_, (1 << node for node in core), 0)
    reach = [0] * len(core)
    for node in core:
        reach[(above[node] & inside).bit_count()] = node + 1
    return [*accumulate(reach, max)]


def _direct(before: Ints, above: list[int]) -> list[int]:
    """The predecessors without those that another one waited for: their ends are never the latest."""
    indirect = reduce(or_, (above[node] for node in before), 0)
    return sorted({node for node in before if not indirect >> node & 1})
