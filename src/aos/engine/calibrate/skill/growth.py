"""Which features the time or price of a skill's attempts grows with, and by how much.

A variant v takes level_v * (fixed + sum of each_k * x_k) * rest: the shape is that of all variants of a skill, the
level each one's own. Coefficients are at least 0, by least squares of relative errors; those more than half off count
less (Huber 1964, Annals of Mathematical Statistics 35; weights by iteration: Holland & Welsch 1977).

A feature is taken in where records that the fit has not seen say so (forward selection): forecast from what came
before, in thirds of the later 60 %, the CRPS with it is lower by more than two standard errors and 1 %. Errors come
in stretches, so the standard error is over stretches of records, not over records.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from aos.domain.skills.skill import Feature, Figure, Growth, Provenance
from aos.engine.calibrate.skill import times
from aos.engine.calibrate.skill.pool import thinned
from aos.engine.calibrate.skill.times import METHOD, Columns, short
from aos.engine.calibrate.table import Age, Flags
from aos.engine.sampling.distributions import Floats
from aos.engine.scores.scoring import GRID

_ORIGINS = (0.4, 0.6, 0.8, 1.0)
_LEAST = 30
"""Records of all variants; with fewer, nothing that is seen in a third of 60 % would convince."""
_LEAST_OF_VARIANT = 5
_MOST = 2_000
_STRETCHES = 5
_STANDARD_ERRORS, _LEAST_GAIN = 2.0, 0.01
_OFF = 0.5
_ROUNDS = 10
_TINY = 1e-9


class Known(NamedTuple):
    """What is known of each variant's attempts beforehand: `x` is [attempt, feature]; ages, moments, conditions."""

    features: tuple[str, ...]
    x: Sequence[Floats]
    ages: Sequence[Age]
    when: Sequence[Floats]
    columns: Columns


class Grown(NamedTuple):
    """How a variant's values grow, None where they don't, and the rest of each attempt; NaN where it is unknown."""

    growth: Growth | None
    rest: Floats


class Sized(NamedTuple):
    """A variant's recorded values, oldest first, with the features of each: `x` is [record, feature]."""

    value: Floats
    x: Floats


class Shape(NamedTuple):
    """The shape of growth: `chosen` are indices of features, `each` beside them, the typical value is about 1."""

    fixed: float
    chosen: tuple[int, ...]
    each: tuple[float, ...]

    def of(self, x: Floats) -> Floats:
        """The relative size of records with the features `x`; never 0."""
        grown: Floats = self.fixed + x[:, list(self.chosen)] @ np.array(self.each, np.float64)
        return np.maximum(grown, _TINY)


FLAT = Shape(1.0, (), ())


def grown(values: Sequence[Floats], known: Known) -> list[Grown]:
    """The growth of each variant's values, oldest first: a shape for all, and the rest as a series like any other."""
    sound = [np.isfinite(v) & (v > 0) & _sound(x) for v, x in zip(values, known.x, strict=True)]
    found = shape([Sized(v[k], x[k]) for v, x, k in zip(values, known.x, sound, strict=True)])
    rests = [np.full(len(v), np.nan) for v in values]
    if found is None:
        return [Grown(None, rest) for rest in rests]
    for rest, v, x, k in zip(rests, values, known.x, sound, strict=True):
        rest[k] = v[k] / found.of(x[k])
    unit = float(np.median(np.concatenate([rest[k] for rest, k in zip(rests, sound, strict=True)])))
    rests = [rest / unit for rest in rests]
    fitted = times.fit(rests, known.when, known.columns, _TINY)
    assert fitted is not None
    method = f"{METHOD}, of what {', '.join(known.features[i] for i in found.chosen)} leave unexplained"
    out = []
    for j, (rest, k) in enumerate(zip(rests, sound, strict=True)):
        provenance = Provenance("measured", method, int(k.sum()), *known.ages[j])
        features = tuple(
            Feature(known.features[i], short(each * unit), times.empirical(known.x[j][k, i]))
            for i, each in zip(found.chosen, found.each, strict=True)
            if k.any()
        )
        told = Figure(times.table(fitted.quantiles(j)), provenance)
        out.append(Grown(Growth(short(found.fixed * unit), features, told) if k.any() else None, rest))
    return out


def _sound(x: Floats) -> Flags:
    """Which attempts have all their features, none below 0."""
    if not x.shape[1]:
        return np.zeros(len(x), bool)
    return np.asarray((x >= 0).all(axis=1), bool)


def shape(variants: Sequence[Sized]) -> Shape | None:
    """The shape that all variants of a skill share, None where no feature helps to foretell their later records."""
    variants = [_thinned(v) for v in variants if len(v.value) >= _LEAST_OF_VARIANT]
    if sum(len(v.value) for v in variants) < _LEAST:
        return None
    count = variants[0].x.shape[1]
    usable = [k for k in range(count) if any(np.ptp(v.x[:, k]) > 0 for v in variants)]
    chosen: tuple[int, ...] = ()
    losses = _losses(variants, chosen)
    while rest := [k for k in usable if k not in chosen]:
        wider = {k: _losses(variants, (*chosen, k)) for k in rest}
        best = min(wider, key=lambda k: float(wider[k].mean()))
        if not _better(wider[best], losses):
            break
        chosen, losses = (*chosen, best), wider[best]
    return _fit(variants, chosen) if chosen else None


def _better(new: Floats, old: Floats) -> bool:
    gain = old - new
    noise = float(gain.std(ddof=1)) / np.sqrt(len(gain)) if len(gain) > 1 else np.inf
    return float(gain.mean()) > max(_STANDARD_ERRORS * noise, _LEAST_GAIN * float(old.mean()))


def _losses(variants: Sequence[Sized], chosen: tuple[int, ...]) -> Floats:
    """Mean CRPS over stretches of records, by the mean value of their variant; each foretold from what came before."""
    found = []
    for begin, end in pairwise(_ORIGINS):
        past = [_cut(v, 0.0, begin) for v in variants]
        fit = _fit(past, chosen) if chosen else FLAT
        for variant, known in zip(variants, past, strict=True):
            later = _cut(variant, begin, end)
            size = fit.of(later.x)
            told = np.quantile(known.value / fit.of(known.x), GRID)
            loss = _crps(told, later.value / size) * size / variant.value.mean()
            found += [part.mean() for part in np.array_split(loss, _STRETCHES) if part.size]
    return np.array(found)


def _crps(told: Floats, outcomes: Floats) -> Floats:
    late = outcomes[:, None] - told
    losses: Floats = 2 * np.maximum(GRID * late, (GRID - 1) * late).mean(axis=1)
    return losses


def _cut(variant: Sized, begin: float, end: float) -> Sized:
    n = len(variant.value)
    of = slice(round(n * begin), round(n * end))
    return Sized(variant.value[of], variant.x[of])


def _thinned(variant: Sized) -> Sized:
    return Sized(thinned(variant.value, _MOST), thinned(variant.x, _MOST))


def _fit(variants: Sequence[Sized], chosen: tuple[int, ...]) -> Shape:
    """Least squares of relative errors; levels of variants and weights of records by turns."""
    x = np.concatenate([v.x[:, list(chosen)] for v in variants])
    unit = np.maximum(x.mean(axis=0), _TINY)
    design = np.column_stack([np.ones(len(x)), x / unit])
    value = np.concatenate([v.value for v in variants])
    of = np.repeat(np.arange(len(variants)), [len(v.value) for v in variants])
    size = np.ones(len(x))
    beta = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        level = np.array([np.median((value / size)[of == v]) for v in range(len(variants))])
        relative = value / np.maximum(level[of], _TINY)
        off = np.abs(relative / size - 1)
        weight = np.minimum(1.0, _OFF / np.maximum(off, _TINY)) / size**2
        beta = _least_squares(design, relative, weight)
        size = np.maximum(design @ beta, _TINY)
    return Shape(float(beta[0]), chosen, tuple(map(float, beta[1:] / unit)))


def _least_squares(design: Floats, y: Floats, weight: Floats) -> Floats:
    """Weighted, no coefficient below 0: the most negative one is left out until none is."""
    root = np.sqrt(weight)
    used = list(range(design.shape[1]))
    beta = np.zeros(design.shape[1])
    while used:
        found = np.linalg.lstsq(design[:, used] * root[:, None], y * root, rcond=None)[0]
        if found.min() >= 0:
            beta[used] = found
            break
        del used[int(found.argmin())]
    return beta
