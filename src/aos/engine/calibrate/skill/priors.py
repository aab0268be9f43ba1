"""What related series say of one another: level and spread of logs, shared along the columns of conditions."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aos.engine.calibrate.skill.experts import Prior
from aos.engine.sampling.distributions import Floats

Columns = Sequence[tuple[str, ...]]

_LEAST_FREEDOM, _MOST_FREEDOM = 5.0, 60.0
"""Relatives count as 5 records of a spread at least: a spread of two or three records alone is worthless."""
_VARIANCE_FLOOR = 1e-3
"""Of logs: nothing varies by less than 3 %, though three equal records may look so."""
_TYPICAL_VARIANCE, _TYPICAL_FREEDOM = 0.09, 3.0
"""Where nothing was recorded twice: a spread of 30 %, hardly believed."""
_LEAST_EXCESS = 0.05
_ROUNDS = 12


class Effects(NamedTuple):
    """Additive effects of the values of condition columns: `values[k - 1]` is (column, value) of indicator k."""

    values: tuple[tuple[int, str], ...]

    def design(self, columns: Columns) -> Floats:
        """A row for each series: 1 for all, and 1 for each value it has."""
        return np.array([[1.0, *(float(row[k] == value) for k, value in self.values)] for row in columns])


class Family(NamedTuple):
    """Priors of the series of a group, and what is needed for one that has no records."""

    priors: tuple[Prior, ...]
    effects: Effects
    coefficients: Floats
    covariance: Floats
    between: float

    def unseen(self, conditions: tuple[str, ...]) -> Prior:
        """The prior of a series without a record: the effects of the values it shares with others."""
        row = self.effects.design([conditions])[0]
        scale = float(np.mean([p.scale for p in self.priors]))
        variance = float(self.between + row @ self.covariance @ row)
        return Prior(scale, self.priors[0].freedom, float(row @ self.coefficients), variance)


def effects_of(columns: Columns) -> Effects:
    """Indicators of the values that more than one series can share, and not all do."""
    found: list[tuple[int, str]] = []
    for k in range(len(columns[0])):
        values = sorted({row[k] for row in columns})
        if 1 < len(values) < len(columns):
            found += [(k, value) for value in values]
    return Effects(tuple(found))


def family(series: Sequence[Floats], columns: Columns) -> Family:
    """Priors of positive series (at least one) from all of them together."""
    logs = [np.log(values) for values in series]
    effects = effects_of(columns)
    design = effects.design(columns)
    scale, freedom = _spread(logs, design)
    mean, variance, coefficients, covariance, between = _level(logs, scale, freedom, design, effects)
    priors = tuple(
        Prior(float(s), freedom, float(m), float(v)) for s, m, v in zip(scale, mean, variance, strict=True)
    )
    return Family(priors, effects, coefficients, covariance, between)


def _spread(logs: Sequence[Floats], design: Floats) -> tuple[Floats, float]:
    """Empirical-Bayes prior of variances: ridge of ln s^2 on the conditions, freedom from the excess spread.

    ln s^2 with d degrees of freedom has bias about -1/d and variance about 2/d; what varies more is between series.
    Source: Smyth (2004), section 6.2, with the ridge in place of a constant.
    """
    count = np.array([len(x) for x in logs], np.float64)
    known = count > 2
    if known.sum() < 3:
        variances = [float(np.var(x, ddof=1)) for x in logs if len(x) > 2]
        typical = max(float(np.mean(variances)), _VARIANCE_FLOOR) if variances else _TYPICAL_VARIANCE
        return np.full(len(logs), typical), _TYPICAL_FREEDOM
    freedom = np.maximum(count - 1, 1)
    variance = np.array([np.var(x, ddof=1) if len(x) > 2 else 1.0 for x in logs])
    target = np.where(known, np.log(np.maximum(variance, _VARIANCE_FLOOR)) + 1 / freedom, 0.0)
    weight = known / (2 / freedom + 1.0)
    ridge = np.diag([1e-6, *[1.0] * (design.shape[1] - 1)])
    fit = design @ np.linalg.solve(
        design.T @ (design * weight[:, None]) + ridge, design.T @ (weight * target)
    )
    left = np.average((target - fit)[known] ** 2, weights=weight[known])
    excess = max(left - np.average(2 / freedom[known], weights=weight[known]), _LEAST_EXCESS)
    return np.exp(fit), float(np.clip(2 / excess + 0.5, _LEAST_FREEDOM, _MOST_FREEDOM))


def _level(
    logs: Sequence[Floats], scale: Floats, freedom: float, design: Floats, effects: Effects
) -> tuple[Floats, Floats, Floats, Floats, float]:
    """Means of logs = all + sum of the effects of the conditions + own, all Gaussian; variances by EM.

    Returns expectation and variance of each series, the effects' coefficients and covariance, the own variance.
    Source: Henderson (1975), Biometrics 31 (BLUP); Searle, Casella & McCulloch (1992), Variance Components, ch. 8.
    """
    count = np.array([len(x) for x in logs], np.float64)
    mean = np.array([x.mean() for x in logs])
    squares = np.array([np.var(x) * len(x) for x in logs])
    noise = (freedom * scale + squares) / (freedom + np.maximum(count - 1, 0)) / count
    total = max(float(np.var(mean)), 1e-6)
    own = total / 2
    column = [-1, *(k for k, _ in effects.values)]
    spread = {k: total / 4 for k in column if k >= 0}
    for _ in range(_ROUNDS):
        around = own + noise
        scaled = design.T / around
        information = scaled @ design
        information.flat[:: len(column) + 1] += [1e-8 if k < 0 else 1 / spread[k] for k in column]
        covariance = np.linalg.inv(information)
        coefficients = covariance @ (scaled @ mean)
        left = mean - design @ coefficients
        unsure = (design @ covariance * design).sum(axis=1)
        trust = own / around
        before = own, dict(spread)
        own = max(float(((trust * left) ** 2 + own * (1 - trust) + trust**2 * unsure).mean()), 1e-6)
        for k in spread:
            of = np.array(column) == k
            spread[k] = max(float(np.mean(coefficients[of] ** 2 + np.diag(covariance)[of])), 1e-6)
        if (own, spread) == before:
            break
    return design @ coefficients, own + unsure, coefficients, covariance, own
