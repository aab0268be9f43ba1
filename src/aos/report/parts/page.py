"""A page of text for a terminal: labelled sections, laid out by rich. Importing this module is what loads rich."""

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import zip_longest

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from aos.wire.problems import visible

Part = str | tuple[str, str]
"""Text, or text and its style."""
Line = Part | list[Part]
"""One part, or several behind each other."""

# The terminal's own palette, chosen by its owner to be readable; and no colour carries a meaning alone.
GOOD, BAD, OPEN, BAR, STRONG, FAINT = "green", "red", "yellow", "cyan", "bold", "dim"

_LONGEST = 2_000
"""Characters of one text that are shown."""
_WIDEST = 100
"""Columns used, however wide the terminal: longer lines are hard to read."""
_NARROWEST = 40
_GAP = 2
_LEAST = 6
"""Columns below which a name is not cut and text is not broken."""
_LEFT_OUT = "a wider terminal shows more columns"

# What pictures are made of becomes one character each, so that they keep their shape.
_ASCII = str.maketrans(
    dict(zip("▁▂▃▄▅▆▇█│━✗×", ".:-=+*#@|=xx", strict=True)) | {"±": "+-", "…": "...", "→": "->"}
)
_CUT_OFF = str.maketrans({"…": "~"})


def left_out(count: int, style: str = FAINT) -> Iterator[Line]:
    """The line below a list that leaves out so many; none where it leaves out none."""
    if count > 0:
        yield (f"… and {count:,} more", style)


class Page:
    """Lines and sections, in the order in which they are added; `str(page)` is the text.

    Every text goes through one door: control characters become visible, nothing is read as markup, and with
    `ascii` all of it is ASCII. `labels` is the width of the sections' labels.
    """

    def __init__(self, width: int, colour: bool, ascii: bool, labels: int = 0) -> None:
        self.width = min(max(width, _NARROWEST), _WIDEST)
        self.inner = self.width - (labels + _GAP if labels else 0)
        self._ascii = ascii
        self._left_out = False
        self._lines: list[str] = []
        self._console = Console(
            file=StringIO(),  # never the process's own output
            width=10 * _WIDEST,
            height=25,  # without one, a dumb terminal is taken to have 80 columns
            color_system="standard" if colour else None,
            force_terminal=colour,
            force_jupyter=False,
            no_color=not colour,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
            _environ={},
        )

    def add(self, row: Line | Table = "") -> None:
        """A line or a table over the whole width."""
        self._lines += self._drawn(row, self.width)

    def section(self, label: str, rows: Iterable[Line | Table]) -> None:
        """Rows beside a label, after a blank line. Without rows nothing is added."""
        lines = [line for row in rows for line in self._drawn(row, self.inner)]
        if lines:
            margin = " " * (self.width - self.inner)
            (drawn,) = self._drawn((label, STRONG), self.inner)
            self._lines += [
                "",
                drawn + margin[len(label) :] + lines[0],
                *(margin + line for line in lines[1:]),
            ]

    def table(self, columns: str, rows: Iterable[Sequence[Line]], widths: Sequence[int] = ()) -> Table:
        """Cells in columns, a letter for each.

        `l`eft and `r`ight keep their width; `w`rapped text, `p`ointers (broken anywhere) and `n`ames (cut off,
        as a last resort) make room for them. Where that is not enough, the last columns are
        left out. With `widths` they are at least so wide, as those of another table are.
        """
        table = Table.grid(padding=(0, _GAP, 0, 0))
        for kind, width in zip_longest(columns, widths):
            table.add_column(
                justify="right" if kind == "r" else "left",
                no_wrap=kind in "lr",
                overflow="ellipsis" if kind == "n" else "fold",
                min_width=width,
                max_width={"n": self.inner // 3, "p": self.inner * 2 // 5}.get(kind),
            )
        for row in rows:
            table.add_row(*map(self._drawable, row))
        return table

    def beside(self, table: Table) -> int:
        """How many cells are left for one more column in a section's table."""
        return self.inner - self._console.measure(table).maximum - _GAP

    def __str__(self) -> str:
        lines = [*self._lines, "", _LEFT_OUT] if self._left_out else self._lines
        return "".join(f"{line.rstrip()}\n" for line in lines)

    def _drawn(self, row: Line | Table, width: int) -> list[str]:
        if isinstance(row, Table):
            row = self._fitted(row, width)
        with self._console.capture() as drawn:
            self._console.print(self._drawable(row), width=width)
        text = drawn.get()
        return (text.translate(_CUT_OFF) if self._ascii else text).splitlines()

    def _fitted(self, table: Table, width: int) -> Table:
        """The table without its last columns where there is no room for them: a figure without its end is another."""
        while len(table.columns) > 1 and _least(table) > width:
            table.columns.pop()
            self._left_out = True
        return table

    def _drawable(self, row: Line | Table) -> RenderableType:
        if isinstance(row, Table):
            return row
        text = Text()
        for part in row if isinstance(row, list) else [row]:
            content, style = (part, "") if isinstance(part, str) else part
            text.append(self._safe(content), style)
        return text

    def _safe(self, text: str) -> str:
        shown = visible(text, _LONGEST)
        return shown.translate(_ASCII).encode("ascii", "backslashreplace").decode() if self._ascii else shown


def _least(table: Table) -> int:
    """How many columns of the terminal a table needs."""
    least = -_GAP
    for column in table.columns:
        longest = max((cell_len(str(cell)) for cell in column.cells), default=0)
        least += _GAP + (longest if column.no_wrap else min(longest, _LEAST))
    return least
