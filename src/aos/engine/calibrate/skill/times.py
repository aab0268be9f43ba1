"""How long the attempts of a skill take, by how they end: each variant's own, helped by its relatives.

What is recorded as 0 (a clock of whole seconds, a queue that was empty, a call that was free) has a share of its own,
and the rest is a series of positive values: a model in two parts (Cragg 1971, Econometrica 39; Duan et al. 1983,
J. Business & Economic Statistics 1). In logs a 0 would be far from everything else, however it is written.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aos.domain.skills.distributions import Constant, Distribution, Quantiles
from aos.domain.skills.skill import MAX_MS
from aos.engine.calibrate.skill import jumps, pool
from aos.engine.calibrate.skill.experts import EXPERTS, Prior
from aos.engine.calibrate.skill.pool import Pool
from aos.engine.calibrate.skill.rates import pooled_chances
from aos.engine.calibrate.table import Flags
from aos.engine.sampling.distributions import Floats
from aos.engine.scores.scoring import quantiles_of

_TAIL = np.array([0.001, 0.005, 0.01, 0.015])
LEVELS = np.unique(np.round(np.concatenate([_TAIL, (np.arange(200) + 0.5) / 200, 1 - _TAIL]), 6))
"""The levels of a measured latency: even steps, and those tails that people ask for."""

LEAST_TIME = 1e-4
"""Milliseconds: a time of day in a float is not finer."""
METHOD = f"pool of {EXPERTS} experts, rolling origin"

_TOLD_LEVELS = tuple(float(f"{level:.6g}") for level in LEVELS)

MANY = 125
"""Attempts from which on nothing is `joined`: the way's own pool would have 99.8 %."""
_FEW = 4
_WAY_OF_FEW, _OWN_OF_FEW, _OWN_NOISE = 0.35, 0.40, 0.2
_Z = np.array([-1.75, -1.0, -0.5, 0.0, 0.5, 1.0, 1.75])

Columns = Sequence[tuple[str, ...]]


class Fitted(NamedTuple):
    """A pool of those variants that have values above 0, the conditions of all, and the share of each that is 0."""

    pool: Pool | None
    place: dict[int, int]
    columns: Columns
    nothing: Floats

    def quantiles(self, j: int, levels: Floats = LEVELS) -> Floats:
        """The predictive distribution of variant j, from its relatives where it has no record."""
        told, above = np.zeros(len(levels)), levels > self.nothing[j]
        if self.pool is not None and above.any():
            within = (levels[above] - self.nothing[j]) / (1 - self.nothing[j])
            own = j in self.place
            told[above] = (
                self.pool.quantiles(self.place[j], within)
                if own
                else self.pool.unseen(self.columns[j], within)
            )
        return told

    def prior(self, j: int) -> Prior | None:
        """What its relatives say of variant j; None where nothing of it is above 0."""
        return self.pool.family.priors[self.place[j]] if self.pool is not None and j in self.place else None

    def half_life(self, j: int) -> float | None:
        """How far back the forecast looks, as a share of the records."""
        return self.pool.half_life(self.place[j]) if self.pool is not None and j in self.place else None


def fit(
    values: Sequence[Floats], when: Sequence[Floats], columns: Columns, least: float = LEAST_TIME
) -> Fitted | None:
    """Fit the finite values of each variant, oldest first; None where no variant has any.

    Those above 0 are raised to `least`.
    """
    known = [np.isfinite(x) for x in values]
    if not any(finite.any() for finite in known):
        return None
    nothing = _nothing([x[k] <= 0 for x, k in zip(values, known, strict=True)], when, known, columns)
    counted = [x > 0 for x in values]
    some = [j for j, positive in enumerate(counted) if positive.any()]
    series = [np.maximum(values[j][counted[j]], least) for j in some]
    shared = (
        pool.fit(series, [columns[j] for j in some], [when[j][counted[j]] for j in some]) if some else None
    )
    return Fitted(shared, {j: i for i, j in enumerate(some)}, columns, nothing)


def _nothing(
    zero: Sequence[Flags], when: Sequence[Floats], known: Sequence[Flags], columns: Columns
) -> Floats:
    """The chance of a 0 in each variant."""
    count = np.array([z.sum() for z in zero], np.float64)
    overall = pooled_chances(count, np.array([len(z) for z in zero], np.float64), columns)
    return np.array(
        [
            jumps.chance(chance, z, t[k]) if len(z) else chance
            for chance, z, t, k in zip(overall.tolist(), zero, when, known, strict=True)
        ]
    )


def joined(mode: Fitted, every: Floats, values: Floats, j: int) -> Floats:
    """The time of one way to end at LEVELS, where few attempts of a variant are known and each way takes its own time.

    `every` are the quantiles of all its attempts there. Of four attempts, whose times are `values`, the way's own pool
    has the share 0.35, these values themselves, blurred by 20 %, 0.40, all attempts the rest. With n the first grows as
    n^2 / (n^2 + 30), the second falls as 1/n^2, so that with many attempts hardly more than the way's own pool is left.
    """
    values = np.maximum(values[np.isfinite(values)], 0.0)
    n = len(values)
    if not n:
        return mode.quantiles(j)
    own = _OWN_OF_FEW * min(1.0, (_FEW / n) ** 2)
    told = min(n**2 / (n**2 + _FEW**2 * (1 / _WAY_OF_FEW - 1)), 1 - own)
    blur = np.exp(-(_Z**2) / 2)
    drawn = np.concatenate([mode.quantiles(j), every, (values[:, None] * np.exp(_OWN_NOISE * _Z)).ravel()])
    even = np.gradient(LEVELS)
    even /= even.sum()
    weight = np.concatenate([told * even, (1 - told - own) * even, np.tile(own * blur / blur.sum() / n, n)])
    return quantiles_of(drawn, LEVELS, weight)


def table(quantiles: Floats, most: float = MAX_MS) -> Distribution:
    """The distribution with these quantiles at LEVELS, as far as a catalog holds them."""
    values = tuple(map(short, np.maximum.accumulate(quantiles).clip(max=most).tolist()))
    return Quantiles(_TOLD_LEVELS, values)


def empirical(values: Floats, most: float = MAX_MS) -> Distribution:
    """The values as they are, as far as a catalog holds them."""
    if values.min() == values.max():
        return Constant(short(min(values[0], most)))
    return table(np.quantile(values, LEVELS), most)


def short(value: float) -> float:
    """Six significant digits: what catalogs keep."""
    return float(f"{value:.6g}")
