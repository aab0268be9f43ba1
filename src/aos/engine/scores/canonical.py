"""One order for the steps of a DAG, however they are listed: two plans of the same shape get the same one.

Steps are ordered by depth, then by what they call, then told apart by the steps before and after them until nothing
tells more (colour refinement: Weisfeiler & Leman 1968). Steps still alike then mostly are each other's mirror images,
twins or chains side by side. Where they are not, each of them is put first in turn, and the order that reads least is
taken (McKay, "Practical graph isomorphism", 1981), as long as that is little work. Where it would be much, steps keep
the order in which they are listed, and such a plan may find no match.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

After = tuple[tuple[int, ...], ...]

_Cells = list[list[int]]
"""Steps in order, those not told apart yet together; all that a step waits for stands in cells before its own."""

_Edges = Mapping[int, Sequence[int]]

_VISITS = 20_000
"""How many steps and edges may be looked at to tell alike steps apart: some tenths of a second."""


class Canonical(NamedTuple):
    """`order[k]` is the step at place k; `after[k]` are the places before it, without those that others imply."""

    order: tuple[int, ...]
    after: After


def canonical(labels: Sequence[str], after: Sequence[Sequence[int]]) -> Canonical | None:
    """The order of steps that call `labels` and start after others; None where they wait for each other."""
    waves = _waves(after)
    if waves is None:
        return None
    needs = dict(enumerate(_reduced(waves, after)))
    by_label = labels.__getitem__
    cells = [list(same) for wave in waves for _, same in groupby(sorted(wave, key=by_label), by_label)]
    order = _ordered(cells, needs, _VISITS)
    return Canonical(tuple(order), _places(order, needs))


def _places(order: Sequence[int], needs: _Edges) -> After:
    place = {i: k for k, i in enumerate(order)}
    return tuple(tuple(sorted(place[j] for j in needs[i])) for i in order)


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


def _ordered(cells: _Cells, needs: _Edges, visits: int) -> list[int]:
    """The steps of all cells in an order that depends on how they are listed only where `visits` is too few."""
    cells = _refined(cells, needs)
    if all(len(cell) == 1 for cell in cells):
        return [i for (i,) in cells]
    colour = {i: number for number, cell in enumerate(cells) for i in cell}
    loose = _loose(cells, colour, needs)
    parts = _parts(cells, loose)
    found = []
    for part in parts:
        order = _searched(part, loose, visits // len(parts))
        found.append(([colour[i] for i in order], _places(order, loose), order))
    # Parts that read the same can be exchanged for each other, whole.
    rank = {i: number for number, (*_, order) in enumerate(sorted(found)) for i in order}
    inside = {i: k for *_, order in found for k, i in enumerate(order)}
    return [i for cell in cells for i in sorted(cell, key=lambda i: (rank[i], inside[i]))]


def _searched(part: _Cells, loose: _Edges, visits: int) -> list[int]:
    """The least of the orders that put one of the first steps that are alike before the others."""
    listed = [i for cell in part for i in cell]
    tied = next((k for k, cell in enumerate(part) if len(cell) > 1), None)
    if tied is None:
        return listed
    width = len(part[tied])
    if width * sum(1 + len(loose[i]) for i in listed) > visits:
        return listed
    orders = [
        _ordered(
            [*part[:tied], [first], [i for i in part[tied] if i != first], *part[tied + 1 :]],
            loose,
            visits // width,
        )
        for first in part[tied]
    ]
    return min(orders, key=lambda order: _places(order, loose))


def _refined(cells: _Cells, needs: _Edges) -> _Cells:
    """Split until the steps of a cell wait for, and are waited for by, as many steps of each other cell."""
    follows: dict[int, list[int]] = {i: [] for cell in cells for i in cell}
    for i in follows:
        for j in needs[i]:
            follows[j].append(i)
    while True:
        split = _split(_split(cells, needs)[::-1], follows)[::-1]
        if len(split) == len(cells):
            return cells
        cells = split


def _split(cells: _Cells, beside: _Edges) -> _Cells:
    """Each cell by the new cells of the steps beside its own; those stand in cells before it."""
    colour: dict[int, int] = {}
    split: _Cells = []
    for cell in cells:
        kinds: dict[tuple[int, ...], list[int]] = {}
        for i in cell:
            kinds.setdefault(tuple(sorted(colour[j] for j in beside[i])), []).append(i)
        for kind in sorted(kinds):
            colour.update(dict.fromkeys(kinds[kind], len(split)))
            split.append(kinds[kind])
    return split


def _loose(cells: _Cells, colour: Mapping[int, int], needs: _Edges) -> dict[int, list[int]]:
    """Without the edges that tell nothing: those of a step that waits for a whole cell, as all of its own cell do."""
    loose = {}
    for i in colour:
        waits = Counter(colour[j] for j in needs[i])
        loose[i] = [j for j in needs[i] if waits[colour[j]] < len(cells[colour[j]])]
    return loose


def _parts(cells: _Cells, loose: _Edges) -> list[_Cells]:
    """The cells of each connected part: how one is ordered says nothing about the others."""
    beside: dict[int, list[int]] = {i: list(loose[i]) for cell in cells for i in cell}
    for i in beside:
        for j in loose[i]:
            beside[j].append(i)
    part: dict[int, int] = {}
    for first in beside:
        reached = [] if first in part else [first]
        part.setdefault(first, first)
        while reached:
            for j in beside[reached.pop()]:
                if j not in part:
                    part[j] = first
                    reached.append(j)
    split: dict[int, dict[int, list[int]]] = {}
    for number, cell in enumerate(cells):
        for i in cell:
            split.setdefault(part[i], {}).setdefault(number, []).append(i)
    return [list(kept.values()) for kept in split.values()]
