"""Whether what several saw at once can have happened one after the other, each thing between its call and its answer.

The search is that of Wing and Gong (1993), with Lowe's memo (2017): a set of calls that led to a state is tried once.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

__all__ = ["Call", "linearizable"]

S = TypeVar("S", bound=Hashable)


class Call(NamedTuple):
    """What was asked, what was answered, and when (Unix time)."""

    begun: float
    ended: float
    asked: Any
    answer: Any


def linearizable(calls: Sequence[Call], first: S, after: Callable[[S, Call], Iterable[S]]) -> bool:
    """Whether there is an order. `after` gives the states that a call with that answer may lead to, if any."""
    everything = (1 << len(calls)) - 1
    untried, tried = [(0, first)], set[tuple[int, S]]()
    while untried:
        node = untried.pop()
        if node in tried:
            continue
        tried.add(node)
        done, state = node
        if done == everything:
            return True
        waiting = [number for number in range(len(calls)) if not done >> number & 1]
        soonest = min(calls[number].ended for number in waiting)
        for number in waiting:
            if calls[number].begun <= soonest:  # else some other call was over before this one began
                untried += [(done | 1 << number, following) for following in after(state, calls[number])]
    return False
