"""Recorded runs put in order: sorted by start, repeated rows left out, attempts counted, what looks wrong told."""

from array import array
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from aos.domain.learning.records import Coded, Flaw, Records

__all__ = ["put_in_order", "select"]

T = TypeVar("T", int, float)
Rows = NDArray[np.intp]
Quantity = Callable[[Any], NDArray[np.float64]]
"""The values of some rows: indices or a slice."""

_WINDOW = 500_000
"""Rows among which a step's predecessors are looked for, so that memory stays bounded."""
_OFF = 1_000.0 / 1.5
"""A value this many times its skill's median, or this small a part of it, may have another unit."""
_SLACK_MS = 1.0
_MOST_CALLS = 5_000
"""Of one skill in a run: no plan has more steps."""
_INT = np.iinfo(np.intc).max
_MOST_CODES, _UNCODED = 50, "FAILED"
_FAMILY, _OFTEN, _NEARLY_ALWAYS = 3, 5, 0.9
"""Rows of a run, runs, and their share, from which on a skill that is around all others looks like their parent."""


class _Times(NamedTuple):
    start: NDArray[np.float64]
    end: NDArray[np.float64]


def put_in_order(
    records: Records, lines: "array[int]", *, has_steps: bool, has_attempts: bool
) -> tuple[Records, tuple[Flaw, ...]]:
    """Sort records that stand in the order of a file, in place; `lines` is where each of them stands.

    A row that repeats another one cell by cell is left out where steps have names of their own. Where they have none,
    the calls of a skill in a run are numbered. Without attempts in the file they are counted: a row after a failed one
    of the same run and step is the next attempt. Values a thousand times off within a skill and steps that start before
    those they come after are told, and left as they are.
    """
    flaws = list[Flaw]()
    columns = [*_columns(records), lines]
    if not _sorted(records):
        late = np.concatenate(list(_out_of_order(records)))
        if late.size:
            detail = "it started before a row of its run that stands above it: sorted by start"
            flaws.append(_flaw("out_of_order", detail, lines, late, True))
        _reorder(columns, records.failed, np.argsort(np.frombuffer(records.start_ms), kind="stable"))
    if has_steps:
        again = _repeated(records)
        if again.size:
            flaws.append(_flaw("duplicate", "the same row stands above", lines, again, False))
            keep = np.ones(len(records.start_ms), bool)
            keep[again] = False
            records, lines = select(records, np.flatnonzero(keep)), _taken(lines, np.flatnonzero(keep))
    else:
        records = records._replace(step=_numbered_calls(records, has_attempts))
    if not has_attempts:
        _count_attempts(records)
    records, rare = _few_codes(records, lines)
    flaws += rare
    flaws += _units(records, lines)
    flaws += _around(records, lines)
    overtaken = _overtaking(records)
    if overtaken.size:
        detail = "it starts before a step that it comes after has ended: a clock jumped"
        flaws.append(_flaw("clock_jump", detail, lines, overtaken, True))
    return records, tuple(flaws)


def select(records: Records, rows: Rows) -> Records:
    """Some of the records, in the order of `rows`."""

    def coded(column: Coded) -> Coded:
        return Coded(_taken(column.codes, rows), column.names)

    return Records(
        run=coded(records.run),
        step=coded(records.step),
        skill=coded(records.skill),
        start_ms=_taken(records.start_ms, rows),
        end_ms=_taken(records.end_ms, rows),
        cost_cents=_taken(records.cost_cents, rows),
        failed=bytearray(np.frombuffer(records.failed, np.uint8)[rows].tobytes()),
        code=coded(records.code),
        attempt=_taken(records.attempt, rows),
        after=coded(records.after),
        conditions={key: coded(column) for key, column in records.conditions.items()},
        features={key: _taken(column, rows) for key, column in records.features.items()},
    )


def _columns(records: Records) -> Iterator[Any]:
    """Every column but `failed`, each once: a made-up step column is the skill's."""
    coded = [
        records.run,
        records.step,
        records.skill,
        records.code,
        records.after,
        *records.conditions.values(),
    ]
    yield from {id(column.codes): column.codes for column in coded}.values()
    yield from (
        records.start_ms,
        records.end_ms,
        records.cost_cents,
        records.attempt,
        *records.features.values(),
    )


def _reorder(columns: list[Any], failed: bytearray, order: Rows) -> None:
    """One column after the other, so that no second copy of them all is ever there."""
    for column in columns:
        view = np.frombuffer(column, column.typecode)
        view[:] = view[order]
    flags = np.frombuffer(failed, np.uint8)
    flags[:] = flags[order]


def _taken(column: "array[T]", rows: Rows) -> "array[T]":
    taken: array[T] = array(column.typecode)
    taken.frombytes(np.frombuffer(column, column.typecode)[rows].tobytes())
    return taken


def _sorted(records: Records) -> bool:
    start = np.frombuffer(records.start_ms)
    return bool((start[1:] >= start[:-1]).all())


def _out_of_order(records: Records) -> Iterator[Rows]:
    """Rows right before which a later one of the same run stands. Runs may follow each other as they like."""
    for window in _windows(len(records.start_ms)):
        run = np.frombuffer(records.run.codes, np.intc)[window]
        order = np.argsort(run, kind="stable")
        start = np.frombuffer(records.start_ms)[window][order]
        back = (start[1:] < start[:-1]) & (run[order][1:] == run[order][:-1])
        yield np.sort(order[1:][back]) + window.start


def _repeated(records: Records) -> Rows:
    """Rows that equal an earlier one; those that started at the same moment are all that need comparing."""
    start = np.frombuffer(records.start_ms)
    same = start[1:] == start[:-1]
    tied = np.flatnonzero(np.concatenate([[False], same]) | np.concatenate([same, [False]]))
    new = np.flatnonzero(np.diff(start[tied], prepend=-np.inf))
    cuts = new[np.searchsorted(new, np.arange(_WINDOW, len(tied), _WINDOW)).clip(max=len(new) - 1)]
    parts = [_repeated_among(records, rows) for rows in np.split(tied, np.unique(cuts)) if rows.size]
    return np.concatenate([np.zeros(0, np.intp), *parts])


def _repeated_among(records: Records, tied: Rows) -> Rows:
    keys = np.column_stack(
        [np.frombuffer(column, column.typecode)[tied].astype(np.float64) for column in _columns(records)]
        + [np.frombuffer(records.failed, np.uint8)[tied].astype(np.float64)]
    )
    keys[np.isnan(keys)] = -1.0
    _, first = np.unique(keys, axis=0, return_index=True)
    kept = np.zeros(len(tied), bool)
    kept[first] = True
    return tied[~kept]


def _numbered_calls(records: Records, has_attempts: bool) -> Coded:
    """A step for each call of a skill in its run: `ask`, `ask#2`, …; one that is tried again remains the same.

    Tried again is what had failed, by the next row of its run, after its end. A run that calls a skill more often than
    any plan may is none that was planned: its calls are one step.
    """
    skills = len(records.skill.names)
    step: array[int] = array(records.skill.codes.typecode)
    known = set[int]()
    for window in _all_windows(records):
        found = _calls(records, window, has_attempts)
        known.update(map(int, np.unique(found)))
        step.frombytes(found.tobytes())
    ranked = np.array(sorted(known), np.intc)
    codes = np.frombuffer(step, np.intc)
    for window in _all_windows(records):
        codes[window] = np.searchsorted(ranked, codes[window])
    names = (divmod(int(code), skills) for code in ranked)
    return Coded(step, tuple(records.skill.names[k] + (f"#{n + 1}" if n else "") for n, k in names))


def _calls(records: Records, window: slice, has_attempts: bool) -> NDArray[np.intc]:
    """The calls of a window: skill + how many others of the run came before it x the number of skills."""
    skills = len(records.skill.names)
    run, skill = (np.frombuffer(c.codes, np.intc)[window] for c in (records.run, records.skill))
    order = np.argsort(run, kind="stable")
    again = np.zeros(len(run), bool)
    again[order[1:]] = _tried_again(records, window, order, has_attempts)
    key = run.astype(np.int64) * skills + skill
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    many = np.diff(np.append(first, len(key)))
    fresh = np.cumsum(~again[order])
    before = fresh - np.repeat(fresh[first], many)
    most = min(_MOST_CALLS, _INT // skills)
    before[np.repeat(np.maximum.reduceat(before, first), many) >= most] = 0
    calls = np.empty(len(key), np.intc)
    calls[order] = skill[order] + skills * before
    return calls


def _tried_again(records: Records, window: slice, order: Rows, has_attempts: bool) -> NDArray[np.bool_]:
    """Which rows but the first, in the order of runs, try again what the row before them tried."""
    run, skill = (np.frombuffer(c.codes, np.intc)[window][order] for c in (records.run, records.skill))
    same: NDArray[np.bool_] = (run[1:] == run[:-1]) & (skill[1:] == skill[:-1])
    if has_attempts:
        return same & (np.frombuffer(records.attempt, np.intc)[window][order][1:] > 1)
    failed = np.frombuffer(records.failed, np.uint8)[window][order][:-1] > 0
    start, end = (np.frombuffer(c)[window][order] for c in (records.start_ms, records.end_ms))
    return same & failed & ~(start[1:] < end[:-1] - _SLACK_MS)


def _count_attempts(records: Records) -> None:
    """The number of a row in the unbroken line of failures before it, within its run and step.

    Only rows of steps that failed at some time can be more than the first: there are few of these.
    """
    failing = np.concatenate([_keys_of_failures(records, window) for window in _all_windows(records)])
    steps = np.unique(failing)
    if not steps.size:
        return
    found = [_rows_of(records, steps, window) for window in _all_windows(records)]
    rows, key = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.argsort(key, kind="stable")
    rows, key = rows[order], key[order]
    failed = np.frombuffer(records.failed, np.uint8)[rows]
    fresh = np.ones(len(key), bool)
    fresh[1:] = (key[1:] != key[:-1]) | (failed[:-1] == 0)
    at = np.arange(len(key))
    np.frombuffer(records.attempt, np.intc)[rows] = at - np.maximum.accumulate(np.where(fresh, at, 0)) + 1


def _keys_of_failures(records: Records, window: slice) -> NDArray[np.int64]:
    failed = np.frombuffer(records.failed, np.uint8)[window] > 0
    keys: NDArray[np.int64] = _ids(records.run, records.step, window)[failed]
    return keys


def _rows_of(records: Records, steps: NDArray[np.int64], window: slice) -> tuple[Rows, NDArray[np.int64]]:
    """The rows of a window whose run and step are among `steps`, which ascend, and the numbers of these."""
    key = _ids(records.run, records.step, window)
    there = steps[np.searchsorted(steps, key).clip(max=len(steps) - 1)] == key
    return np.flatnonzero(there) + window.start, key[there]


def _all_windows(records: Records) -> Iterator[slice]:
    return _windows(len(records.start_ms))


def _few_codes(records: Records, lines: "array[int]") -> tuple[Records, list[Flaw]]:
    """Failures of codes beyond the 50 most frequent have none: texts that hardly occur twice name no way to fail."""
    codes, names = np.frombuffer(records.code.codes, np.intc), records.code.names
    if len(names) <= _MOST_CODES:
        return records, []
    often = np.argsort(-np.bincount(codes[codes >= 0], minlength=len(names)), kind="stable")[:_MOST_CODES]
    kept = [int(k) for k in np.sort(often) if names[k] != _UNCODED]
    place = np.full(len(names) + 1, len(kept), np.intc)
    place[kept], place[-1] = np.arange(len(kept)), -1
    fewer = place[codes]
    rows = np.flatnonzero(fewer == len(kept))
    column: array[int] = array(records.code.codes.typecode)
    column.frombytes(fewer.tobytes())
    told = (*(names[k] for k in kept), _UNCODED)
    detail = f"there are more than {_MOST_CODES} codes: rarer ones are taken for {_UNCODED}"
    return records._replace(code=Coded(column, told)), [_flaw("many_codes", detail, lines, rows, True)]


def _units(records: Records, lines: "array[int]") -> Iterator[Flaw]:
    """Durations and costs about a thousand times off their skill's median, a flaw for each skill and quantity."""
    skill = np.frombuffer(records.skill.codes, np.intc)
    start, end = np.frombuffer(records.start_ms), np.frombuffer(records.end_ms)
    cost = np.frombuffer(records.cost_cents)
    quantities: dict[str, Quantity] = {
        "duration": lambda at: end[at] - start[at],
        "cost": lambda at: cost[at],
    }
    for what, values in quantities.items():
        typical = _medians(skill, values, len(records.skill.names))
        off = np.concatenate([_off(skill, values, typical, at) for at in _windows(len(skill))])
        for code in np.unique(skill[off]):
            name = records.skill.names[code]
            detail = f"a {what} about 1,000 times off the median of {name}: another unit? It is used as it is"
            yield _flaw("unit_slip", detail, lines, off[skill[off] == code], True)


def _around(records: Records, lines: "array[int]") -> Iterator[Flaw]:
    """Skills that nearly always begin before and end after all others of their run: spans around these, not steps."""
    skill = np.frombuffer(records.skill.codes, np.intc)
    of_skill = np.zeros(len(records.skill.names), np.intp)
    found = []
    for window in _all_windows(records):
        of_skill += np.bincount(skill[window], minlength=len(of_skill))
        run = np.frombuffer(records.run.codes, np.intc)[window]
        start, end = (np.frombuffer(c)[window] for c in (records.start_ms, records.end_ms))
        order = np.lexsort((end, run))
        first = np.flatnonzero(np.diff(run[order], prepend=-1))
        many = np.diff(np.append(first, len(run)))
        last = order[first + many - 1]
        earliest = np.minimum.reduceat(start[order], first) if first.size else start
        found.append(last[(many >= _FAMILY) & (start[last] <= earliest + _SLACK_MS)] + window.start)
    rows = np.concatenate(found)
    for code in np.unique(skill[rows]):
        ours = rows[skill[rows] == code]
        if len(ours) >= max(_OFTEN, _NEARLY_ALWAYS * of_skill[code]):
            name = records.skill.names[code]
            detail = f"{name} begins first and ends last in its runs: a span around the others is no step (--without)"
            yield _flaw("span_around", detail, lines, ours, True)


def _medians(skill: NDArray[np.intc], values: "Quantity", skills: int) -> NDArray[np.float64]:
    """By skill, of 200,000 rows at most; NaN where none of these has a value above 0."""
    sample = np.arange(0, len(skill), len(skill) // 200_000 + 1)
    found = values(sample)
    with np.errstate(invalid="ignore"):
        sample, found = sample[found > 0], found[found > 0]
    ranked = np.lexsort((found, skill[sample]))
    first = np.searchsorted(skill[sample][ranked], np.arange(skills + 1))
    middle = (first[:-1] + first[1:]) // 2
    medians = np.full(skills, np.nan)
    there = np.diff(first) > 0
    medians[there] = found[ranked][middle[there]]
    return medians


def _off(skill: NDArray[np.intc], values: "Quantity", typical: NDArray[np.float64], at: slice) -> Rows:
    found = values(at)
    ratio = found / typical[skill[at]]
    rows: Rows = np.flatnonzero((found > 0) & ((ratio >= _OFF) | (ratio <= 1 / _OFF))) + at.start
    return rows


def _windows(size: int) -> Iterator[slice]:
    return (slice(at, min(at + _WINDOW, size)) for at in range(0, size, _WINDOW))


def _overtaking(records: Records) -> Rows:
    """Rows that start before the last end of a step they come after, among rows that started around then."""
    names = {name: code for code, name in enumerate(records.step.names)}
    before = [[names[step] for step in after.split() if step in names] for after in records.after.names]
    if not any(before):
        return np.zeros(0, np.intp)
    counts = np.array([*map(len, before), 0])
    flat = np.array([step for steps in before for step in steps])
    first = np.concatenate([[0], np.cumsum(counts[:-1])])
    size = len(records.start_ms)
    found = [_overtaking_in(records, at, counts, flat, first) + at.start for at in _windows(size)]
    return np.concatenate(found)


def _overtaking_in(records: Records, window: slice, counts: Rows, flat: Rows, first: Rows) -> Rows:
    key = _ids(records.run, records.step, window)
    times = _Times(np.frombuffer(records.start_ms)[window], np.frombuffer(records.end_ms)[window])
    ended = np.flatnonzero(~np.isnan(times.end))
    order = ended[np.lexsort((times.end[ended], key[ended]))]
    last = order[np.append(key[order][1:] != key[order][:-1], True)] if order.size else order
    after = np.frombuffer(records.after.codes, np.intc)[window]
    many = counts[after]
    rows = np.repeat(np.arange(len(after)), many)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(many) - many, many)
    steps = flat[first[after[rows]] + within] if len(rows) else rows
    run = np.frombuffer(records.run.codes, np.intc)[window].astype(np.int64)
    wanted = run[rows] * len(records.step.names) + steps
    place = np.searchsorted(key[last], wanted).clip(max=max(0, len(last) - 1))
    hit = (key[last][place] == wanted) if last.size else np.zeros(len(rows), bool)
    early = times.start[rows[hit]] < times.end[last[place[hit]]] - _SLACK_MS
    return np.unique(rows[hit][early])


def _ids(run: Coded, step: Coded, window: slice = slice(None)) -> NDArray[np.int64]:
    """One number for each run and step."""
    of_run = np.frombuffer(run.codes, np.intc)[window].astype(np.int64)
    return of_run * len(step.names) + np.frombuffer(step.codes, np.intc)[window]


def _flaw(code: str, detail: str, lines: "array[int]", rows: Rows, kept: bool) -> Flaw:
    return Flaw(code, detail, int(np.frombuffer(lines, np.uintc)[rows].min()), len(rows), kept)
