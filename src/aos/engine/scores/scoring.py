"""Scores of forecasts against what happened. Lower is better; coverage should be what it claims.

A forecast is given by its quantiles at levels that rise inside (0, 1); outcomes are arrays of one value each.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GRID: Floats = (np.arange(100) + 0.5) / 100
"""The levels at which CRPS is taken: the middles of a hundred equal shares."""

_SURE = 1e-3
"""Log loss of a sure forecast that is wrong would be infinite; nobody is surer than this."""


def quantiles_of(values: Floats, levels: Floats, weights: Floats | None = None) -> Floats:
    """Quantiles of draws, linear in between; weighted ones stand at the middle of their share of the weight."""
    if weights is None:
        return np.quantile(values, levels)
    ranked = np.argsort(values, kind="stable")
    weights = weights[ranked]
    reached = np.cumsum(weights) - 0.5 * weights
    return np.interp(levels, reached / weights.sum(), values[ranked])


def pinball(level: float, quantile: float | Floats, outcomes: Floats) -> float:
    """Mean of rho_t(y - q) = max(t (y - q), (t - 1)(y - q)). Source: Koenker & Bassett (1978), Econometrica 46."""
    late = outcomes - quantile
    return float(np.maximum(level * late, (level - 1) * late).mean())


def crps(quantiles: Floats, outcomes: Floats) -> float:
    """Mean continuous ranked probability score of a forecast given by its quantiles at GRID, in the outcomes' unit.

    CRPS(F, y) = 2 * integral over t of rho_t(y - F^-1(t)), as a sum over GRID.
    Source: Gneiting & Raftery (2007), JASA 102, eq. 21; Laio & Tamea (2007), HESS 11.
    """
    return float(crps_rows(quantiles[None, :], np.sort(outcomes))[0])


def crps_rows(quantiles: Floats, outcomes: Floats) -> Floats:
    """CRPS of many forecasts (rows, at GRID) against the same outcomes, which must be ascending.

    With sums of the sorted outcomes it costs a search a quantile: mean rho_t(y - q) is
    t (mean y - q) + mean over y < q of (q - y).
    """
    n = len(outcomes)
    below = np.searchsorted(outcomes, quantiles)
    sums = np.concatenate([[0.0], np.cumsum(outcomes)])
    losses = GRID * (sums[-1] / n - quantiles) + (below * quantiles - sums[below]) / n
    rows: Floats = 2 * losses.mean(axis=1)
    return rows


def crps_of_point(point: float, outcomes: Floats) -> float:
    """CRPS of a forecast that knows only one value: the mean absolute error."""
    return float(np.abs(outcomes - point).mean())


def pit(quantiles: Floats, levels: Floats, outcomes: Floats) -> Floats:
    """Probability integral transform: the level at which each outcome stands, uniform if the forecast is right.

    0 and 1 stand for outcomes beyond the outermost quantiles. Source: Dawid (1984), JRSS A 147.
    """
    return np.interp(outcomes, quantiles, levels, left=0.0, right=1.0)


def coverage(low: float | Floats, high: float | Floats, outcomes: Floats) -> float:
    """Share of outcomes within [low, high]."""
    return float(((low <= outcomes) & (outcomes <= high)).mean())


def brier(chance: float | Floats, happened: Floats) -> float:
    """Mean squared error of a probability. Source: Brier (1950), Monthly Weather Review 78."""
    return float(((chance - happened) ** 2).mean())


def log_loss(chance: float | Floats, happened: Floats) -> Floats:
    """-ln of the probability given to each thing that happened; forecasts are cut to [0.001, 0.999]."""
    sure = np.clip(chance, _SURE, 1 - _SURE)
    loss: Floats = -np.where(happened > 0, np.log(sure), np.log(1 - sure))
    return loss


class Score(NamedTuple):
    """How one forecast did: shares of `n` outcomes inside its intervals and beyond its tails, CRPS in their unit."""

    n: int
    in50: float
    in90: float
    in95: float
    over95: float
    over99: float
    crps: float
    mean: float
    p50_error: float
    p95_error: float


def score(quantiles: Floats, levels: Floats, outcomes: Floats) -> Score:
    """Score a forecast against its outcomes. The errors are relative, to the outcomes' own median and p95."""

    def at(wanted: Floats) -> Floats:
        return np.interp(wanted, levels, np.maximum.accumulate(quantiles))

    p025, p05, p25, p50, p75, p95, p975, p99 = at(np.array([0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975, 0.99]))
    real50, real95 = np.quantile(outcomes, [0.5, 0.95])
    return Score(
        n=len(outcomes),
        in50=coverage(p25, p75, outcomes),
        in90=coverage(p05, p95, outcomes),
        in95=coverage(p025, p975, outcomes),
        over95=float((outcomes > p95).mean()),
        over99=float((outcomes > p99).mean()),
        crps=crps(at(GRID), outcomes),
        mean=float(outcomes.mean()),
        p50_error=float(abs(p50 - real50) / max(real50, 1e-12)),
        p95_error=float(abs(p95 - real95) / max(real95, 1e-12)),
    )


class Own(NamedTuple):
    """How a forecast did on the one outcome it was made for.

    `percentile` is where the outcome stands in the forecast, from 0 to 1, in the middle of its share where the forecast
    has many such values. `pinball` is by level; like `crps` it is in the outcome's unit.
    """

    percentile: float
    crps: float
    pinball: tuple[tuple[float, float], ...]


def own_score(levels: Sequence[float], quantiles: Sequence[float], outcome: float) -> Own:
    """Score a forecast given by its quantiles, of which the outermost stand for all beyond them."""
    at, values, one = np.asarray(levels), np.maximum.accumulate(quantiles), np.array([outcome])
    first, last = np.searchsorted(values, outcome, "left"), np.searchsorted(values, outcome, "right") - 1
    stands = (at[first] + at[last]) / 2 if first < last else pit(values, at, one)[0]
    wanted = (0.5, 0.9, 0.95, 0.99)
    lost = tuple((level, pinball(level, float(np.interp(level, at, values)), one)) for level in wanted)
    return Own(float(stands), crps(np.interp(GRID, at, values), one), lost)
