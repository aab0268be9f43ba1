"""Small pictures out of block characters: a distribution, a bar on a time axis. One line each, pure strings."""

from collections.abc import Sequence

LIMIT = "│"

_BLOCKS = "▁▂▃▄▅▆▇█"


def histogram(edges: Sequence[float], counts: Sequence[int], limit: float | None, width: int) -> str:
    """Counts as blocks, one cell each, with a `│` where the limit lies.

    A cell that any sample fell into is never blank; the fullest is as high as the line. A limit below all samples
    stands before them, one above them at its distance if that is within `width` cells. Samples that are all the
    same (one edge), and pictures that don't fit, are "".
    """
    if len(edges) < 2 or len(counts) >= width:
        return ""
    top = max(counts)
    cells = "".join(_BLOCKS[_level(n, top)] if n else " " for n in counts)
    if limit is None:
        return cells
    at = max(0, int((limit - edges[0]) / (edges[-1] - edges[0]) * len(counts)))
    return cells if at >= width else cells[:at].ljust(at) + LIMIT + cells[at:]


def bar(start: float, length: float, whole: float, width: int) -> str:
    """The stretch from `start` on an axis of `width` cells that stands for `whole`: at least one cell.

    Ends are rounded to cells, so a bar begins where the one before it ended.
    """
    if whole <= 0:
        return "━"
    first = min(width - 1, round(start / whole * width))
    last = min(width, max(first + 1, round((start + length) / whole * width)))
    return " " * first + "━" * (last - first)


def _level(n: int, top: int) -> int:
    return -(-n * len(_BLOCKS) // top) - 1
