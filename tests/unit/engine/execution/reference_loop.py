"""The rules of `aos.engine.execution.contention` as an event loop: one sample, no arrays, a clock that only moves on.

Slow and plain on purpose: what `schedule` does for thousands of samples at once must equal this, to the bit.
"""

from collections.abc import Sequence
from heapq import heappop, heappush

NOBODY = -1


def run(
    after: Sequence[Sequence[int]],
    gap: Sequence[float],
    hold: Sequence[float],
    active: Sequence[bool],
    pool: Sequence[int],
    slots: Sequence[int],
    limiter: Sequence[int],
    limits: Sequence[tuple[float, int]],
    starts: Sequence[int],
) -> tuple[list[float], list[float]]:
    """Start and end of each node; arguments as in `contention.schedule`, but of one sample."""
    nodes = range(len(after))
    gap = [gap[i] if active[i] else 0 for i in nodes]
    hold = [hold[i] if active[i] else 0 for i in nodes]
    pool = [pool[i] if active[i] else NOBODY for i in nodes]
    limiter = [limiter[i] if active[i] else NOBODY for i in nodes]

    start: dict[int, float] = {}
    end: dict[int, float] = {}
    missing = [set(before) for before in after]
    free = [*slots, float("inf")]  # the last one, [NOBODY], is for nodes without a pool
    queues: list[list[tuple[float, int]]] = [[] for _ in free]
    due = [0.0] * len(limits)
    calendar = sorted((gap[i], i) for i in nodes if not after[i])

    def note(node: int) -> None:
        """What stands in the calendar for now: the node is ready or, where it has started, it ends."""
        if node not in start:
            heappush(queues[pool[node]], (now, node))
            return
        free[pool[node]] += 1
        for successor in nodes:
            if node in missing[successor]:
                missing[successor].remove(node)
                if not missing[successor]:
                    heappush(calendar, (now + gap[successor], successor))

    def permission(node: int) -> float:
        """The instant at which the node that asks now may start."""
        number = limiter[node]
        if number == NOBODY:
            return now
        interval, burst = limits[number]
        granted = max(now, due[number] - (burst - 1) * interval)
        due[number] = max(due[number], granted) + starts[node] * interval
        return granted

    while calendar:
        now, node = heappop(calendar)
        note(node)
        while not (calendar and calendar[0][0] == now):  # first hear all that happens now, then serve one
            heads = [queue[0] for queue, slot in zip(queues, free, strict=True) if queue and slot]
            if not heads:
                break
            _, node = min(heads)
            heappop(queues[pool[node]])
            free[pool[node]] -= 1
            start[node] = permission(node)
            end[node] = start[node] + hold[node]
            heappush(calendar, (end[node], node))
    return [start[i] for i in nodes], [end[i] for i in nodes]
