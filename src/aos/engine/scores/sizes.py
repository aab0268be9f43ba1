"""Sizes of recorded attempts, and those of about the same size, which are forecast together."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.domain.skills.skill import LEAST_SIZE, AnyGrowth
from aos.engine.sampling.distributions import Floats
from aos.engine.sampling.growth import usual_size

__all__ = ["Alike", "alike"]

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
    size = np.log(np.maximum(usual_size(growth, columns, len(x)), LEAST_SIZE))
    width = max(_CLOSE, float(np.ptp(size)) / most)
    _, group = np.unique(np.floor((size - size.min()) / width), return_inverse=True)
    found = []
    for k in range(group.max() + 1):
        rows = np.flatnonzero(group == k)
        middle = rows[np.argsort(size[rows], kind="stable")[len(rows) // 2]]
        stated = {name: float(c[middle]) for name, c in columns.items() if np.isfinite(c[middle])}
        found.append(Alike(rows, stated, np.exp(size[rows] - size[middle])))
    return found
