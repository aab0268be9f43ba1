"""Text that a requester wrote, shown so that it can neither imitate nor hide a line of anybody else.

It stands in a block of its own, every line of it behind a gutter, and what does not show itself, or shows as something
else than it is, is written as an escape: `\\x1b`, `\\u200b`, `\\U000e0041`.
"""

import unicodedata
from collections.abc import Iterator
from itertools import islice

from rich.cells import cell_len

from aos.report.parts.page import FAINT, Line

__all__ = ["GUTTER", "block", "tame"]

GUTTER = "│ "
LINES = 12
"""Lines of one text that are shown."""

_MARKS = 2
"""Combining marks on one letter; more of them reach into other lines."""
_NOTHING_SEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def tame(text: str) -> str:
    """One line in which every character shows, takes the cells that it seems to, and stays where it is."""
    marks, shown = 0, list[str]()
    for char in text:
        kind = unicodedata.category(char)
        marks = marks + 1 if kind[0] == "M" else 0
        shown.append(_escape(char) if _hides(char, kind) or marks > _MARKS or (not shown and marks) else char)
    return "".join(shown)


def block(text: str, width: int, lines: int = LINES) -> Iterator[Line]:
    """The text in lines of at most `width` cells, each behind the gutter; an empty text is said to be one."""
    if not text:
        yield [(GUTTER, FAINT), ("(nothing)", FAINT)]
        return
    wrapped = list(islice(_wrapped(text, width - len(GUTTER)), lines + 1))
    for line in wrapped[:lines]:
        yield [(GUTTER, FAINT), line]
    if len(wrapped) > lines:
        yield [(GUTTER, FAINT), (f"… {len(text):,} characters in all"[: width - len(GUTTER)], FAINT)]


def _wrapped(text: str, width: int) -> Iterator[str]:
    for paragraph in text.replace("\r\n", "\n").split("\n"):
        line, used = "", 0
        for char in tame(paragraph):
            size = cell_len(char)
            if used + size > width:
                yield line
                line, used = "", 0
            line, used = line + char, used + size
        yield line


def _hides(char: str, kind: str) -> bool:
    variation = "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"
    return kind in _HIDDEN or (kind == "Zs" and char != " ") or char in _NOTHING_SEEN or variation


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
