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
from numpy.typing import NDArray

from aos.domain.skills.skill import LEAST_SIZE, MAX_EXPONENT
from aos.engine.sampling.distributions import Floats

_OFF = 0.5
_ROUNDS, _SETTLED, _SAME = 10, 1e-3, 1e-6
_TINY = 1e-9
_ALIKE = 1e-6
"""The share of a column's squares that the columns before it leave unexplained, below which they are too much alike."""
_EXPONENTS = 0.5
"""Standard deviation of exponents around 0, before any record: little is made of a handful, or of sizes much alike."""


class Sized(NamedTuple):
    """A variant's recorded values, oldest first, with the features of each: `x` is [record, feature]."""

    value: Floats
    x: Floats


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
Fit = Callable[[Sequence[Sized], tuple[int, ...]], Shape]

FLAT = Sum(1.0, (), ())


def varying(variants: Sequence[Sized]) -> list[int]:
    """The features that differ from record to record of a variant: all that a sum can be made of."""
    return [k for k in range(variants[0].x.shape[1]) if any(np.ptp(v.x[:, k]) > 0 for v in variants)]


def above_zero(variants: Sequence[Sized]) -> list[int]:
    """Those of them that are nowhere 0: what a product can be made of."""
    return [k for k in varying(variants) if all((v.x[:, k] >= LEAST_SIZE).all() for v in variants)]


def fit_sum(variants: Sequence[Sized], chosen: tuple[int, ...]) -> Sum:
    """Levels of variants and weights of records by turns."""
    x, value, of = _stacked(variants, chosen)
    past = np.cumsum([len(v.value) for v in variants])
    unit = np.maximum(x.mean(axis=0), _TINY)
    design = np.column_stack([np.ones(len(x)), x / unit])
    size = np.ones(len(x))
    beta = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        level = np.array([_median(part) for part in np.split(value / size, past[:-1])])
        relative = value / np.maximum(level[of], _TINY)
        weight = _weights(relative / size - 1) / size**2
        beta = _least_squares(design, relative, weight)
        before, size = size, np.maximum(design @ beta, _TINY)
        moved = size / before
        if moved.max() - moved.min() < _SAME * moved.min():
            break
    return Sum(float(beta[0]), chosen, tuple(map(float, beta[1:] / unit)))


def fit_product(variants: Sequence[Sized], chosen: tuple[int, ...]) -> Product:
    """Logs, less what is typical of their variant: its level is left out of what the exponents have to explain."""
    x, value, of = _stacked(variants, chosen)
    typical = np.median(x, axis=0)
    logs, y = np.log(x / typical), np.log(np.maximum(value, _TINY))
    weight = np.ones(len(x))
    exponents = np.zeros(len(chosen))
    none, spread = np.zeros(len(chosen)), _EXPONENTS
    for _ in range(_ROUNDS):
        within = _within(np.column_stack([logs, y]), of, weight)
        design, target = within[:, :-1], within[:, -1]
        # Ridge: for each exponent a record more that says it is 0, as unsure as a record leaves it.
        prior = spread / _EXPONENTS * np.eye(len(chosen))
        drawn = np.vstack([design, prior]), np.append(target, none), np.append(weight, none + 1)
        before, exponents = exponents, np.minimum(_least_squares(*drawn), MAX_EXPONENT)
        left = target - design @ exponents
        weight = _weights(left)
        spread = float(np.sqrt(np.average(left**2, weights=weight)))
        if np.abs(exponents - before).max() < _SETTLED:
            break
    return Product(chosen, tuple(map(float, typical)), tuple(map(float, exponents)))


def _stacked(variants: Sequence[Sized], chosen: tuple[int, ...]) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """The chosen features, the values and the variant of all records."""
    return (
        np.concatenate([v.x[:, list(chosen)] for v in variants]),
        np.concatenate([v.value for v in variants]),
        np.repeat(np.arange(len(variants)), [len(v.value) for v in variants]),
    )


def _within(columns: Floats, of: NDArray[np.intp], weight: Floats) -> Floats:
    """Columns less their weighted means by variant."""
    total = np.maximum(np.bincount(of, weight), _TINY)
    means = [np.bincount(of, weight * column) / total for column in columns.T]
    return columns - np.column_stack(means)[of]


def _weights(off: Floats) -> Floats:
    """Huber's, of relative errors."""
    return np.minimum(1.0, _OFF / np.maximum(np.abs(off), _TINY))


def _median(values: Floats) -> float:
    """`np.median` takes ten times as long for a few values."""
    ascending, n = np.sort(values), len(values)
    return 0.5 * float(ascending[(n - 1) // 2] + ascending[n // 2]) if n else np.nan


def _least_squares(design: Floats, y: Floats, weight: Floats) -> Floats:
    """Weighted, no coefficient below 0: the most negative one is left out until none is.

    By the normal equations, a tenth of the work of a decomposition, as long as columns differ enough for the digits
    that are told.
    """
    both = np.column_stack([design, y])
    *products, _ = ((both.T * weight) @ both).tolist()
    used = list(range(design.shape[1]))
    beta = np.zeros(design.shape[1])
    while used:
        found = _solved([[products[i][j] for j in (*used, -1)] for i in used])
        if found is None:
            root = np.sqrt(weight)
            found = np.linalg.lstsq(design[:, used] * root[:, None], y * root, rcond=None)[0].tolist()
        least = min(range(len(used)), key=found.__getitem__)
        if found[least] >= 0:
            beta[used] = found
            break
        del used[least]
    return beta


def _solved(rows: list[list[float]]) -> list[float] | None:
    """The solution of a symmetric system, each row with its right side last; None where columns are too much alike.

    Gaussian elimination, which for so few unknowns is quicker in plain numbers than through arrays.
    """
    n = len(rows)
    for i, row in enumerate(rows):
        length = row[i]
        for j in range(i):
            share = row[j] / rows[j][j]
            for k in range(j, n + 1):
                row[k] -= share * rows[j][k]
        if not row[i] > _ALIKE * length:
            return None
    found = [0.0] * n
    for i in reversed(range(n)):
        known = sum(rows[i][k] * found[k] for k in range(i + 1, n))
        found[i] = (rows[i][n] - known) / rows[i][i]
    return found
