"""The rows of a file of recorded runs, CSV or JSONL, in batches: a sequence of cells for each column.

A quote that nobody closed would take all that follows into its cell. So what spans several lines has to be sound by
itself; otherwise its first line alone is given up, and those after it are read again.
"""

import csv
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple, cast

from aos.wire.records.cells import Cell
from aos.wire.records.headers import Declared

__all__ = ["Batch", "CsvRows", "json_batches"]

_SIZE = 8_192
_DELIMITERS = ",;\t"
_UNCLOSED = "a quote in it is not closed"

Dropped = Callable[[str, str, Sequence[int]], None]
"""Takes what is left out: a code, what is wrong, the lines where it stands."""


class Batch(NamedTuple):
    """Rows of a file: the line where each begins, and the cells of each column."""

    lines: list[int]
    cells: dict[str, Sequence[Cell]]


class _Lines:
    """Lines of a file, those of one row held until it is known to be sound."""

    def __init__(self, stream: Iterable[str]) -> None:
        self._stream = iter(stream)
        self._again = deque[str]()
        self.held: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._stream)
        self.held.append(line)
        return line

    def read_again(self) -> None:
        """All that is held but the first line."""
        self._again.extendleft(reversed(self.held[1:]))
        del self.held[1:]


class CsvRows:
    """The rows of a CSV file, whose cells are parted by what its first line has most of: commas, semicolons or tabs."""

    def __init__(self, stream: Iterable[str]) -> None:
        lines = iter(stream)
        first = next(lines, "")
        self._how = {"delimiter": max(_DELIMITERS, key=first.count), "skipinitialspace": True}
        self._lines = _Lines(chain([first], lines))
        self._number = 1
        self.header = [cell.strip() for cell in next(self._reader(self._lines), [])]
        self._begin_row()

    def batches(self, header: Sequence[str], drop: Dropped) -> Iterator[Batch]:
        """The rows by the names in `header`; those of more or fewer cells are dropped."""
        rows = self._rows(len(header), drop)
        while chunk := list(islice(rows, _SIZE)):
            cells = zip(*(row for _, row in chunk), strict=True)
            yield Batch([line for line, _ in chunk], dict(zip(header, cells, strict=True)))

    def _rows(self, width: int, drop: Dropped) -> Iterator[tuple[int, list[str]]]:
        reader, held = self._reader(self._lines), self._lines.held
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._give_up(_UNCLOSED if len(held) > 1 else str(error), drop)
                continue
            if len(held) > 1 and not self._sound(held, width):
                self._give_up(_UNCLOSED, drop)
                continue
            if len(row) == width:
                yield self._number, row
            elif row:
                drop(
                    "malformed_row", f"more or fewer cells than the header, which has {width}", [self._number]
                )
            self._begin_row()

    def _sound(self, lines: Sequence[str], width: int) -> bool:
        try:
            (row,) = self._reader(lines, strict=True)
        except (csv.Error, ValueError):
            return False
        return len(row) == width

    def _give_up(self, why: str, drop: Dropped) -> None:
        """What began on this line is no row; what came after it may be."""
        drop("malformed_row", why, [self._number])
        self._lines.read_again()
        self._begin_row()

    def _begin_row(self) -> None:
        self._number += len(self._lines.held)
        self._lines.held.clear()

    def _reader(self, lines: Iterable[str], *, strict: bool = False) -> Iterator[list[str]]:
        return csv.reader(lines, **self._how, strict=strict)  # type: ignore[arg-type]


def json_batches(stream: Iterable[str], declared: Declared, drop: Dropped) -> Iterator[Batch]:
    """One JSON object a line, its keys as they are called here; what is none is dropped.

    A declared column that no row has, and whose name has dots, is looked for inside of objects.
    """
    lines = enumerate(stream, 1)
    while chunk := list(islice(lines, _SIZE)):
        yield _json_batch(chunk, declared, drop)


def _json_batch(chunk: Sequence[tuple[int, str]], declared: Declared, drop: Dropped) -> Batch:
    lines, objects = list[int](), list[dict[str, Cell]]()
    for line, written in chunk:
        try:
            value = json.loads(written)
        except (ValueError, RecursionError):
            if written.strip():
                drop("malformed_row", "no JSON object", [line])
            continue
        if not isinstance(value, dict):
            drop("malformed_row", "no JSON object", [line])
            continue
        lines.append(line)
        objects.append(value)
    keys = dict.fromkeys(key for row in objects for key in row)
    columns: dict[str, Sequence[Cell]] = {key: [row.get(key) for row in objects] for key in keys}
    for path in declared.paths():
        if path not in columns:
            inner = [_inside(row, path.split(".")) for row in objects]
            if any(cell is not None for cell in inner):
                columns[path] = inner
    # A column that is renamed takes the place of one that has its new name.
    ranked = sorted(columns, key=lambda key: declared.name(key) != key)
    return Batch(lines, {declared.name(key): columns[key] for key in ranked})


def _inside(row: Mapping[str, Cell], path: Sequence[str]) -> Cell:
    cell: Any = row
    for key in path:
        cell = cell.get(key) if isinstance(cell, dict) else None
    return cast(Cell, cell)
