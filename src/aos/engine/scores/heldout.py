"""Recorded runs split by time, and what happened in them: to single attempts, to runs of a shape, to runs of a plan."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.domain.learning.records import Records
from aos.engine.calibrate.table import Flags, Table, table
from aos.engine.calibrate.whole_run.runs import Shape, mostly, shapes
from aos.engine.sampling.distributions import Floats
from aos.engine.scores.backtest import Seen
from aos.engine.scores.canonical import After
from aos.engine.scores.records import select

__all__ = [
    "Called",
    "Often",
    "Split",
    "attempts",
    "going_on",
    "run_sizes",
    "runs_of",
    "shaped_runs",
    "sizes",
    "sizes_of_steps",
    "split",
    "whole_runs",
]

Called = tuple[str, tuple[str, ...]]
"""A skill and the values of the conditions that split it."""
ShapeKey = tuple[tuple[Called, ...], After]


class Split(NamedTuple):
    """Records of the runs that started before `at_ms`, and of those that did from then on."""

    past: Records
    future: Records
    at_ms: float
    past_runs: int
    future_runs: int


def split(records: Records, share: float) -> Split | None:
    """Cut between runs by when they started: the first `share` of them are the past. None where a side were empty."""
    run = np.asarray(records.run.codes)
    start = np.frombuffer(records.start_ms)
    runs, first = np.unique(run, return_index=True)  # rows are sorted by start: the first is the earliest
    ranked = np.argsort(first, kind="stable")
    cut = round(share * len(runs))
    if not 0 < cut < len(runs):
        return None
    later = np.zeros(len(records.run.names), bool)
    later[runs[ranked[cut:]]] = True
    return Split(
        past=select(records, np.flatnonzero(~later[run])),
        future=select(records, np.flatnonzero(later[run])),
        at_ms=float(start[first[ranked[cut]]]),
        past_runs=cut,
        future_runs=len(runs) - cut,
    )


def attempts(records: Records, by: tuple[str, ...]) -> dict[Called, Seen]:
    """What happened to the single attempts of each skill."""
    found = table(records, by)
    return {
        (variant.skill, variant.values): Seen(
            found.run[rows], found.time[rows], found.cost[rows], ~found.failed[rows]
        )
        for variant, rows in zip(found.variants, found.rows_of(), strict=True)
    }


def sizes(records: Records, by: tuple[str, ...]) -> dict[Called, Floats]:
    """The features of the same attempts: [attempt, feature], NaN where nobody recorded it."""
    found = table(records, by)
    return {
        (variant.skill, variant.values): found.x[rows]
        for variant, rows in zip(found.variants, found.rows_of(), strict=True)
    }


def shaped_runs(records: Records, by: tuple[str, ...]) -> dict[ShapeKey, Shape]:
    """The runs of each shape, most runs first."""
    found = table(records, by)
    called = [(variant.skill, variant.values) for variant in found.variants]
    return {(tuple(called[v] for v in shape.variant), shape.after): shape for shape in shapes(found)}


def run_sizes(records: Records, by: tuple[str, ...], shapes: Iterable[Shape]) -> Iterator[Floats]:
    """The features of the first attempts of each shape: [run, step, feature], NaN where nobody recorded it."""
    x = table(records, by).x
    for shape in shapes:
        yield np.where((shape.row < 0)[:, :, None], np.nan, x[shape.row])


def sizes_of_steps(
    records: Records, by: tuple[str, ...], runs: Seen, steps: Sequence[tuple[str, Callable[[Called], bool]]]
) -> Floats:
    """The features that these `runs` handed to steps of a plan: [run, step, feature], NaN where nobody recorded it.

    A step is told by its name, and where no record has that, by what it calls: of several that call the same, the
    first is the first call of a run, and so on.
    """
    found = table(records, by)
    ranked = np.lexsort((found.start, found.run))
    ranked = ranked[found.attempt[ranked] == 1]
    x = np.full((len(runs.run), len(steps), found.x.shape[1]), np.nan)
    before = dict[frozenset[int], int]()
    for i, (name, calls) in enumerate(steps):
        if name in found.steps:
            rows = ranked[found.step[ranked] == found.steps.index(name)]
            place = 0
        else:
            ours = frozenset(v for v, one in enumerate(found.variants) if calls((one.skill, one.values)))
            rows = ranked[np.isin(found.variant[ranked], list(ours))]
            place = before.get(ours, 0)
            before[ours] = place + 1
        first = np.searchsorted(found.run[rows], runs.run) + place
        there = np.flatnonzero(first < len(rows))
        there = there[found.run[rows[first[there]]] == runs.run[there]]
        x[there, i] = found.x[rows[first[there]]]
    return x


def going_on(found: Mapping[ShapeKey, Shape]) -> Callable[[ShapeKey], tuple[bool, ...]]:
    """After which failed steps of a shape its runs go on: as they tell, or else other runs that call the same."""
    of: dict[Called, list[Flags]] = {}
    for (called, _), shape in found.items():
        for i, one in enumerate(called):
            of.setdefault(one, []).append(shape.came_on(i))
    elsewhere = {one: mostly(np.concatenate(flags)) for one, flags in of.items()}

    def steps(key: ShapeKey) -> tuple[bool, ...]:
        called, after = key
        own = found.get(key)
        ahead = {j for before in after for j in before}
        return tuple(
            i in ahead
            and (mostly(came) if own and (came := own.came_on(i)).size else elsewhere.get(one, False))
            for i, one in enumerate(called)
        )

    return steps


def runs_of(shape: Shape, goes_on: Sequence[bool]) -> Seen:
    """What happened to the runs of a shape, which go on after failures of some steps; time is to the last end."""
    return Seen(shape.number, shape.makespan(), shape.cost.sum(axis=1), shape.completed(goes_on))


class Often(NamedTuple):
    """What a run calls at least so often, unless it fails before, and at most."""

    calls: Callable[[Called], bool]
    least: int
    most: int


def whole_runs(
    records: Records,
    by: tuple[str, ...],
    belongs: Callable[[Called], bool],
    may_fail: Callable[[Called], bool] = lambda _: False,
    often: Sequence[Often] = (),
) -> Seen:
    """What happened to the runs that call nothing but what `belongs`, and that as `often` as it says.

    They go on after steps that `may_fail`.
    """
    found = table(records, by)
    inside = np.array([belongs((variant.skill, variant.values)) for variant in found.variants], bool)
    ranked = np.argsort(found.run, kind="stable")
    first = np.flatnonzero(np.diff(found.run[ranked], prepend=-1))
    ours = np.logical_and.reduceat(inside[found.variant[ranked]], first)
    began = np.minimum.reduceat(found.start[ranked], first)
    ended = np.maximum.reduceat(found.end[ranked], first)
    cost = np.add.reduceat(found.cost[ranked], first)
    forgiven = np.array([may_fail((variant.skill, variant.values)) for variant in found.variants], bool)
    fatal = _given_up(found) & ~forgiven[found.variant]
    failed = np.logical_or.reduceat(fatal[ranked], first)
    for one in often:
        meant = np.array([one.calls((variant.skill, variant.values)) for variant in found.variants], bool)
        calls = np.add.reduceat((meant[found.variant] & (found.attempt == 1))[ranked].astype(int), first)
        ours &= (calls <= one.most) & (failed | (calls >= one.least))
    return Seen(found.run[ranked][first][ours], (ended - began)[ours], cost[ours], ~failed[ours])


def _given_up(found: Table) -> NDArray[np.bool_]:
    """Failed attempts that were the last of their step."""
    key = found.run * max(1, len(found.steps)) + found.step
    ranked = np.lexsort((found.attempt, key))
    last = np.append(np.diff(key[ranked]) != 0, True)
    given_up = np.zeros(len(key), bool)
    given_up[ranked] = last & found.failed[ranked]
    return given_up
