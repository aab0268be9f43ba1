"""The two forms in which values grow with features, and how each is fitted to the records of all variants of a skill.

    sum        level_v * (fixed + sum of each_k * x_k) * rest          a fixed part, and a part for each token or row
    product    level_v * product of (x_k / typical_k)^exponent_k * rest    parts that multiply, of any curvature

Levels are each variant's own, the rest of the shape is shared by all. No coefficient or exponent is below 0: more
never takes less. Least squares of relative errors or of logs; records more than half off count less (Huber 1964, Annals
of Mathematical Statistics 35; weights by iteration: Holland & Welsch 1977). A product tells the exponents from what
differs within variants alone (the within estimator: Mundlak 1978, Econometrica 46).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from aos.domain.skills.skill import LEAST_SIZE, MAX_EXPONENT
from aos.engine.calibrate.sizes.squares import least_squares
from aos.engine.calibrate.table import Flags, Ints
from aos.engine.sampling.distributions import Floats

_OFF = 0.5
_ROUNDS, _SETTLED, _SAME = 10, 1e-3, 1e-6
_TINY = 1e-9
_EXPONENTS = 0.5
"""Standard deviation of exponents around 0, before any record: little is made of a handful, or of sizes much alike."""


class Records(NamedTuple):
    """The attempts of all variants of a skill, one variant after the other, each oldest first.

    `value` is [quantity, record], such as times and prices, `x` is [feature, record]; `there` says which count. `of` is
    the variant of each record, `begins` where each variant does.
    """

    value: Floats
    there: Flags
    x: Floats
    of: Ints
    begins: Ints

    def first(self, share: float) -> Flags:
        """Of what is there, the records among that share of those of their variant, the oldest ones."""
        reached = np.cumsum(self.there, axis=1)
        count = _count(self.there, self.begins)
        wanted = np.cumsum(count, axis=1) - count + np.rint(count * share)
        first: Flags = self.there & (reached <= wanted[:, self.of])
        return first


class Asked(NamedTuple):
    """Several fits at once: of `value` [fit, record] where it is `known` to the features `chosen`, [fit, feature]."""

    records: Records
    value: Floats
    known: Flags
    chosen: Ints


class Sum(NamedTuple):
    """`chosen` are indices of features, `each` beside them; the typical value is about 1."""

    fixed: float
    chosen: tuple[int, ...]
    each: tuple[float, ...]

    def of(self, x: Floats) -> Floats:
        """The relative size of records with the features `x`; never 0."""
        grown: Floats = self.fixed + x[:, list(self.chosen)] @ np.array(self.each, np.float64)
        return np.maximum(grown, _TINY)


class Product(NamedTuple):
    """`chosen` are indices of features, `typical` sizes and `exponents` beside them."""

    chosen: tuple[int, ...]
    typical: tuple[float, ...]
    exponents: tuple[float, ...]

    def of(self, x: Floats) -> Floats:
        """The relative size of records with the features `x`, all above 0."""
        grown: Floats = np.exp(np.log(x[:, list(self.chosen)] / self.typical) @ np.array(self.exponents))
        return grown


Shape = Sum | Product
Fit = Callable[[Asked], Sequence[Shape]]

FLAT = Sum(1.0, (), ())


def numbered(of: Ints) -> tuple[Ints, Ints]:
    """Variants numbered anew from 0, as far as they have records, and where each begins; `of` never falls."""
    changes = np.diff(of, prepend=-1) > 0
    return np.cumsum(changes) - 1, np.flatnonzero(changes)


def known_alone(asked: Asked) -> Asked:
    """The same fits without the records that none of them knows."""
    (value, there, x, of, _), some = asked.records, asked.known.any(axis=0)
    records = Records(value[:, some], there[:, some], x[:, some], *numbered(of[some]))
    return Asked(records, asked.value[:, some], asked.known[:, some], asked.chosen)


def varying(records: Records, quantity: int) -> list[int]:
    """The features that differ from record to record of a variant: all that a sum can be made of."""
    there = records.there[quantity]
    least = np.minimum.reduceat(np.where(there, records.x, np.inf), records.begins, axis=1)
    most = np.maximum.reduceat(np.where(there, records.x, -np.inf), records.begins, axis=1)
    return list(map(int, np.flatnonzero((most > least).any(axis=1))))


def above_zero(records: Records, quantity: int) -> list[int]:
    """Those of them that are nowhere 0: what a product can be made of."""
    there = records.there[quantity]
    return [k for k in varying(records, quantity) if (records.x[k, there] >= LEAST_SIZE).all()]


def fit_sum(asked: Asked) -> Sequence[Sum]:
    """Levels of variants and weights of records by turns."""
    records, value, known, chosen = asked
    x = records.x[chosen]
    mean = x.sum(axis=2, where=known[:, None]) / known.sum(axis=1)[:, None]
    unit = np.maximum(mean, _TINY)
    design = np.concatenate([np.ones_like(x[:, :1]), x / unit[:, :, None]], axis=1)
    count = _count(known, records.begins)
    size = np.ones(known.shape)
    beta, going = np.zeros(design.shape[:2]), np.ones(len(known), bool)
    for _ in range(_ROUNDS):
        level = _middles(np.where(known, value / size, np.inf), count, records.begins)[:, records.of]
        relative = value / np.maximum(level, _TINY)
        weight = _weights(relative / size - 1) / size**2 * known
        found = least_squares(design, relative, weight)
        before, size = size, np.maximum((found[:, None] @ design)[:, 0], _TINY)
        beta[going] = found[going]
        moved = size / before
        least = moved.min(axis=1, where=known, initial=np.inf)
        going &= moved.max(axis=1, where=known, initial=0.0) - least >= _SAME * least
        if not going.any():
            break
    each = beta[:, 1:] / unit
    parts = zip(beta[:, 0].tolist(), chosen.tolist(), each.tolist(), strict=True)
    return [Sum(fixed, tuple(of), tuple(by)) for fixed, of, by in parts]


def fit_product(asked: Asked) -> Sequence[Product]:
    """Logs, less what is typical of their variant: its level is left out of what the exponents have to explain."""
    records, value, known, chosen = asked
    fits, features = chosen.shape
    x = np.maximum(records.x[chosen], LEAST_SIZE)
    typical = _typical(x, known)
    columns = np.log(np.concatenate([x / typical[:, :, None], np.maximum(value, _TINY)[:, None]], axis=1))
    # Ridge: for each exponent a record more that says it is 0, as unsure as a record leaves it.
    priors, none = np.tile(np.eye(features) / _EXPONENTS, (fits, 1, 1)), np.zeros((fits, features))
    weight, spread = known.astype(np.float64), np.full(fits, _EXPONENTS)
    exponents, going = none.copy(), np.ones(fits, bool)
    for _ in range(_ROUNDS):
        within = _within(columns, records, weight)
        design, target = within[:, :-1], within[:, -1]
        wider = np.concatenate([design, spread[:, None, None] * priors], axis=2)
        drawn = (np.concatenate(pair, axis=1) for pair in ((target, none), (weight, none + 1)))
        found = np.minimum(least_squares(wider, *drawn), MAX_EXPONENT)
        left = target - (found[:, None] @ design)[:, 0]
        weight = _weights(left) * known
        spread = np.sqrt((left**2 * weight).sum(axis=1) / weight.sum(axis=1))
        moved = np.abs(found - exponents).max(axis=1)
        exponents[going] = found[going]
        going &= moved >= _SETTLED
        if not going.any():
            break
    parts = zip(chosen.tolist(), typical.tolist(), exponents.tolist(), strict=True)
    return [Product(tuple(of), tuple(at), tuple(powers)) for of, at, powers in parts]


def _within(columns: Floats, records: Records, weight: Floats) -> Floats:
    """Columns [fit, column, record] less their weighted means by variant."""
    total = np.maximum(np.add.reduceat(weight, records.begins, axis=1), _TINY)
    means = np.add.reduceat(columns * weight[:, None], records.begins, axis=2) / total[:, None]
    within: Floats = columns - means[:, :, records.of]
    return within


def _weights(off: Floats) -> Floats:
    """Huber's, of relative errors."""
    return np.minimum(1.0, _OFF / np.maximum(np.abs(off), _TINY))


def _typical(x: Floats, known: Flags) -> Floats:
    """The median of each feature of a fit, over all variants: [fit, feature]."""
    fits, features, records = x.shape
    masked = np.where(known[:, None], x, np.inf).reshape(-1, records)
    count = np.repeat(known.sum(axis=1), features)[:, None]
    return _middles(masked, count, np.zeros(1, np.int64)).reshape(fits, features)


def _count(known: Flags, begins: Ints) -> Ints:
    count: Ints = np.add.reduceat(known, begins, axis=1, dtype=np.int64)
    return count


def _middles(values: Floats, count: Ints, begins: Ints) -> Floats:
    """Medians of so many values in the stretch of each variant: [row, variant]. The others are infinite."""
    middles = np.empty(count.shape)
    rows = np.arange(len(values))
    for v, (begin, end) in enumerate(zip(begins, np.append(begins[1:], values.shape[1]), strict=True)):
        ascending, n = np.sort(values[:, begin:end], axis=1), count[:, v]
        middles[:, v] = 0.5 * (ascending[rows, (n - 1) // 2] + ascending[rows, n // 2])
    return middles
