"""Quantiles of Student's t, which numpy does not have."""

from functools import lru_cache

import numpy as np

from aos.engine.sampling.distributions import Floats

_REACH, _CELLS = 12.0, 8_001
_STEP = 0.5
_LEAST, _MOST = 1.5, 200.0


def t_quantiles(freedom: float, levels: Floats) -> Floats:
    """Quantiles at `levels` (ascending, inside (0, 1)); degrees of freedom to the nearest half, from 1.5 to 200."""
    x, reached = _distribution(min(max(round(freedom / _STEP) * _STEP, _LEAST), _MOST))
    return np.interp(levels, reached, x)


@lru_cache(maxsize=512)
def _distribution(freedom: float) -> tuple[Floats, Floats]:
    """(x, P(X <= x)): the density (1 + x^2/v)^(-(v+1)/2) summed on a grid of x = sinh(s), dense in the middle."""
    s = np.linspace(-_REACH, _REACH, _CELLS)
    x = np.sinh(s)
    density = np.exp(-0.5 * (freedom + 1) * np.log1p(x**2 / freedom)) * np.cosh(s)
    mass = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    return x, mass / mass[-1]
