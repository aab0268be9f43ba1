"""Which columns are worth splitting skills by.

A column is taken in where records that came later say so (forward selection): with it, the CRPS of times or of costs
or the Brier score of success, of what the records before them foretell, is lower by two standard errors and 1 %.
Under a set of conditions with n records the forecast is theirs with the share n / (n + 10), for the rest that without
the newest column: splitting thin never wins by itself.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from aos.domain.learning.records import Records
from aos.engine.calibrate.skill.pool import thinned
from aos.engine.calibrate.table import Ints
from aos.engine.sampling.distributions import Floats
from aos.engine.scores.scoring import GRID, quantiles_of

_ORIGINS = (0.4, 0.6, 0.8, 1.0)
_STRETCHES = 5
_LEAST, _MOST = 30, 10_000
"""Records of a skill: with fewer it has no say, of more so many are looked at, evenly thinned."""
_MOST_COLUMNS = 4
_WORTH = 10.0
_STANDARD_ERRORS, _LEAST_GAIN = 2.0, 0.01


class _Skill(NamedTuple):
    """Attempts of one skill, oldest first; time and cost are over their mean, NaN where unknown."""

    time: Floats
    cost: Floats
    failed: Floats
    columns: Mapping[str, Ints]

    def groups(self, chosen: Sequence[str]) -> Ints:
        """A number for the values that each attempt has in the chosen columns."""
        if not chosen:
            return np.zeros(len(self.time), np.int64)
        keys = np.array([self.columns[name] for name in chosen])
        return np.unique(keys, axis=1, return_inverse=True)[1].reshape(-1)


class _Losses(NamedTuple):
    """Mean losses of stretches of attempts, NaN where nothing was recorded."""

    time: Floats
    cost: Floats
    success: Floats


def choose(records: Records, share: float = 1.0) -> tuple[str, ...]:
    """The condition columns of the first `share` of `records` that help to foretell, the most helpful first."""
    skills = _skills(records, round(len(records.start_ms) * share))
    chosen: tuple[str, ...] = ()
    losses = _score(skills, chosen)
    while len(chosen) < _MOST_COLUMNS:
        wider = {name: _score(skills, (*chosen, name)) for name in records.conditions if name not in chosen}
        gains = {name: _gain(losses, new) for name, new in wider.items()}
        best = max(gains, key=lambda name: gains[name], default=None)
        if best is None or gains[best] <= 0:
            break
        chosen, losses = (*chosen, best), wider[best]
    return chosen


def _skills(records: Records, count: int) -> list[_Skill]:
    skill = np.asarray(records.skill.codes, np.int64)[:count]
    time = np.asarray(records.end_ms, np.float64) - np.asarray(records.start_ms, np.float64)
    cost = np.asarray(records.cost_cents, np.float64)
    failed = np.frombuffer(records.failed, np.uint8)
    found = []
    for code in np.unique(skill):
        rows = thinned(np.flatnonzero(skill == code), _MOST)
        if len(rows) >= _LEAST:
            columns = {
                name: np.asarray(column.codes, np.int64)[rows] for name, column in records.conditions.items()
            }
            found.append(
                _Skill(_relative(time[rows]), _relative(cost[rows]), failed[rows].astype(np.float64), columns)
            )
    return found


def _relative(values: Floats) -> Floats:
    known = values[np.isfinite(values)]
    return values / known.mean() if known.size and known.mean() > 0 else np.full(len(values), np.nan)


def _gain(old: _Losses, new: _Losses) -> float:
    """By how much of the loss the best of the three scores is lower; 0 where none is lower beyond chance."""
    gains = [0.0]
    for before, after in zip(old, new, strict=True):
        less = (before - after)[np.isfinite(before)]
        if len(less) > 1 and np.nanmean(before) > 0:
            noise = float(less.std(ddof=1)) / np.sqrt(len(less))
            share = float(less.mean() / np.nanmean(before))
            if less.mean() > _STANDARD_ERRORS * noise and share > _LEAST_GAIN:
                gains.append(share)
    return max(gains)


def _score(skills: Sequence[_Skill], chosen: tuple[str, ...]) -> _Losses:
    nothing = _Losses(np.zeros(0), np.zeros(0), np.zeros(0))
    parts = [nothing, *(_score_of(skill, chosen) for skill in skills)]
    return _Losses(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _score_of(skill: _Skill, chosen: tuple[str, ...]) -> _Losses:
    count = len(skill.time)
    levels = [skill.groups(chosen[:depth]) for depth in range(len(chosen) + 1)]
    kept: list[Floats] = [np.full(count, np.nan) for _ in range(3)]
    stretches: list[Ints] = []
    for begin, end in pairwise(round(count * share) for share in _ORIGINS):
        stretches += np.array_split(np.arange(begin, end), _STRETCHES)
        for group in np.unique(levels[-1][begin:end]):
            rows = begin + np.flatnonzero(levels[-1][begin:end] == group)
            pasts = [np.flatnonzero(level[:begin] == level[rows[0]]) for level in levels]
            kept[0][rows] = _crps(skill.time, pasts, rows)
            kept[1][rows] = _crps(skill.cost, pasts, rows)
            kept[2][rows] = _brier(skill.failed, pasts, rows)
    return _Losses(*(np.array([_mean(losses[rows]) for rows in stretches]) for losses in kept))


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan


def _crps(values: Floats, pasts: Sequence[Ints], rows: Ints) -> Floats:
    """Of the mixture of what was recorded under ever more conditions, the last ones believed most."""
    told = np.full(len(GRID), np.nan)
    for past in pasts:
        known = values[past]
        known = known[np.isfinite(known)]
        if known.size:
            own = np.quantile(known, GRID)
            share = known.size / (known.size + _WORTH)
            mixed = np.repeat([1 - share, share], len(GRID))
            told = own if np.isnan(told[0]) else quantiles_of(np.concatenate([told, own]), GRID, mixed)
    late = values[rows, None] - told
    losses: Floats = 2 * np.maximum(GRID * late, (GRID - 1) * late).mean(axis=1)
    return losses


def _brier(failed: Floats, pasts: Sequence[Ints], rows: Ints) -> Floats:
    """Of shares as recorded, mixed alike: where nothing ever failed nothing is gained by splitting."""
    chance = 0.0
    for depth, past in enumerate(pasts):
        if len(past):
            share = len(past) / (len(past) + _WORTH) if depth else 1.0
            chance += share * (float(failed[past].mean()) - chance)
    squares: Floats = (failed[rows] - chance) ** 2
    return squares
