"""How far to trust forecasts, as inline SVG: the PIT histogram and the reliability diagram.

Where forecasts are right an outcome is as likely to stand in one tenth of its forecast as in another, and what is said
to succeed in 80 % of the cases does in 80 % of them.
"""

import math
from collections.abc import Sequence

from aos.domain.learning.backtest import BINS, Said
from aos.report.figures import chance
from aos.report.parts.markup import Html, join, tag

_PLOT, _LABEL, _TOP = 120, 18, 8
"""Pixels: the columns of a histogram, a line of text, what is free above."""
_SQUARE = 240
_LEFT, _WIDE = 14.0, 82.0
"""Percent: where the axis of said chances begins, how long it is."""
_TICKS = ((0.0, "middle"), (0.5, "middle"), (1.0, "end"))
_Z90 = 1.645
_RADII = (3.0, 9.0)


def pit(counts: Sequence[float], name: str, what: str) -> Html:
    """Columns for the tenths of a forecast, a line where they would all end, and where 90 % of them would by chance."""
    n = sum(counts)
    level = n / BINS
    noise = _Z90 * math.sqrt(level * (1 - 1 / BINS))
    top = 1.05 * max(*counts, level + noise)
    bottom = _TOP + _PLOT
    told = "; ".join(f"{10 * i} to {10 * (i + 1)} %: {chance(c / n)}" for i, c in enumerate(counts))
    columns = (
        tag("rect", x=i + 0.06, width=0.88, y=100 - c / top * 100, height=c / top * 100)
        for i, c in enumerate(counts)
    )

    def across(count: float, kind: str) -> Html:
        y = bottom - max(0.0, count) / top * _PLOT
        return tag("line", x1="0", x2="100%", y1=y, y2=y, class_=kind)

    return _picture(
        name,
        (f"Where outcomes stand in the forecasts of {what}", told),
        bottom + _LABEL,
        tag(
            "svg",
            tag("g", *columns, class_="cells"),
            viewBox=f"0 0 {BINS} 100",
            preserveAspectRatio="none",
            x="0",
            y=_TOP,
            width="100%",
            height=_PLOT,
        ),
        across(0, "axis"),
        across(level, "level"),
        *(across(level + side * noise, "quantile") for side in (-1, 1)),
        _text("0", bottom + 14, "lowest 10 %", "faint"),
        _text("100%", bottom + 14, "highest 10 %", "faint end"),
    )


def reliability(said: Sequence[Said], name: str, what: str) -> Html:
    """What was said across, what happened upwards: a point for each tenth, as large as it has cases, with its noise."""
    told = "; ".join(
        f"said {chance(s.forecast)}, happened {chance(s.happened.value)} of {s.n:,}" for s in said
    )
    most = max(s.n for s in said)
    points = (part for s in said for part in _point(s, most))
    return _picture(
        name,
        (f"How often {what} succeeded, by what was forecast", told),
        _TOP + _SQUARE + 2 * _LABEL,
        tag("line", x1=_across(0), x2=_across(1), y1=_up(0), y2=_up(0), class_="axis"),
        tag("line", x1=_across(0), x2=_across(0), y1=_up(0), y2=_up(1), class_="axis"),
        tag("line", x1=_across(0), x2=_across(1), y1=_up(0), y2=_up(1), class_="level"),
        *points,
        *(_text(_across(p), _up(0) + 16, f"{p * 100:g} %", f"faint {to}") for p, to in _TICKS),
        *(_text(f"{_LEFT - 1:g}%", _up(p) + 4, f"{p * 100:g} %", "faint end") for p, _ in _TICKS),
        _text(_across(0.5), _up(0) + 32, "said", "faint middle"),
        _text(f"{_LEFT + 1:g}%", _up(1) + 8, "happened", "faint"),
    )


def _point(said: Said, most: int) -> tuple[Html, Html]:
    least, greatest = _RADII
    x, (value, se) = _across(said.forecast), said.happened
    low, high = max(0.0, value - _Z90 * se), min(1.0, value + _Z90 * se)
    size = max(least, greatest * math.sqrt(said.n / most))
    return (
        tag("line", x1=x, x2=x, y1=_up(low), y2=_up(high), class_="noise"),
        tag("circle", cx=x, cy=_up(value), r=size, class_="point"),
    )


def _across(share: float) -> str:
    return f"{_LEFT + share * _WIDE:.4g}%"


def _up(share: float) -> float:
    return _TOP + (1 - share) * _SQUARE


def _text(x: str, y: float, words: str, kind: str) -> Html:
    return tag("text", words, x=x, y=y, class_=kind)


def _picture(name: str, told: tuple[str, str], height: float, *inside: Html) -> Html:
    title, description = told
    return tag(
        "svg",
        tag("title", title, id=f"{name}-title"),
        tag("desc", description, id=f"{name}-desc"),
        join(*inside),
        class_="diagram",
        width="100%",
        height=height,
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )
