"""How fast the level of a skill's times moves: what makes old records say less.

The log of the level is taken for a random walk whose variance grows by v a day. With medians m of consecutive blocks of
records at mean times t, a third of the blocks apart, (m' - m)^2 is v (t' - t) on average, and what their noise adds: of
the median of n values with the spread s, (pi / 2) s^2 / n (method of moments; Cressie 1993, Statistics for Spatial
Data, section 2.4). Farther apart than neighbours, so that a level which comes and goes is not taken for one that
leaves. Half of a variant's v is its own, half is the typical one of its relatives.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from aos.engine.sampling.distributions import Floats

_BLOCKS, _LEAST = 12, 8
"""Blocks of a series at the most, and records in one at the least."""
_FEWEST = 3
_DAY_MS = 86_400_000.0
_YEAR_DAYS = 365.25
_NORMAL_MAD = 1.4826
_MOST = 3.0


class Dated(NamedTuple):
    """The times of one variant (positive), oldest first, and when each attempt started (ms since 1970)."""

    start: Floats
    time: Floats


class Walk(NamedTuple):
    """The standard deviation that the log of a level gains in a year, and from how many records that is known."""

    per_year: float
    records: int


def walks(variants: Sequence[Dated]) -> list[Walk | None]:
    """Of each variant of a skill; None for all where no series is long enough."""
    own = [_per_day(variant) for variant in variants]
    known = [per_day for per_day in own if per_day is not None]
    if not known:
        return [None] * len(variants)
    typical = float(np.median(known))
    return [
        Walk(
            float(min(np.sqrt((typical if v is None else (v + typical) / 2) * _YEAR_DAYS), _MOST)),
            len(variant.time),
        )
        for v, variant in zip(own, variants, strict=True)
    ]


def _per_day(variant: Dated) -> float | None:
    parts = list(_moves(variant))
    squares, noise, days = (sum(column) for column in zip(*parts, strict=True)) if parts else (0.0, 0.0, 0.0)
    return max(0.0, (squares - noise) / days) if days > 0 else None


def _moves(variant: Dated) -> Iterator[tuple[float, float, float]]:
    """(square of the move, what noise adds to it, days) between blocks that are a third of the series apart."""
    blocks = min(_BLOCKS, len(variant.time) // _LEAST)
    if blocks < _FEWEST:
        return
    parts = [
        (part.mean(), *_middle(logs))
        for part, logs in zip(
            np.array_split(variant.start, blocks), np.array_split(np.log(variant.time), blocks), strict=True
        )
    ]
    for (before, old, old_noise), (after, new, new_noise) in zip(
        parts[: -(blocks // 3)], parts[blocks // 3 :], strict=True
    ):
        yield (new - old) ** 2, old_noise + new_noise, (after - before) / _DAY_MS


def _middle(logs: Floats) -> tuple[float, float]:
    median = float(np.median(logs))
    spread = _NORMAL_MAD * float(np.median(np.abs(logs - median)))
    return median, np.pi / 2 * spread**2 / len(logs)
