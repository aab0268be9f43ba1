"""Recorded executions, column by column: what a catalog is learned from."""

from array import array
from collections.abc import Mapping
from typing import NamedTuple


class Coded(NamedTuple):
    """A column of names: row i holds `names[codes[i]]` ("i" array); -1 is an empty cell."""

    codes: "array[int]"
    names: tuple[str, ...]


class Records(NamedTuple):
    """Attempts of steps of runs, one a row, in the order of their start.

    `start_ms` and `end_ms` are milliseconds on any clock that all rows of a run share (runs are ordered by it);
    NaN where not recorded. `cost_cents` is NaN where nobody recorded it. `failed` is 0 or 1; a failed row has its
    `code`. `attempt` counts from 1 within (run, step). `after` names the steps that a step started after, ids joined
    by spaces. `conditions` split a skill into variants (provider, region); `features` are numbers known before the
    attempt (tokens).
    """

    run: Coded
    step: Coded
    skill: Coded
    start_ms: "array[float]"
    end_ms: "array[float]"
    cost_cents: "array[float]"
    failed: bytearray
    code: Coded
    attempt: "array[int]"
    after: Coded
    conditions: Mapping[str, Coded]
    features: Mapping[str, "array[float]"]


class Flaw(NamedTuple):
    """A row that could not be used as it stands, or not at all: counted and reported, never dropped in silence.

    `line` is that of the first such row, `rows` how many there are, `kept` whether they are used all the same.
    """

    code: str
    detail: str
    line: int
    rows: int
    kept: bool


class ReadRecords(NamedTuple):
    """Records with what was wrong in the file they are from."""

    records: Records
    rows: int
    flaws: tuple[Flaw, ...]
