"""Sizes of recorded attempts, and those of about the same size, which are forecast together."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.domain.skills.distributions import median
from aos.domain.skills.skill import LEAST_SIZE, AnyGrowth, Growth
from aos.engine.sampling.distributions import Floats

__all__ = ["Alike", "alike", "size", "times_as_large"]

_CLOSE = 0.1
"""Logs: sizes that are no further apart are forecast as one, scaled."""


class Alike(NamedTuple):
    """Rows of attempts, what the one in their middle states, and how many times its size each of them has."""

    rows: NDArray[np.intp]
    stated: dict[str, float]
    scale: Floats


def alike(growth: AnyGrowth, features: Sequence[str], x: Floats, most: int) -> list[Alike]:
    """At most about `most` groups of attempts whose typical value is about the same; `x` is [attempt, feature]."""
    columns = {f.name: x[:, features.index(f.name)] for f in growth.features if f.name in features}
    size = np.log(np.maximum(_typical(growth, columns, len(x)), LEAST_SIZE))
    width = max(_CLOSE, float(np.ptp(size)) / most)
    _, group = np.unique(np.floor((size - size.min()) / width), return_inverse=True)
    found = []
    for k in range(group.max() + 1):
        rows = np.flatnonzero(group == k)
        middle = rows[np.argsort(size[rows], kind="stable")[len(rows) // 2]]
        stated = {name: float(c[middle]) for name, c in columns.items() if np.isfinite(c[middle])}
        found.append(Alike(rows, stated, np.exp(size[rows] - size[middle])))
    return found


def size(growth: AnyGrowth, columns: Mapping[str, Floats], count: int) -> Floats:
    """What each of so many attempts takes or costs by its features alone; NaN where one was not recorded."""
    total = np.zeros(count)
    if isinstance(growth, Growth):
        for f in growth.features:
            total += f.each * columns.get(f.name, np.nan)
        return growth.fixed + total
    for p in growth.features:
        value = columns.get(p.name, np.full(count, np.nan))
        total += p.exponent * np.log(np.where(value >= LEAST_SIZE, value, np.nan) / p.typical)
    return np.asarray(growth.level * np.exp(np.minimum(total, 500.0)))


def times_as_large(growth: AnyGrowth, columns: Mapping[str, Floats], base: Mapping[str, float]) -> Floats:
    """What each attempt takes or costs by its features, in multiples of one with the features of `base`.

    Features that neither knows are as they usually are; the columns have one length.
    """
    count = len(next(iter(columns.values())))
    one = _typical(growth, {name: np.array([value]) for name, value in base.items()}, 1)
    here = _typical(growth, columns, count)
    return np.maximum(here, LEAST_SIZE) / np.maximum(one, LEAST_SIZE)


def _typical(growth: AnyGrowth, columns: Mapping[str, Floats], count: int) -> Floats:
    """The same, with features that nobody recorded as they usually are."""
    least = 0.0 if isinstance(growth, Growth) else LEAST_SIZE
    filled = {}
    for f in growth.features:
        value = columns.get(f.name, np.full(count, np.nan))
        filled[f.name] = np.where(value >= least, value, median(f.seen))
    return size(growth, filled, count)
