"""Which features the time or price of a skill's attempts grows with, by how much, and in which form.

A feature is taken in where records that the fit has not seen say so (forward selection): forecast from what came
before, in thirds of the later 60 %, the CRPS with it is lower by more than two standard errors and 1 %. Errors come
in stretches, so the standard error is over stretches of records, not over records. Each form of growth (`forms`)
chooses its features so. A product is kept where the later records lost 5 % less with it than with the sum: of two that
are about as good the sum, which goes on more calmly beyond the sizes that were recorded.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from aos.domain.skills.distributions import Distribution
from aos.domain.skills.skill import (
    LEAST_SIZE,
    AnyGrowth,
    Feature,
    Figure,
    Growth,
    Power,
    PowerGrowth,
    Provenance,
)
from aos.engine.calibrate.sizes.forms import (
    FLAT,
    Fit,
    Product,
    Shape,
    Sized,
    above_zero,
    fit_product,
    fit_sum,
    varying,
)
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
_STANDARD_ERRORS, _LEAST_GAIN = 1.5, 0.01
_PRODUCT_LEAST = 0.97
"""Of what the sum lost: made-up sums of 200 records then pass for products in 2 to 5 of 100 cases, at no loss."""
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

    growth: AnyGrowth | None
    rest: Floats


def grown(values: Sequence[Floats], known: Known) -> list[Grown]:
    """The growth of each variant's values, oldest first: a shape for all, and the rest as a series like any other."""
    known = _recorded(known)
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
        told = Figure(times.table(fitted.quantiles(j)), provenance)
        growth = _told(found, unit, known.features, known.x[j][k], told) if k.any() else None
        out.append(Grown(growth, rest))
    return out


def _told(
    found: Shape, unit: float, names: Sequence[str], x: Floats, rest: Figure[Distribution]
) -> AnyGrowth:
    """The shape as a catalog has it, with the sizes `x` that were recorded of the variant."""
    named = [(names[i], times.empirical(x[:, i])) for i in found.chosen]
    if isinstance(found, Product):
        shared = zip(named, found.typical, found.exponents, strict=True)
        powers = [Power(name, short(at), short(exponent), seen) for (name, seen), at, exponent in shared]
        return PowerGrowth(max(short(unit), LEAST_SIZE), tuple(powers), rest)
    each = zip(named, found.each, strict=True)
    features = [Feature(name, short(each * unit), seen) for (name, seen), each in each]
    return Growth(short(found.fixed * unit), tuple(features), rest)


def _recorded(known: Known) -> Known:
    """Those features that attempts of this skill have: the one most often recorded, then each that half of the
    attempts have which have all before it. The sizes of other skills are none of its own."""
    there = np.concatenate([x >= 0 for x in known.x])
    kept, rows = list[int](), np.ones(len(there), bool)
    for k in np.argsort(-there.sum(axis=0), kind="stable"):
        both = rows & there[:, k]
        if 2 * both.sum() >= (rows.sum() if kept else 1):
            kept, rows = [*kept, int(k)], both
    kept.sort()
    names = tuple(known.features[k] for k in kept)
    return known._replace(features=names, x=[x[:, kept] for x in known.x])


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
    total = _forward(variants, fit_sum, varying(variants))
    product = _forward(variants, fit_product, above_zero(variants))
    best = product if product.losses.mean() < _PRODUCT_LEAST * total.losses.mean() else total
    return best.fit(variants, best.chosen) if best.chosen else None


class _Choice(NamedTuple):
    """The features that are worth it in one form, and what the later records lost with them."""

    fit: Fit
    chosen: tuple[int, ...]
    losses: Floats


def _forward(variants: Sequence[Sized], fit: Fit, usable: Sequence[int]) -> _Choice:
    """Forward selection."""
    chosen: tuple[int, ...] = ()
    losses = _losses(variants, fit, chosen)
    while rest := [k for k in usable if k not in chosen]:
        wider = {k: _losses(variants, fit, (*chosen, k)) for k in rest}
        best = min(wider, key=lambda k: float(wider[k].mean()))
        if not _better(wider[best], losses):
            break
        chosen, losses = (*chosen, best), wider[best]
    return _Choice(fit, chosen, losses)


def _better(new: Floats, old: Floats) -> bool:
    gain = old - new
    noise = float(gain.std(ddof=1)) / np.sqrt(len(gain)) if len(gain) > 1 else np.inf
    return float(gain.mean()) > max(_STANDARD_ERRORS * noise, _LEAST_GAIN * float(old.mean()))


def _losses(variants: Sequence[Sized], fit: Fit, chosen: tuple[int, ...]) -> Floats:
    """Mean CRPS of logs over stretches of records, each foretold from what came before: large and small count alike."""
    found = []
    for begin, end in pairwise(_ORIGINS):
        past = [_cut(v, 0.0, begin) for v in variants]
        shape = fit(past, chosen) if chosen else FLAT
        for variant, known in zip(variants, past, strict=True):
            later = _cut(variant, begin, end)
            rest = np.sort(np.log(known.value / shape.of(known.x)))
            told = np.interp(GRID * (len(rest) - 1), np.arange(len(rest)), rest)
            loss = _crps(told, np.log(later.value / shape.of(later.x)))
            found += [float(part.sum()) / len(part) for part in _stretches(loss)]
    return np.array(found)


def _stretches(losses: Floats) -> list[Floats]:
    """Consecutive parts of about the same length, none empty, the longer ones first."""
    least, more = divmod(len(losses), _STRETCHES)
    cuts = [k * least + min(k, more) for k in range(_STRETCHES + 1)]
    return [losses[a:b] for a, b in pairwise(cuts) if a < b]


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
