"""One order for the steps of a DAG, however they are listed: two plans of the same shape get the same one.

A step's colour is what it calls with the colours of the steps before it, and likewise those after it; steps are ordered
by depth, then colour, then the places of the steps before them. Colour refinement (Weisfeiler & Leman 1968), along the
edges and against them once each. Shapes that it can't tell apart though they differ, or that it orders differently
though they agree, need steps alike in all they call before and after: such a plan finds no match.
"""

from collections.abc import Sequence
from typing import NamedTuple

After = tuple[tuple[int, ...], ...]


class Canonical(NamedTuple):
    """`order[k]` is the step at place k; `after[k]` are the places before it, without those that others imply."""

    order: tuple[int, ...]
    after: After


def canonical(labels: Sequence[str], after: Sequence[Sequence[int]]) -> Canonical | None:
    """The order of steps that call `labels` and start after others; None where they wait for each other."""
    waves = _waves(after)
    if waves is None:
        return None
    needs = _reduced(waves, after)
    follows: list[list[int]] = [[] for _ in labels]
    for i, before in enumerate(needs):
        for j in before:
            follows[j].append(i)
    past = _colours(waves, labels, needs)
    future = _colours(_waves(follows) or [], labels, follows)
    place: dict[int, int] = {}
    for wave in waves:
        ranked = sorted(
            wave, key=lambda i: (labels[i], past[i], future[i], sorted(place[j] for j in needs[i]), i)
        )
        for i in ranked:
            place[i] = len(place)
    return Canonical(tuple(place), tuple(tuple(sorted(place[j] for j in needs[i])) for i in place))


def _waves(after: Sequence[Sequence[int]]) -> list[list[int]] | None:
    """Steps by depth, the number of steps on the longest way to them; None where there is a cycle."""
    waits = [len(set(before)) for before in after]
    followers: list[list[int]] = [[] for _ in after]
    for i, before in enumerate(after):
        for j in set(before):
            followers[j].append(i)
    wave = [i for i, count in enumerate(waits) if not count]
    waves = []
    while wave:
        waves.append(wave)
        ready = []
        for i in wave:
            for k in followers[i]:
                waits[k] -= 1
                if not waits[k]:
                    ready.append(k)
        wave = ready
    return waves if sum(map(len, waves)) == len(after) else None


def _reduced(waves: Sequence[Sequence[int]], after: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """Without the steps that another one before already waits for: they end earlier anyway. Sets are bits of ints."""
    ancestors = [0] * len(after)
    needs: list[tuple[int, ...]] = [()] * len(after)
    for wave in waves:
        for i in wave:
            implied = direct = 0
            for j in after[i]:
                implied |= ancestors[j]
                direct |= 1 << j
            needs[i] = tuple(j for j in dict.fromkeys(after[i]) if not implied >> j & 1)
            ancestors[i] = implied | direct
    return needs


def _colours(
    waves: Sequence[Sequence[int]], labels: Sequence[str], needs: Sequence[Sequence[int]]
) -> list[int]:
    """A number for each step, the same for steps of one wave that are alike in all that comes before them."""
    colour = [0] * len(labels)
    first = 0
    for wave in waves:
        seen = {i: (labels[i], tuple(sorted(colour[j] for j in needs[i]))) for i in wave}
        number = {kind: first + k for k, kind in enumerate(sorted(set(seen.values())))}
        for i in wave:
            colour[i] = number[seen[i]]
        first += len(number)
    return colour
