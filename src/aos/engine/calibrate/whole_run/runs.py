"""Recorded runs of like shape: which steps they had, in what order, and how long each took after the ones before it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from aos.domain.skills.skill import MAX_CENTS, MAX_MS
from aos.engine.calibrate.table import Flags, Ints, Table
from aos.engine.sampling.distributions import Floats
from aos.engine.scores.canonical import After, Canonical, canonical


class Shape(NamedTuple):
    """Runs with the same steps, oldest first. Matrices are [run, step]; steps stand in their canonical order.

    `variant[i]` is what step i calls. Step i starts `gap` ms after the last of the steps before it, takes `time` ms
    with all its attempts, costs `cost` cents (NaN: not recorded), and `failed` or not in the end. In a run that
    stopped, the steps it never came to have zeros, and `ran` says which it came to. `number` is which run of the
    records each is, `began` when it started, ms; `row` is the row of a step's first attempt in the table, -1 where
    there is none.
    """

    variant: tuple[int, ...]
    after: After
    number: Ints
    began: Floats
    gap: Floats
    time: Floats
    cost: Floats
    ran: Flags
    failed: Flags
    row: Ints

    @property
    def chain(self) -> bool:
        """Whether every step starts after the one before it alone."""
        return all(before == ((i - 1,) if i else ()) for i, before in enumerate(self.after))

    def siblings(self) -> list[tuple[int, list[int]]]:
        """The variant and the places of steps that call the same after the same ones, where there are several."""
        found: dict[tuple[int, tuple[int, ...]], list[int]] = {}
        for i, pair in enumerate(zip(self.variant, self.after, strict=True)):
            found.setdefault(pair, []).append(i)
        return [(variant, places) for (variant, _), places in found.items() if len(places) > 1]

    @property
    def ran_through(self) -> Flags:
        """The runs without a failed step."""
        return np.logical_not(self.failed.any(axis=1))

    @property
    def went_on(self) -> tuple[bool, ...]:
        """Steps that runs don't stop for: most of those in which the step failed came to all that starts after it."""
        return tuple(mostly(self.came_on(i)) for i in range(len(self.after)))

    def came_on(self, step: int) -> Flags:
        """Of the runs in which the step failed, which came to all that starts after it; empty where nothing does."""
        followers = [k for k, before in enumerate(self.after) if step in before]
        failed = np.flatnonzero(self.failed[:, step] & bool(followers))
        came: Flags = np.logical_and.reduce(self.ran[failed][:, followers], axis=1)
        return came

    def completed(self, goes_on: Sequence[bool]) -> Flags:
        """The runs that came to their end: no step failed but those that a run `goes_on` after."""
        stops = self.failed & ~np.array(goes_on, bool)
        done: Flags = self.ran.all(axis=1) & ~stops.any(axis=1)
        return done

    def makespan(self) -> Floats:
        """How long each run took, ms: its steps put on the clock as the engine does."""
        return makespan(self.after, self.gap, self.time)


class _Steps(NamedTuple):
    """Steps of runs, sorted by run and then by step name; all their attempts in one."""

    run: Ints
    step: Ints
    variant: Ints
    after: Ints
    start: Floats
    end: Floats
    cost: Floats
    failed: Flags
    row: Ints


_Key = tuple[tuple[int, int, int], ...]


def shapes(table: Table) -> list[Shape]:
    """The shapes of the runs with more than one step, most runs first.

    Left out are runs without a recorded end, and runs whose `after` names steps that they do not have. Runs that
    stopped at a failed step join a shape that goes on as they began.
    """
    steps = _steps(table)
    if np.all(np.diff(steps.run)):
        return []
    groups: dict[_Key, list[Ints]] = {}
    for rows in np.split(np.arange(len(steps.run)), np.flatnonzero(np.diff(steps.run)) + 1):
        if np.isfinite(steps.end[rows]).all():
            after = steps.after[rows] if len(table.afters) else _inferred(steps, rows)
            key = tuple(
                zip(steps.step[rows].tolist(), steps.variant[rows].tolist(), after.tolist(), strict=True)
            )
            groups.setdefault(key, []).append(rows)
    found = []
    for key, stopped in _joined(groups, steps, table):
        order = _order(key, table) if len(key) > 1 else None
        if order is not None:
            found.append(_shape(key, order, groups[key], stopped, steps, table))
    return sorted(_merged(found), key=lambda shape: -len(shape.began))


def mostly(flags: Flags) -> bool:
    """Whether most of them are set, and there are any."""
    return bool(flags.size and flags.mean() > 0.5)


def makespan(after: After, gap: Floats, time: Floats) -> Floats:
    """When the last step ends, in each row of the matrices."""
    ends: list[Floats] = []
    for i, before in enumerate(after):
        ready = np.max([ends[j] for j in before], axis=0) if before else np.zeros(len(gap))
        ends.append(ready + gap[:, i] + time[:, i])
    last: Floats = np.max(ends, axis=0)
    return last


def _steps(table: Table) -> _Steps:
    key = table.run * max(len(table.steps), 1) + table.step
    ranked = np.lexsort((table.attempt, key))
    first = np.flatnonzero(np.diff(key[ranked], prepend=-1))
    last = np.append(first[1:], len(ranked)) - 1
    return _Steps(
        run=table.run[ranked][first],
        step=table.step[ranked][first],
        variant=table.variant[ranked][first],
        after=table.after[ranked][first],
        start=np.minimum.reduceat(table.start[ranked], first),
        end=np.maximum.reduceat(table.end[ranked], first),
        cost=np.add.reduceat(table.cost[ranked], first),
        failed=table.failed[ranked][last],
        row=ranked[first],
    )


def _inferred(steps: _Steps, rows: Ints) -> Ints:
    """Where nobody recorded what steps started after: those of a run that never overlap are a chain.

    Codes below -1 name the step -code - 2; -1 is nothing.
    """
    ranked = rows[np.argsort(steps.start[rows], kind="stable")]
    after = np.full(len(rows), -1)
    if len(rows) > 1 and (steps.start[ranked][1:] >= steps.end[ranked][:-1]).all():
        place = ranked - rows[0]
        after[place[1:]] = -2 - steps.step[ranked[:-1]]
    return after


def _joined(groups: dict[_Key, list[Ints]], steps: _Steps, table: Table) -> list[tuple[_Key, list[Ints]]]:
    """Every shape with the runs that stopped on the way through it; those are no shape of their own."""
    whole = sorted(groups, key=lambda key: -len(groups[key]))
    members = {key: frozenset(key) for key in whole}
    joined: dict[_Key, list[Ints]] = {key: [] for key in whole}
    for key in whole:
        if _stopped(key, groups[key], steps, table):
            wider = next((other for other in whole if members[key] < members[other]), None)
            if wider is not None:
                joined[wider] += groups.pop(key)
    return [(key, joined[key]) for key in whole if key in groups]


def _stopped(key: _Key, runs: list[Ints], steps: _Steps, table: Table) -> bool:
    """Whether all runs ended with a failed step: where one came to a good end, so did what the others were to do."""
    if not all(steps.failed[rows].any() for rows in runs):
        return False
    before = {name for _, _, after in key for name in _names(after, table)}
    last = [i for i, (step, _, _) in enumerate(key) if table.steps[step] not in before]
    return all(steps.failed[rows[last]].any() for rows in runs)


def _order(key: _Key, table: Table) -> Canonical | None:
    """The canonical order of the steps; None where they name steps that are not there, or wait for each other."""
    place = {table.steps[step]: i for i, (step, _, _) in enumerate(key)}
    needs: list[list[int]] = []
    for _, _, after in key:
        names = _names(after, table)
        if any(name not in place for name in names):
            return None
        needs.append([place[name] for name in names])
    return canonical([table.variants[variant].id for _, variant, _ in key], needs)


def _names(after: int, table: Table) -> list[str]:
    if after < -1:
        return [table.steps[-after - 2]]
    return table.afters[after].split() if after >= 0 else []


def _shape(
    key: _Key,
    order: Canonical,
    runs: list[Ints],
    stopped: list[Ints],
    steps: _Steps,
    table: Table,
) -> Shape:
    """The matrices of a shape, runs by when they began."""
    place = {key[i]: at for at, i in enumerate(order.order)}
    rows = np.full((len(runs) + len(stopped), len(key)), -1)
    whole = np.array(runs)
    rows[: len(runs)] = whole[:, list(order.order)]
    for r, short in enumerate(stopped, len(runs)):
        for row in short:
            triple = (int(steps.step[row]), int(steps.variant[row]), int(steps.after[row]))
            rows[r, place[triple]] = row
    never = rows < 0
    start = np.where(never, np.inf, steps.start[rows])
    began = start.min(axis=1)
    ranked = np.argsort(began, kind="stable")
    time = np.where(never, 0.0, steps.end[rows] - steps.start[rows]).clip(max=MAX_MS)
    gap = np.where(never, 0.0, _gaps(order.after, start, np.where(never, -np.inf, steps.end[rows]), began))
    return Shape(
        variant=tuple(key[i][1] for i in order.order),
        after=order.after,
        number=steps.run[rows.max(axis=1)][ranked],
        began=began[ranked],
        gap=gap[ranked],
        time=time[ranked],
        cost=np.where(never, 0.0, steps.cost[rows]).clip(max=MAX_CENTS)[ranked],
        ran=~never[ranked],
        failed=(~never & steps.failed[rows])[ranked],
        row=np.where(never, -1, steps.row[rows])[ranked],
    )


def _merged(found: Iterable[Shape]) -> list[Shape]:
    """Shapes that differ in the names of their steps alone are one."""
    alike: dict[tuple[tuple[int, ...], After], list[Shape]] = {}
    for shape in found:
        alike.setdefault((shape.variant, shape.after), []).append(shape)
    return [_together(parts) if len(parts) > 1 else parts[0] for parts in alike.values()]


def _together(parts: list[Shape]) -> Shape:
    ranked = np.argsort(np.concatenate([part.began for part in parts]), kind="stable")
    variant, after, *columns = zip(*parts, strict=True)
    return Shape(variant[0], after[0], *(np.concatenate(column)[ranked] for column in columns))


def _gaps(after: After, start: Floats, end: Floats, began: Floats) -> Floats:
    """From the last end before each step to its start, ms; never below 0, though clocks may say so."""
    ready = [np.max([end[:, j] for j in before], axis=0) if before else began for before in after]
    gaps: Floats = (start - np.array(ready, np.float64).T).clip(0.0, MAX_MS)
    return gaps
