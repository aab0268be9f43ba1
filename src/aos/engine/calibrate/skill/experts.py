"""Experts: simple ways to foretell a series from its own past, to be pooled by `pool`.

A series is positive values in the order of time. With n of them, h a half-life as a share of n and s a noise:

- measured (h, s): the values as they are, weight 2^(-age / max(h n, 3, a)), times exp(s z), z ~ N(0, 1);
- moved (h, s): every value moved from the level it had to the level there is now, times exp(s z);
- student (h, c): Student's t on logs, location and scale drawn towards what related series have, stretched by c.

An age counts mean intervals between records, n - 1 for the oldest, so that many records of one moment tell of one
level, however many they are. Evenly spaced, it is how many records came later. a is the age of the third newest.

The noise is for what a level does that has not been seen yet: it widens a forecast beyond its records.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from aos.engine.calibrate.skill.students import t_quantiles
from aos.engine.calibrate.table import Ints
from aos.engine.sampling.distributions import Floats

_HALF_LIVES = (np.inf, 1.0, 0.5, 0.25, 0.12, 0.06, 0.03)
_NOISES = (0.0, 0.05, 0.1, 0.15, 0.25, 0.4)
_STUDENT_HALF_LIVES, _STRETCHES = (np.inf, 0.25), (1.0, 1.5, 2.2)
_MOVED_HALF_LIVES, _MOVED_NOISES = (0.02, 0.08, 0.25), (0.0, 0.04, 0.1, 0.2)
_SHORTEST_HALF_LIFE, _LEAST_RECENT = 3.0, 3
"""A forecast rests on three values at least, even if the newest came long after the others, or its clock was wrong."""
_ALL_HALF_LIVES = np.array([*_HALF_LIVES, *_MOVED_HALF_LIVES, *_STUDENT_HALF_LIVES])
_KIND_ENDS = [len(_HALF_LIVES), len(_HALF_LIVES) + len(_MOVED_HALF_LIVES)]
_BLOCK_SHARE, _BLOCK_LEAST = 0.06, 8
"""The running level is the median of blocks of 6 % of the records, 8 at least."""
_LOG_LIMIT = 40.0
_BELIEVED = 0.0025, 0.9975
"""Levels up to which a shape is followed: exp of the far tail of t exceeds anything ever seen."""

_Z = np.array([-1.75, -1.0, -0.5, 0.0, 0.5, 1.0, 1.75])
_Z_WEIGHTS = np.exp(-(_Z**2) / 2) / np.exp(-(_Z**2) / 2).sum()
_Z = _Z / np.sqrt((_Z_WEIGHTS * _Z**2).sum())


class Prior(NamedTuple):
    """What related series say of one: its log variance `scale` as worth `freedom` records, and of the mean of
    its logs the expectation and variance.
    """

    scale: float
    freedom: float
    mean: float
    variance: float

    def posterior(self, squares: float, worth: float) -> float:
        """The log variance of a series worth that many records, with the sum of `squares` around its mean.

        Source: Smyth (2004), Stat. Appl. Genet. Mol. Biol. 3, section 3.
        """
        return (self.freedom * self.scale + squares) / (self.freedom + max(worth - 1, 0))


MEASURED = len(_HALF_LIVES) * len(_NOISES) + len(_MOVED_HALF_LIVES) * len(_MOVED_NOISES)
STUDENT = len(_STUDENT_HALF_LIVES) * len(_STRETCHES)
EXPERTS = MEASURED + STUDENT
"""The first MEASURED rest on values that were measured, the last STUDENT on a shape."""


def half_lives() -> Floats:
    """The half-life of each expert, as a share of the records."""
    return np.concatenate(
        [
            np.repeat(_HALF_LIVES, len(_NOISES)),
            np.repeat(_MOVED_HALF_LIVES, len(_MOVED_NOISES)),
            np.repeat(_STUDENT_HALF_LIVES, len(_STRETCHES)),
        ]
    )


def quantiles(series: Floats, when: Floats, prior: Prior, levels: Floats) -> Floats:
    """The quantiles of all experts at `levels`: a row an expert. `when` the values are from never falls."""
    logs = np.log(series)
    measured, moved, student = np.split(recencies(when), _KIND_ENDS)
    return np.concatenate(
        [
            _measured(series, measured, levels),
            _moved(logs, moved, levels),
            _student(logs, student, prior, levels),
        ]
    )


def log_student(centre: float, width: float | Floats, freedom: float, levels: Floats) -> Floats:
    """Quantiles of exp of Student's t with that centre and width, a row for each width of several."""
    logs = centre + np.multiply.outer(width, t_quantiles(freedom, np.clip(levels, *_BELIEVED)))
    values: Floats = np.exp(np.clip(logs, -_LOG_LIMIT, _LOG_LIMIT))
    return values


def recencies(when: Floats) -> Floats:
    """How much values from then count, the newest last: a row for each half-life, the kinds one after the other.

    Each row sums to 1.
    """
    n = len(when)
    age: Floats = when[-1] - when
    if age[0] > 0:
        age *= (n - 1) / age[0]
    least = max(_SHORTEST_HALF_LIFE, age[-min(n, _LEAST_RECENT)])
    weights = np.exp2(-age / np.maximum(_ALL_HALF_LIVES * n, least)[:, None])
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares


def local_level(logs: Floats) -> Floats:
    """The running level of logs: medians of consecutive blocks, linear in between."""
    at, block, lower, upper, centres = _stretches(len(logs))
    ascending = logs[np.lexsort((logs, block))]
    return np.interp(at, centres, 0.5 * (ascending[lower] + ascending[upper]))


def block_length(n: int) -> int:
    """How many of n records the median is of that the running level goes through."""
    return min(n, max(_BLOCK_LEAST, int(_BLOCK_SHARE * n)))


@lru_cache(maxsize=256)
def _stretches(n: int) -> tuple[Floats, Ints, Ints, Ints, Floats]:
    """Of n records the place and the block; of the blocks, each sorted, where the middle two stand, and the centres."""
    blocks = max(1, n // block_length(n))
    edges = np.linspace(0, n, blocks + 1).astype(int)
    first, past = edges[:-1], edges[1:]
    of = np.repeat(np.arange(blocks), past - first)
    return np.arange(float(n)), of, (first + past - 1) // 2, (first + past) // 2, 0.5 * (first + past - 1)


def _measured(series: Floats, recent: Floats, levels: Floats) -> Floats:
    ranked = np.argsort(series, kind="stable")
    return _blurred(series[ranked], recent[:, ranked], _NOISES, levels).reshape(-1, len(levels))


def _moved(logs: Floats, recent: Floats, levels: Floats) -> Floats:
    running = local_level(logs)
    now = np.exp(recent @ running)
    relative = np.sort(np.exp(logs - running))
    told = _blurred(relative, np.full((1, len(logs)), 1 / len(logs)), _MOVED_NOISES, levels)
    return (now[:, None, None] * told).reshape(-1, len(levels))


def _student(logs: Floats, recent: Floats, prior: Prior, levels: Floats) -> Floats:
    """The posterior of scale and location (BLUP)."""
    rows = []
    for weights in recent:
        worth = 1 / (weights @ weights)
        mean = weights @ logs
        squares = weights @ (logs - mean) ** 2 * worth
        variance = prior.posterior(squares, worth)
        of_mean = variance / worth
        trust = prior.variance / (prior.variance + of_mean)
        centre = prior.mean + trust * (mean - prior.mean)
        width = np.sqrt(variance + trust * of_mean)
        rows.append(log_student(centre, width * np.array(_STRETCHES), prior.freedom + worth - 1, levels))
    return np.concatenate(rows)


def _blurred(ascending: Floats, weights: Floats, noises: tuple[float, ...], levels: Floats) -> Floats:
    """Quantiles of values times exp(s z), z spread over seven: [row of weights, noise, level]; rows sum to 1.

    Seven ascending runs one after the other are merged by a stable sort in a fraction of the time of sorting anew.
    """
    out = np.empty((len(weights), len(noises), len(levels)))
    spread = (weights[:, None, :] * _Z_WEIGHTS[:, None]).reshape(len(weights), -1)
    for j, noise in enumerate(noises):
        if noise:
            values = (np.exp(noise * _Z)[:, None] * ascending).ravel()
            ranked = values.argsort(kind="stable")
            _weighted(values[ranked], spread.take(ranked, axis=1), levels, out[:, j])
        else:
            _weighted(ascending, weights.copy(), levels, out[:, j])
    return out


def _weighted(values: Floats, weights: Floats, levels: Floats, out: Floats) -> None:
    """Writes the quantiles of ascending values for each row of weights, which is spent on it.

    A value stands in the middle of its weight: twice that is what is reached before it and with it.
    """
    reached = np.add.accumulate(weights, axis=1, out=weights)
    twice = reached.copy()
    twice[:, 1:] += reached[:, :-1]
    at = 2 * levels
    for row, told in zip(twice, out, strict=True):
        told[:] = np.interp(at, row, values)
