"""What has changed lately as it never did before: since then other things hold than what all records say together.

How far a forecast looks back is learned from the records (`pool`), and a skill that was steady for long has taught it
to look far: after a change it would take as many new records to be believed. So one is looked for apart, among the
last m records for several m. It has to be

- rare: if the last m were like those before, so many of them would be as far out in less than one of 10,000 series.
  The chance that a share s of m values has what each has with the chance p is at most exp(-m KL(s, p)), with
  KL(s, p) = s ln(s / p) + (1 - s) ln((1 - s) / (1 - p)) (Hoeffding 1963, JASA 58, theorem 1);
- without precedent: of blocks of m records the last is beyond all others by more than any two neighbours of those are
  apart. What wanders, or comes and goes, has moved so before, and there the pool knows what to do.

Of several m the one counts that is the least likely by chance, unless what came then has gone: where the end of those m
is as unlikely after the rest of them, towards what was before. A storm that is over is no level of now.

Whether it stays so nobody knows. It has for d mean intervals between records, and is believed with d / (d + 5): what
has lasted lasts longer (Gott 1993, Nature 363).
"""

from collections.abc import Iterator
from math import log
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from aos.engine.calibrate.table import Flags
from aos.engine.sampling.distributions import Floats
from aos.engine.scores.scoring import quantiles_of

T = TypeVar("T", bound=np.generic)

_LEAST, _RATIO = 5, 1.1
_FEWEST_BLOCKS, _MANY_BLOCKS, _OF_FEW = 4, 9, 2.0
"""Of fewer than nine blocks the last must be beyond the others by twice as much."""
_SURE = -log(1e-4)
_RARE = 1 / 40
"""A level that more of the earlier records went beyond is left to the pool, which then is not far off."""
_DOUBT = 5.0
_OWN_WORTH = 10.0
"""So many records since it are worth as much for the shape as all those before."""
_SE_OF_MEDIAN, _NORMAL_MAD = 1.2533, 1.4826
_Z = np.array([-1.75, -1.0, -0.5, 0.0, 0.5, 1.0, 1.75])
_Z_WEIGHTS = np.exp(-(_Z**2) / 2) / np.exp(-(_Z**2) / 2).sum()


class Jump(NamedTuple):
    """The last `size` records are of something new, which is believed with `trust`."""

    size: int
    trust: float


def of_level(logs: Floats, when: Floats) -> Jump | None:
    """Whether the level of a series has jumped, from its logs in the order of time."""
    best, size, over = _SURE, 0, False
    for m in _lately(len(logs)):
        before, now = logs[:-m], float(np.median(logs[-m:]))
        if min(np.count_nonzero(before >= now), np.count_nonzero(before <= now)) >= _RARE * len(before):
            continue
        beyond = logs > (np.median(before) + now) / 2
        evidence = _evidence(beyond, m)
        if evidence > best and _unprecedented(np.median(_blocks(logs, m), axis=1)):
            best, size, over = evidence, m, _over(beyond, m)
    return None if over else _jump(size, when)


def of_chance(happened: Flags, when: Floats) -> Jump | None:
    """Whether something happens more often, or less, than it did."""
    best, size, over = _SURE, 0, False
    for m in _lately(len(happened)):
        evidence = _evidence(happened, m)
        if evidence > best and _unprecedented(_blocks(happened, m).mean(axis=1)):
            best, size, over = evidence, m, _over(happened, m)
    return None if over else _jump(size, when)


def chance(overall: float, happened: Flags, when: Floats) -> float:
    """The chance of something now; `overall` is what all records say."""
    jump = of_chance(happened, when)
    if jump is None:
        return overall
    since = float((happened[-jump.size :].sum() + overall) / (jump.size + 1))
    return overall + jump.trust * (since - overall)


def quantiles(series: Floats, jump: Jump, levels: Floats) -> Floats:
    """The series at its new level: what came since as it is, and all before with the level that it has now.

    Both times exp(s z), z standard normal, s the standard error of a median of so many.
    """
    logs = np.log(series)
    new, old = logs[-jump.size :], logs[: -jump.size]
    now = np.median(new)
    error = _SE_OF_MEDIAN * _NORMAL_MAD * float(np.median(np.abs(new - now))) / np.sqrt(len(new))
    share = len(new) / (len(new) + _OWN_WORTH)
    values = np.concatenate([new, old - np.median(old) + now])
    weights = np.repeat([share / len(new), (1 - share) / len(old)], [len(new), len(old)])
    blurred = np.exp(values[:, None] + error * _Z)
    return quantiles_of(blurred.ravel(), levels, (weights[:, None] * _Z_WEIGHTS).ravel())


def _lately(n: int) -> Iterator[int]:
    """For how many of the last records of n it is looked for."""
    m = _LEAST
    while m * _FEWEST_BLOCKS <= n:
        yield m
        m = max(m + 1, round(m * _RATIO))


def _evidence(happened: Flags, m: int) -> float:
    """How unlike those before the last m are: m KL."""
    before, share = happened[:-m], float(happened[-m:].mean())
    p = (np.count_nonzero(before) + 0.5) / (len(before) + 1)
    return m * sum(s * log(s / q) for s, q in ((share, p), (1 - share, 1 - p)) if s > 0)


def _over(happened: Flags, m: int) -> bool:
    """Whether the end of the last m, up to half of them, is unlike the rest, towards those before: it has gone."""
    before, since = happened[:-m], happened[-m:]
    rose = since.mean() > before.mean()
    for k in _lately(m * _FEWEST_BLOCKS // 2):
        fell = since[-k:].mean() < since[:-k].mean()
        if rose == fell and _evidence(since, k) > _SURE:
            return True
    return False


def _blocks(values: NDArray[T], m: int) -> NDArray[T]:
    """[block, record]: as many as there are, the last one at the end."""
    return values[len(values) % m :].reshape(-1, m)


def _unprecedented(middles: Floats) -> bool:
    past, now = middles[:-1], middles[-1]
    beyond = max(now - past.max(), past.min() - now)
    times = 1.0 if len(middles) >= _MANY_BLOCKS else _OF_FEW
    return bool(beyond > times * np.abs(np.diff(past)).max())


def _jump(size: int, when: Floats) -> Jump | None:
    span = when[-1] - when[0]
    if not size or span <= 0:
        return None
    lasted = (when[-1] - when[-size]) / span * (len(when) - 1)
    return Jump(size, float(lasted / (lasted + _DOUBT)))
