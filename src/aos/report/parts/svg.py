"""Small pictures as inline SVG: a distribution with its limit, a stretch on an axis.

Positions are percentages, so that a picture is as wide as its place and its letters keep their size.
"""

from typing import NamedTuple

from aos.report.forecast.words import Quantity
from aos.report.parts.markup import Html, join, tag

_TOP, _PLOT, _ROW = 24, 110, 19
"""Pixels: what stands above the cells (the limit), the cells, a line of text."""
_STRETCH = 1.6
"""The axis goes on to a limit or quantile that lies within this many times the cells' width."""
_MIDDLE = 55.0


class _Axis(NamedTuple):
    """What a picture spans, from `low` to `high`, and where its cells end."""

    low: float
    high: float
    cells: float

    def at(self, value: float) -> float:
        """Percent from the left, at most 100 whatever lies beyond."""
        return min(100.0, max(0.0, (value - self.low) / (self.high - self.low) * 100))


def histogram(quantity: Quantity) -> Html:
    """The cells of a quantity's known spread, its quantiles below, its limit above; "" where all samples are alike."""
    spread = quantity.shown
    if len(spread.edges) < 2:
        return join()
    axis = _axis(quantity)
    marks = quantity.quantiles()
    height = _TOP + _PLOT + _ROW * (len(marks) + 1)
    name = f"histogram-{quantity.noun}"
    told = ", ".join(f"{mark} {quantity.write(value)}" for mark, value in marks)
    limit = "" if quantity.limit is None else f", {quantity.limit_words}"
    return tag(
        "svg",
        tag("title", f"How the {quantity.noun} is distributed", id=f"{name}-title"),
        tag("desc", f"{told}{limit}. The cells end at p95.", id=f"{name}-desc"),
        _cells(spread.counts, axis),
        tag("line", x1="0", x2="100%", y1=_TOP + _PLOT, y2=_TOP + _PLOT, class_="axis"),
        tag("text", quantity.write(axis.low), x="0", y=_TOP + _PLOT + 14, class_="faint"),
        tag("text", quantity.write(axis.high), x="100%", y=_TOP + _PLOT + 14, class_="faint end"),
        *(_quantile(axis, mark, value, quantity.write(value), i) for i, (mark, value) in enumerate(marks)),
        join() if quantity.limit is None else _limit(axis, quantity.limit, quantity.limit_words),
        class_="histogram",
        width="100%",
        height=height,
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )


def bar(start: float, length: float, whole: float, class_: str = "") -> Html:
    """The stretch from `start` on an axis that stands for `whole`; never too small to be seen. For the eye only."""
    at = min(start / whole * 100, 99.0) if whole else 0.0
    wide = min(100 - at, max(length / whole * 100, 0.6)) if whole else 100.0
    drawn = tag("rect", x=f"{at:.4g}%", width=f"{wide:.4g}%", height="100%", rx=2)
    return tag("svg", drawn, class_=f"bar {class_}".rstrip(), aria_hidden="true")


def _axis(quantity: Quantity) -> _Axis:
    """Cells end at the p95; what lies not far beyond is given room."""
    low, cells = quantity.shown.edges[0], quantity.shown.edges[-1]
    values = [value for _, value in quantity.quantiles()]
    values += [] if quantity.limit is None else [quantity.limit]
    near = [value for value in values if value <= low + _STRETCH * (cells - low)]
    return _Axis(low, max(cells, *near) if near else cells, cells)


def _cells(counts: tuple[int, ...], axis: _Axis) -> Html:
    """One outline, a unit wide for each cell; a cell that any sample fell into is seen."""
    top = max(counts)
    steps = (f"V{100 - max(n / top * 100, n and 1):.4g}H{i + 1}" for i, n in enumerate(counts))
    outline = tag("path", d=f"M0 100{''.join(steps)}V100Z", class_="cells")
    return tag(
        "svg",
        outline,
        viewBox=f"0 0 {len(counts)} 100",
        preserveAspectRatio="none",
        x="0",
        y=_TOP,
        width=f"{axis.at(axis.cells):.4g}%",
        height=_PLOT,
    )


def _quantile(axis: _Axis, name: str, value: float, written: str, row: int) -> Html:
    """A line down to a label in a row of its own, so that no two can collide."""
    y = _TOP + _PLOT + _ROW * (row + 2) - 5
    return _mark(axis, value, f"{name} {written}", y, (_TOP + _PLOT, y), "quantile")


def _limit(axis: _Axis, value: float, words: str) -> Html:
    return _mark(axis, value, words, 15, (4, _TOP + _PLOT), "limit")


def _mark(axis: _Axis, value: float, words: str, y: float, line: tuple[float, float], class_: str) -> Html:
    """A line and its label beside it, where there is more room; an arrow alone to what lies beyond the axis."""
    at = f"{axis.at(value):.4g}%"
    end = axis.at(value) > _MIDDLE
    beyond = axis.at(value) in (0.0, 100.0) and not axis.low <= value <= axis.high
    arrow = (f"{words} →" if end else f"← {words}") if beyond else words
    gap = 0 if beyond else -6 if end else 6
    label = tag("text", arrow, x=at, dx=gap, y=y, class_=f"{class_} end" if end else class_)
    drawn = tag("line", x1=at, x2=at, y1=line[0], y2=line[1], class_=class_)
    return label if beyond else join(drawn, label)
