"""How long what makes attempts fail goes on: failures seconds apart inside one outage are not independent.

For each failure with a code, the next attempt of the same variant, in whichever run, starts d ms after its end and
fails with that code or not. If the outage outlasts d with the chance S(d) and attempts fail with the chance p anyway,
the next one fails with the chance f(d) = S(d) + (1 - S(d)) p. f never rises: it is fitted by pooling adjacent violators
(Ayer et al. 1955, Annals of Mathematical Statistics 26), and S(d) = (f(d) - p) / (1 - p).

Outages are believed in where the later half of the failures says so: the Brier score of S learned from the earlier
half is lower than that of p by two standard errors.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aos.domain.skills.distributions import Constant, Distribution, Quantiles
from aos.engine.calibrate.skill.pool import thinned
from aos.engine.calibrate.skill.times import short
from aos.engine.calibrate.table import Flags, Ints
from aos.engine.sampling.distributions import Floats

_LEAST, _MOST = 20, 20_000
"""Failures with an attempt after them; of more so many are looked at, evenly thinned."""
_STANDARD_ERRORS = 2.0
_NEXT_TO_NOTHING = 0.01
_STEP = 1e-6


class Ended(NamedTuple):
    """Attempts of one variant, by start: when each started and ended (ms, NaN unknown), how it failed (-1: not)."""

    start: Floats
    end: Floats
    code: Ints


class _Pairs(NamedTuple):
    """Failures and what came next: after how many ms, whether it failed alike, and how often its variant does."""

    lag: Floats
    again: Flags
    usual: Floats

    def part(self, of: slice) -> "_Pairs":
        return _Pairs(self.lag[of], self.again[of], self.usual[of])


class Lasting(NamedTuple):
    """How long outages last after the failed attempt that met them, and how many failures say so."""

    duration: Distribution
    failures: int


def lasting(variants: Sequence[Ended], code: int) -> Lasting | None:
    """How long outages with this code last, from all variants of a skill; None where failures look independent."""
    pairs = _pairs(variants, code)
    count = len(pairs.lag)
    if count < _LEAST:
        return None
    early, late = pairs.part(slice(count // 2)), pairs.part(slice(count // 2, None))
    chance = _outlasts(early, late.lag)
    foretold = chance + (1 - chance) * late.usual
    gain = (late.usual - late.again) ** 2 - (foretold - late.again) ** 2
    if gain.mean() <= _STANDARD_ERRORS * gain.std(ddof=1) / np.sqrt(len(gain)):
        return None
    duration = _duration(pairs)
    return None if duration is None else Lasting(duration, count)


def _pairs(variants: Sequence[Ended], code: int) -> _Pairs:
    """In the order of time, over all variants."""
    found = []
    for v in variants:
        failed = np.flatnonzero((v.code == code) & np.isfinite(v.end))
        after = np.searchsorted(v.start, v.end[failed])
        failed, after = failed[after < len(v.start)], after[after < len(v.start)]
        usual = np.full(len(failed), (v.code == code).mean())
        found.append(np.array([v.end[failed], v.start[after] - v.end[failed], v.code[after] == code, usual]))
    when, lag, again, usual = np.concatenate(found, axis=1)
    ranked = thinned(np.argsort(when, kind="stable"), _MOST)
    return _Pairs(lag[ranked], again[ranked] > 0, usual[ranked])


def _outlasts(pairs: _Pairs, lags: Floats) -> Floats:
    """S at `lags`: linear between the middles of the blocks of f, level before the first, nothing after the last."""
    middle, chance = _blocks(pairs)
    return np.interp(lags, middle, chance, right=0.0)


def _blocks(pairs: _Pairs) -> tuple[Floats, Floats]:
    """The blocks of f that never rises: the mean lag of each and S there."""
    lag, of = np.unique(np.rint(pairs.lag), return_inverse=True)
    count = np.bincount(of)
    sums = (count, count * lag, np.bincount(of, pairs.again), np.bincount(of, pairs.usual))
    blocks: list[list[float]] = []
    for each in zip(*sums, strict=True):
        blocks.append([*map(float, each)])
        while len(blocks) > 1 and blocks[-1][2] / blocks[-1][0] >= blocks[-2][2] / blocks[-2][0]:
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    count, lags, fails, usually = np.array(blocks).T
    base = np.minimum(usually / count, 1 - _STEP)
    return lags / count, np.clip((fails / count - base) / (1 - base), 0.0, 1.0)


def _duration(pairs: _Pairs) -> Distribution | None:
    """The distribution with the survival S; 0 for failures that no outage caused."""
    middle, chance = _blocks(pairs)
    lasts = chance > _NEXT_TO_NOTHING
    if not lasts.any():
        return None
    longest = float(middle[~lasts][0]) if (~lasts).any() else float(pairs.lag.max())
    values = np.append(middle[lasts], max(longest, float(middle[lasts][-1])))
    levels = np.append(np.minimum.accumulate(1 - chance[lasts][::-1])[::-1], 1.0)
    if levels[0] > _STEP:
        values, levels = np.insert(values, 0, 0.0), np.insert(levels, 0, levels[0] - _STEP)
    rising = np.append(np.diff(levels) > 0, True)
    if rising.sum() == 1:
        return Constant(short(values[-1]))
    return Quantiles(tuple(map(float, levels[rising])), tuple(map(short, values[rising])))
