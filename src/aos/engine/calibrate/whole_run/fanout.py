"""The law of a fan-out: how the delay of the last sibling grows with their number, from widths that were recorded.

ln delay = own level + growth * log2(width / widest recorded) + own noise. The growth for each doubling is pooled
over the variants that share the condition whose values explain it best; how it differs among them is how unsure it is.
Where fan-outs of one width alone were recorded it lies between none and in proportion to the width.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from aos.domain.skills.distributions import Quantiles
from aos.domain.skills.skill import FanOut, Provenance
from aos.engine.calibrate.skill.times import short
from aos.engine.calibrate.table import Variant, age
from aos.engine.calibrate.whole_run.runs import Shape
from aos.engine.sampling.distributions import Floats

_LEAST_DELAY = 1.0
_WIDEN = 1.25
"""Of the spread of the growth: a doubling beyond what was recorded is less sure than one within."""
_LONE_GROWTH_SD = 0.3
_UNSEEN_GROWTH, _UNSEEN_GROWTH_SD = 0.35, 0.35
"""Between 0, all at once, and ln 2 = 0.69, one after the other."""
_LEAST_SHRINK = 0.7
_NEXT_WIDEST, _WIDEST = 1.0, 2.0
"""How much the two widest recorded widths count for the level."""


class Group(NamedTuple):
    """Recorded fan-outs of one variant and width: how late each sibling started, [run, sibling] ascending, ms."""

    variant: int
    width: int
    late: Floats
    began: Floats

    @property
    def log_delay(self) -> Floats:
        """Of the last sibling of each run."""
        return np.log(np.maximum(self.late[:, -1], _LEAST_DELAY))


def groups(shapes: Sequence[Shape]) -> list[Group]:
    """All siblings that started after the same steps, in runs that did not fail."""
    found: dict[tuple[int, int], list[tuple[Floats, Floats]]] = {}
    for shape in shapes:
        through = shape.ran_through
        for variant, siblings in shape.siblings() if through.any() else ():
            late = np.sort(shape.gap[through][:, siblings], axis=1)
            found.setdefault((variant, len(siblings)), []).append((late, shape.began[through]))
    return [
        Group(variant, width, np.concatenate([a for a, _ in parts]), np.concatenate([b for _, b in parts]))
        for (variant, width), parts in sorted(found.items())
    ]


def laws(found: Sequence[Group], variants: Sequence[Variant]) -> dict[int, FanOut]:
    """A law for each variant with recorded fan-outs; those of one skill share their growth."""
    by_variant: dict[int, list[Group]] = {}
    for group in found:
        by_variant.setdefault(group.variant, []).append(group)
    out = {}
    for skill in sorted({variants[v].skill for v in by_variant}):
        ours = {v: g for v, g in by_variant.items() if variants[v].skill == skill}
        column = _column(ours, variants)
        for v, recorded in ours.items():
            peers = [g for u, g in ours.items() if _value(variants[u], column) == _value(variants[v], column)]
            out[v] = _law(recorded, peers)
    return out


def _law(recorded: Sequence[Group], peers: Sequence[Sequence[Group]]) -> FanOut:
    growths = np.concatenate([_growths(groups) for groups in peers])
    narrowing = np.concatenate([_narrowing(groups) for groups in peers])
    growth, unsure = _growth(growths)
    widest = recorded[-1]
    told = [g.log_delay.mean() + growth * np.log2(widest.width / g.width) for g in recorded[-2:]]
    level = np.average(told, weights=[_NEXT_WIDEST, _WIDEST][-len(told) :])
    noise = np.sort(widest.log_delay) - widest.log_delay.mean()
    shrink = float(np.clip(np.exp(0.5 * narrowing.mean()), _LEAST_SHRINK, 1.0)) if narrowing.size else 1.0
    shares = np.mean(widest.late / np.maximum(widest.late[:, -1:], _LEAST_DELAY), axis=0)
    count = len(noise)
    return FanOut(
        width=widest.width,
        delay=Quantiles(
            tuple(map(short, (np.arange(count) + 0.5) / count)),
            tuple(map(short, np.exp(level + shrink * noise))),
        ),
        growth=short(growth),
        growth_sd=short(_WIDEN * unsure),
        stairs=(0.0, *map(short, np.minimum(shares, 1.0))),
        provenance=Provenance("measured", "growth by doubling, pooled", count, *age(widest.began)),
    )


def _growth(growths: Floats) -> tuple[float, float]:
    """The growth for each doubling and how unsure that of another fan-out is."""
    if not growths.size:
        return _UNSEEN_GROWTH, _UNSEEN_GROWTH_SD
    if growths.size == 1:
        return float(growths[0]), _LONE_GROWTH_SD
    return float(growths.mean()), float(growths.std(ddof=1) * np.sqrt(1 + 1 / growths.size))


def _growths(recorded: Sequence[Group]) -> Floats:
    """Of the mean log delay, for each doubling between recorded widths."""
    return np.array(
        [
            (b.log_delay.mean() - a.log_delay.mean()) / np.log2(b.width / a.width)
            for a, b in pairwise(recorded)
        ]
    )


def _narrowing(recorded: Sequence[Group]) -> Floats:
    """Of the log spread, for each doubling: wide fan-outs vary less than narrow ones."""
    return np.array(
        [(_log_spread(b) - _log_spread(a)) / np.log2(b.width / a.width) for a, b in pairwise(recorded)]
    )


def _log_spread(group: Group) -> float:
    return float(np.log(group.log_delay.std() + 0.01))


def _column(wide: Mapping[int, Sequence[Group]], variants: Sequence[Variant]) -> int:
    """The condition within whose values the growth differs least; -1 where there is none."""
    best = (np.inf, -1)
    for k in range(len(variants[next(iter(wide))].values)):
        squares, count = 0.0, 0
        for value in {variants[v].values[k] for v in wide}:
            growths = np.concatenate([_growths(g) for v, g in wide.items() if variants[v].values[k] == value])
            if len(growths) > 1:
                squares += float(np.var(growths, ddof=1)) * len(growths)
                count += len(growths)
        if count:
            best = min(best, (squares / count, k))
    return best[1]


def _value(variant: Variant, column: int) -> str:
    return variant.values[column] if column >= 0 else ""
