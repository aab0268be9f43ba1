"""Two levers together: the weakest edits of both that suffice."""

from collections.abc import Callable
from typing import Protocol

from aos.engine.alternatives.edits import Edit, both
from aos.engine.alternatives.levers import Lever
from aos.engine.alternatives.trials import Trial

_PARTS = 8
_STRIDES = (0, 1, 3)


class Attempt(Protocol):
    """Simulates an edit, a probe with few samples; None where there is no effort left."""

    def __call__(self, edit: Edit, *, probe: bool = False) -> Trial | None: ...


def weakest_pair(first: Lever, second: Lever, attempt: Attempt) -> tuple[Edit, Trial] | None:
    """Both at their strongest, if that suffices; then both at the same part of it, the least that does.

    What two others would have to agree to is the least of each.
    """
    if first.strongest.agreed and second.strongest.agreed:
        return least_pair(first, second, attempt)

    def at(part: int) -> Edit:
        one, other = (lever.edits[(len(lever.edits) - 1) * part // _PARTS] for lever in (first, second))
        return _both(one, other)

    trial = attempt(at(_PARTS))
    if trial is None or not trial.feasible:
        return None
    least = _least(at, _PARTS, attempt) if len(first.edits) + len(second.edits) > 2 else _PARTS
    weaker = attempt(at(least)) if least < _PARTS else None
    return (at(least), weaker) if weaker and weaker.feasible else (at(_PARTS), trial)


def least_pair(first: Lever, second: Lever, attempt: Attempt) -> tuple[Edit, Trial] | None:
    """The least of the first that will do with the most of the second, and the least of that to go with it."""
    last, most = len(first.edits) - 1, len(second.edits) - 1

    def at(one: int, other: int) -> Edit:
        return _both(first.edits[min(one, last)], second.edits[min(other, most)])

    trial = attempt(at(last, most))
    if trial is None or not trial.feasible:
        return None
    one = _least(lambda k: at(k, most), last, attempt)
    other = _least(lambda k: at(one, k), most, attempt)
    for stride in _STRIDES:
        edit = at(one + stride, other + stride)
        weaker = attempt(edit)
        if weaker is None:
            break
        if weaker.feasible:
            return edit, weaker
    return at(last, most), trial


def _least(at: Callable[[int], Edit], last: int, attempt: Attempt) -> int:
    """The first that a probe takes for enough; of those that are left where there is no effort any more the last."""
    low, high = 0, last
    while low < high:
        middle = (low + high) // 2
        probe = attempt(at(middle), probe=True)
        if probe is None:
            break
        low, high = (low, middle) if probe.shortfall <= 0 else (middle + 1, high)
    return high


def _both(first: Edit, second: Edit) -> Edit:
    edit = both(first, second)
    assert edit is not None
    return edit
