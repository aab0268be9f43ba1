"""Which features the time or price of a skill's attempts grows with, by how much, and in which form.

A feature is taken in where records that the fit has not seen say so (forward selection): forecast from what came
before, in thirds of the later 60 %, the CRPS with it is lower by 1.5 standard errors and 1 %. Errors come
in stretches, so the standard error is over stretches of records, not over records. Each form of growth (`forms`)
chooses its features so. A product is kept where the later records lost 3 % less with it than with the sum: of two that
are about as good the sum, which goes on more calmly beyond the sizes that were recorded.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
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
    Asked,
    Fit,
    Product,
    Records,
    Shape,
    above_zero,
    fit_product,
    fit_sum,
    known_alone,
    numbered,
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
_CELLS = 100_000
"""Numbers in the table of fits that are made at once: as many as are quickly at hand."""
_STANDARD_ERRORS, _LEAST_GAIN = 1.5, 0.01
_EXACT = 1e-9
"""A loss in logs that is left of rounding alone: nothing is left to explain."""
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


def growths(quantities: Sequence[Sequence[Floats]], known: Known) -> list[list[Grown]]:
    """Of each quantity, such as times and prices, the growth of each variant's values, oldest first."""
    known = _recorded(known)
    sound = [_sound(x) for x in known.x]
    values = [[np.where(k, v, np.nan) for v, k in zip(one, sound, strict=True)] for one in quantities]
    found = shapes(values, known.x)
    return [_grown(one, shape, known) for one, shape in zip(values, found, strict=True)]


def _grown(values: Sequence[Floats], found: Shape | None, known: Known) -> list[Grown]:
    """A shape for all variants, and the rest as a series like any other, 0 where a value is."""
    counted = [np.isfinite(v) & (v >= 0) for v in values]
    rests = [np.full(len(v), np.nan) for v in values]
    if found is None:
        return [Grown(None, rest) for rest in rests]
    for rest, v, x, k in zip(rests, values, known.x, counted, strict=True):
        rest[k] = v[k] / found.of(x[k])
    unit = float(np.median(np.concatenate([rest[rest > 0] for rest in rests])))
    rests = [rest / unit for rest in rests]
    fitted = times.fit(rests, known.when, known.columns, _TINY)
    assert fitted is not None
    method = f"{METHOD}, of what {', '.join(known.features[i] for i in found.chosen)} leave unexplained"
    out = []
    for j, (rest, k) in enumerate(zip(rests, counted, strict=True)):
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


def _counted(values: Floats) -> Flags:
    return np.asarray(np.isfinite(values) & (values > 0), bool)


def shapes(quantities: Sequence[Sequence[Floats]], x: Sequence[Floats]) -> list[Shape | None]:
    """Of each quantity the shape that all variants share, None where no feature helps to foretell later records.

    A quantity has the values of each variant, those above 0 count; `x` has the features beside them, [record, feature].
    """
    records = _records(quantities, x)
    enough = [q for q, there in enumerate(records.there) if there.sum() >= _LEAST]
    totals = _forward(records, fit_sum, {q: varying(records, q) for q in enough})
    products = _forward(records, fit_product, {q: above_zero(records, q) for q in enough})
    found: list[Shape | None] = [None] * len(quantities)
    for q in enough:
        total, product = totals[q], products[q]
        best = product if product.losses.mean() < _PRODUCT_LEAST * total.losses.mean() else total
        if best.chosen:
            of = slice(q, q + 1)
            asked = Asked(records, records.value[of], records.there[of], np.array([best.chosen]))
            (found[q],) = best.fit(asked)
    return found


def _records(quantities: Sequence[Sequence[Floats]], x: Sequence[Floats]) -> Records:
    """Those that count in some quantity; in one in which they do not, they have the value 1."""
    there = np.array([np.concatenate([_worth(v) for v in one]) for one in quantities])
    some = there.any(axis=0)
    value = np.where(there, [np.concatenate(one) for one in quantities], 1.0)
    of = np.repeat(np.arange(len(x)), [len(one) for one in x])
    return Records(value[:, some], there[:, some], np.concatenate(x)[some].T, *numbered(of[some]))


def _worth(values: Floats) -> Flags:
    """The records of a variant that count, at most that many, evenly spaced; none where there are next to none."""
    rows = np.flatnonzero(_counted(values))
    worth = np.zeros(len(values), bool)
    worth[thinned(rows, _MOST) if len(rows) >= _LEAST_OF_VARIANT else []] = True
    return worth


class _Choice(NamedTuple):
    """The features that are worth it in one form, and what the later records lost with them."""

    fit: Fit
    chosen: tuple[int, ...]
    losses: Floats


def _forward(records: Records, fit: Fit, usable: Mapping[int, Sequence[int]]) -> dict[int, _Choice]:
    """Forward selection, of each quantity; those that go on are fitted together."""
    chosen: dict[int, tuple[int, ...]] = dict.fromkeys(usable, ())
    losses = dict(zip(usable, _losses(records, fit, list(chosen.items())), strict=True))
    going = list(usable)
    while wider := [(q, (*chosen[q], k)) for q in going for k in usable[q] if k not in chosen[q]]:
        lost = list(zip(wider, _losses(records, fit, wider), strict=True))
        going = []
        for q in dict.fromkeys(q for q, _ in wider):
            (_, best), new = min(
                (one for one in lost if one[0][0] == q), key=lambda one: float(one[1].mean())
            )
            if _better(new, losses[q]):
                chosen[q], losses[q] = best, new
                going.append(q)
    return {q: _Choice(fit, chosen[q], losses[q]) for q in usable}


def _better(new: Floats, old: Floats) -> bool:
    gain = old - new
    noise = float(gain.std(ddof=1)) / np.sqrt(len(gain)) if len(gain) > 1 else np.inf
    return float(gain.mean()) > max(_STANDARD_ERRORS * noise, _LEAST_GAIN * float(old.mean()), _EXACT)


Task = tuple[int, tuple[int, ...]]
"""A quantity, and the features to forecast it by."""


def _losses(records: Records, fit: Fit, tasks: Sequence[Task]) -> list[Floats]:
    """What later records lost in each task: the mean CRPS of logs over stretches of records.

    Each is foretold from what came before; in logs, large and small count alike.
    """
    off = _off(records, fit, tasks) if tasks else np.empty(0)
    found: list[Floats] = [np.empty(0)] * len(tasks)
    for q in dict.fromkeys(q for q, _ in tasks):
        of = [i for i, task in enumerate(tasks) if task[0] == q]
        rows = np.flatnonzero(records.there[q])
        ends = np.searchsorted(rows, np.append(records.begins[1:], len(records.of))).tolist()
        lost = []
        for logs, (begin, end) in zip(off[:, of][:, :, rows], pairwise(_ORIGINS), strict=True):
            for first, last in pairwise([0, *ends]):
                now, then = (first + round((last - first) * share) for share in (begin, end))
                if now < then:
                    told = _told_by(np.sort(logs[:, first:now], axis=1))
                    lost.append(_stretches(_crps(told, logs[:, now:then])))
        for i, one in zip(of, np.concatenate(lost, axis=1), strict=True):
            found[i] = one
    return found


def _off(records: Records, fit: Fit, tasks: Sequence[Task]) -> Floats:
    """Logs of what each record took by what its features say: [origin, task, record].

    A fit knows what came before the origin. Of many records few fits are made at once.
    """
    quantity = [q for q, _ in tasks]
    chosen = np.array([features for _, features in tasks], np.int64)
    known = np.concatenate([records.first(share)[quantity] for share in _ORIGINS[:-1]])
    origins = len(_ORIGINS) - 1
    value, chosen = np.tile(records.value[quantity], (origins, 1)), np.tile(chosen, (origins, 1))
    room = max(1, _CELLS // (records.value.shape[1] * (chosen.shape[1] + 2)))
    parts = [slice(at, at + room) for at in range(0, len(known), room)] if chosen.size else []
    found = [
        one for of in parts for one in fit(known_alone(Asked(records, value[of], known[of], chosen[of])))
    ]
    with np.errstate(divide="ignore"):
        sizes = np.array([shape.of(records.x.T) for shape in found or [FLAT] * len(known)])
        logs: Floats = np.log(value / sizes)
    return logs.reshape(origins, len(tasks), -1)


def _told_by(ascending: Floats) -> Floats:
    """Quantiles at GRID of the values in each row, linear in between."""
    last = ascending.shape[1] - 1
    at = GRID * last
    below = at.astype(np.int64)
    low, high = ascending[:, below], ascending[:, np.minimum(below + 1, last)]
    told: Floats = (high - low) * (at - below) + low
    return told


def _stretches(losses: Floats) -> Floats:
    """Means over consecutive parts of each row of about the same length, none empty, the longer ones first."""
    least, more = divmod(losses.shape[1], _STRETCHES)
    lengths = [length for k in range(_STRETCHES) if (length := least + (k < more))]
    begins = [0, *accumulate(lengths[:-1])]
    means: Floats = np.add.reduceat(losses, begins, axis=1) / lengths
    return means


def _crps(told: Floats, outcomes: Floats) -> Floats:
    """Of each outcome in a row, foretold by the quantiles of that row."""
    late = outcomes[:, :, None] - told[:, None]
    losses: Floats = 2 * np.maximum(GRID * late, (GRID - 1) * late).mean(axis=2)
    return losses
