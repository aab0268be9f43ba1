"""Weighted least squares of several fits at once, with no coefficient below 0."""

import numpy as np

from aos.engine.calibrate.table import Flags
from aos.engine.sampling.distributions import Floats

_ALIKE = 1e-6
"""The share of a column's squares that the columns before it leave unexplained, below which they are too much alike."""


def least_squares(design: Floats, y: Floats, weight: Floats) -> Floats:
    """Coefficients of each fit of `design` [fit, column, record] to `y` [fit, record]; records that weigh 0 are none.

    The most negative one is left out until none is. By the normal equations, a tenth of the work of a decomposition,
    as long as columns differ enough for the digits that are told.
    """
    both = np.concatenate([design, y[:, None]], axis=1)
    products = ((both * weight[:, None]) @ both.transpose(0, 2, 1))[:, :-1].transpose(1, 2, 0)
    used = np.ones(design.shape[1::-1], bool)
    while True:
        found, told = _solved(products, used)
        for fit in np.flatnonzero(~told):
            of = used[:, fit]
            found[of, fit] = _decomposed(design[fit, of], y[fit], weight[fit])
        found[~used] = 0.0
        least = found.min(axis=0)
        if least.min() >= 0:
            solution: Floats = found.T
            return solution
        used &= (found > least) | (least >= 0)


def _solved(products: Floats, used: Flags) -> tuple[Floats, Flags]:
    """The solution of each symmetric system, [row, column, fit], its right side last, in the unknowns that are used.

    And whether it is one: not where columns are too much alike. Gaussian elimination.
    """
    n = len(used)
    rows = products.copy()
    every = np.arange(n)
    if not used.all():
        rows[:, :n] *= used
        rows *= used[:, None]
        rows[every, every] += ~used
    length = rows[every, every]
    with np.errstate(all="ignore"):
        for i in range(n):
            for j in range(i + 1, n):
                rows[j] -= rows[j, i] / rows[i, i] * rows[i]
        found = rows[:, n]
        for i in reversed(range(n)):
            found[i] /= rows[i, i]
            found[:i] -= rows[:i, i] * found[i]
    told: Flags = np.logical_and.reduce(rows[every, every] > _ALIKE * length)
    return found, told


def _decomposed(design: Floats, y: Floats, weight: Floats) -> Floats:
    """The solution where columns are alike: the shortest."""
    root = np.sqrt(weight)
    return np.asarray(np.linalg.lstsq((design * root).T, y * root, rcond=None)[0], np.float64)
