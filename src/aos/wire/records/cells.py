"""The cells of recorded runs, a batch of one column at a time: numbers, moments, names.

A column is converted in one go, as fast as Python does it; only one that holds something odd is looked at cell by
cell. A cell that is empty becomes NaN or -1, and so does one that can't be read, but that one is told of as well.
"""

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice, repeat

from aos.domain.learning.records import Coded

__all__ = ["Cell", "Guessed", "Names", "moments", "numbers", "texts"]

Cell = str | int | float | bool | list[object] | dict[str, object] | None
"""What stands in a cell: text in CSV, any JSON value in JSONL."""

_NAN = math.nan
_MOST_GUESSED, _MOST_VALUES = 20, 50
"""Columns that are looked at, and values of one that can still be conditions: an id is none."""


class Names(dict[str, int]):
    """A column of names while it grows: a name's code is how many others came before it, -1 is an empty cell."""

    def __init__(self) -> None:
        super().__init__({"": -1})
        self.codes = array("i")

    def __missing__(self, name: str) -> int:
        self[name] = code = len(self) - 1
        return code

    def extend(self, cells: Iterable[str]) -> None:
        """Add a batch of cells."""
        self.codes.extend(map(self.__getitem__, cells))

    def pad(self, count: int) -> None:
        """Let the column have that many cells, those that are missing empty."""
        self.codes.extend(repeat(-1, count - len(self.codes)))

    def coded(self) -> Coded:
        """The column."""
        return Coded(self.codes, tuple(islice(self, 1, None)))


class Guessed:
    """Columns that may be conditions while they grow: those of few values, empty where a batch does not have them."""

    def __init__(self) -> None:
        self._columns: dict[str, Names | None] = {}

    def extend(self, columns: Mapping[str, Sequence[Cell]], before: int, count: int) -> None:
        """Add a batch of `count` rows, of which there are `before` already."""
        for key in columns:
            if key not in self._columns and len(self._columns) < _MOST_GUESSED:
                self._columns[key] = fresh = Names()
                fresh.pad(before)
        for key, names in self._columns.items():
            if names is not None:
                names.extend(texts(columns.get(key), count))
                if len(names) > _MOST_VALUES:
                    self._columns[key] = None

    def coded(self) -> dict[str, Coded]:
        """The columns that are left."""
        return {key: names.coded() for key, names in self._columns.items() if names is not None}


def numbers(cells: Sequence[Cell], scale: float = 1.0) -> tuple[list[float], list[int]]:
    """The cells as finite numbers times `scale`, and the indices of those that are neither numbers nor empty."""
    if bool not in set(map(type, cells)):
        try:
            values = [float(cell) * scale for cell in cells]  # type: ignore[arg-type]
        except (ValueError, TypeError):
            pass
        else:
            if math.isfinite(sum(values)):
                return values, []
    values = [_number(cell, scale) for cell in cells]
    return values, _unread(cells, values)


def moments(cells: Sequence[Cell]) -> tuple[list[float], list[int]]:
    """Like `numbers`, for ISO 8601 (UTC where no offset is given) or epoch seconds; the values are milliseconds."""
    first = next((cell for cell in cells if not _empty(cell)), None)
    if isinstance(first, str) and math.isnan(_number(first)):
        try:
            stated = [datetime.fromisoformat(cell) for cell in cells]  # type: ignore[arg-type]
        except (ValueError, TypeError):
            stated = []
        if stated and all(moment.tzinfo for moment in stated):
            return [moment.timestamp() * 1000 for moment in stated], []
        values = [_moment(cell) for cell in cells]
        return values, _unread(cells, values)
    values, unread = numbers(cells, 1000.0)
    if unread:
        values = [_moment(cell) for cell in cells]
        unread = _unread(cells, values)
    return values, unread


def texts(cells: Sequence[Cell] | None, count: int) -> Sequence[str]:
    """The cells of a column as names, `count` empty ones for a column that is not there.

    JSON values are written out; the ids in an array are joined by spaces.
    """
    if cells is None:
        return [""] * count
    if set(map(type, cells)) == {str}:
        return cells  # type: ignore[return-value]
    return [_text(cell) for cell in cells]


def _text(cell: Cell) -> str:
    match cell:
        case str():
            return cell
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case list():
            return " ".join(map(str, cell))
        case _:
            return str(cell)


def _empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _unread(cells: Sequence[Cell], values: Sequence[float]) -> list[int]:
    return [i for i, value in enumerate(values) if value != value and not _empty(cells[i])]


def _number(cell: Cell, scale: float = 1.0) -> float:
    """A finite number times `scale`, NaN for what is none or overflows."""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return _NAN
    try:
        value = float(cell) * scale
    except (ValueError, OverflowError):
        return _NAN
    return value if math.isfinite(value) else _NAN


def _moment(cell: Cell) -> float:
    """Milliseconds since 1970, NaN for what is no moment."""
    value = _number(cell, 1000.0)
    if value == value or not isinstance(cell, str):
        return value
    try:
        moment = datetime.fromisoformat(cell.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000
    except (ValueError, OverflowError):
        return _NAN
