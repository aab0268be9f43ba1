"""A pool of experts: how much to believe each, by how it foretold the records' own later part.

The predictive distribution of a series is the weighted mixture of its experts (linear pool: Stone 1961, Annals of
Mathematical Statistics 32; Geweke & Amisano 2011, J. Econometrics 164). An expert's loss is its mean CRPS over
rolling origins (Tashman 2000, Int. J. Forecasting 16): fitted on the first k records, scored on the next two
thirds of k, in units of what experts typically lost there, since a stretch that nobody foretold tells little.
Own losses L and those of the group G are joined, (r L + 20 G) / (r + 20) with r = min(sqrt n, 8); series of like
length count most in G. An expert weighs exp(-loss / T), T = min(0.1, 1/sqrt n). A share 10/(n + 10) is kept for the
shapes: n measured values say little of what lies beyond them.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from aos.engine.calibrate.skill import experts, jumps
from aos.engine.calibrate.skill.experts import EXPERTS, MEASURED, Prior
from aos.engine.calibrate.skill.priors import Columns, Family, family
from aos.engine.sampling.distributions import Floats
from aos.engine.scores.scoring import GRID, crps_rows, quantiles_of

T = TypeVar("T", bound=np.generic)

_ORIGINS = np.linspace(0.3, 0.85, 6)
_HORIZON = 2 / 3
"""How far a forecast looks, as a share of what it knows: by 60 % of the records for the other 40 %."""
_TRAIN, _TEST, _FIT = 400, 120, 8_000
"""Records used at an origin and for the fit, evenly thinned, so that long series take no longer.

A fit on 2,000 moved the p90 of a heavy tail by 5 %, by which ones were kept."""
_GROUP_WORTH = 20.0
_OWN_MOST = 8.0
_TEMPERATURE = 0.1
_SHAPE_WORTH = 10.0
_NEGLIGIBLE = 0.003
_STEPS = 400
_LEVELS = (np.arange(_STEPS) + 0.5) / _STEPS


class Pool(NamedTuple):
    """Fitted series: a row of `weights` each, over the experts."""

    series: tuple[Floats, ...]
    when: tuple[Floats, ...]
    weights: Floats
    family: Family

    def quantiles(self, j: int, levels: Floats) -> Floats:
        """The predictive distribution of series j."""
        weights = self.weights[j]
        used = weights > 0
        values, when = thinned(self.series[j], _FIT), thinned(self.when[j], _FIT)
        each, shares = experts.quantiles(values, when, self.family.priors[j], _LEVELS)[used], weights[used]
        if jump := jumps.of_level(np.log(values), when):
            each = np.vstack([each, jumps.quantiles(values, jump, _LEVELS)])
            shares = np.append(shares * (1 - jump.trust), jump.trust)
        return quantiles_of(each.ravel(), levels, np.repeat(shares, _STEPS))

    def unseen(self, conditions: tuple[str, ...], levels: Floats) -> Floats:
        """The predictive distribution of a series without a record, from those it shares conditions with."""
        prior = self.family.unseen(conditions)
        width = np.sqrt(prior.variance + prior.scale)
        return experts.log_student(prior.mean, width, prior.freedom, levels)

    def half_life(self, j: int) -> float:
        """How far back the forecast of series j looks: the share of its records, weighted over the experts."""
        reach = np.minimum(experts.half_lives()[:MEASURED], 2.0)
        weights = self.weights[j, :MEASURED]
        return float(weights @ reach / weights.sum())


def fit(series: Sequence[Floats], columns: Columns, when: Sequence[Floats] | None = None) -> Pool:
    """Fit series of positive values, each in the order of time; `columns[j]` are the conditions of series j.

    `when` the values are from counts in any unit; without it they are evenly spaced.
    """
    dated = tuple(np.arange(float(len(y))) for y in series) if when is None else tuple(when)
    shared = family(series, columns)
    losses = np.array([_losses(y, t, p) for y, t, p in zip(series, dated, shared.priors, strict=True)])
    count = np.array([len(y) for y in series], np.float64)
    return Pool(tuple(series), dated, _weights(losses, count), shared)


def thinned(values: NDArray[T], most: int) -> NDArray[T]:
    """At most that many values, evenly spaced, the newest kept."""
    step = max(1, -(-len(values) // most))
    return values[::-1][::step][::-1]


def _losses(series: Floats, when: Floats, prior: Prior) -> Floats:
    """Mean relative CRPS of each expert over the origins; NaN where there are too few records."""
    total, origins = np.zeros(EXPERTS), 0
    spans: set[tuple[int, int]] = set()
    for share in _ORIGINS:
        k = round(len(series) * share)
        end = min(len(series), k + max(1, round(_HORIZON * k)))
        if k < 2 or end <= k or (k, end) in spans:
            continue
        spans.add((k, end))
        told = experts.quantiles(thinned(series[:k], _TRAIN), thinned(when[:k], _TRAIN), prior, GRID)
        total += _relative(crps_rows(told, np.sort(thinned(series[k:end], _TEST))))
        origins += 1
    return total / origins if origins else np.full(EXPERTS, np.nan)


def _weights(losses: Floats, count: Floats) -> Floats:
    scored = ~np.isnan(losses[:, 0])
    if not scored.any():
        return np.array([_softmax(np.ones(EXPERTS), n) for n in count])
    out = np.empty_like(losses)
    for j, n in enumerate(count):
        alike = np.exp(-np.abs(np.log(count[scored] / n)))
        loss = _relative(alike @ losses[scored])
        if scored[j]:
            own = min(np.sqrt(n), _OWN_MOST)
            loss = (own * _relative(losses[j]) + _GROUP_WORTH * loss) / (own + _GROUP_WORTH)
        out[j] = _softmax(loss, n)
    return out


def _relative(losses: Floats) -> Floats:
    ascending = np.sort(losses)
    # `np.median` takes ten times as long for a few values.
    middle = 0.5 * float(ascending[(EXPERTS - 1) // 2] + ascending[EXPERTS // 2])
    typical = 0.5 * (float(ascending[0]) + middle)
    return losses / max(typical, 1e-12)


def _softmax(loss: Floats, n: float) -> Floats:
    temperature = min(_TEMPERATURE, 1 / np.sqrt(n))
    shapes = _SHAPE_WORTH / (n + _SHAPE_WORTH)
    parts = []
    for part, mass in ((loss[:MEASURED], 1 - shapes), (loss[MEASURED:], shapes)):
        weight = np.exp(-np.clip((part - part.min()) / temperature, 0, 500))
        weight[weight < _NEGLIGIBLE * weight.max()] = 0
        parts.append(mass * weight / weight.sum())
    return np.concatenate(parts)
