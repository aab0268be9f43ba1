"""One attempt of a skill as one table: a single random index says how long it takes and how it ends."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.domain.plans.retries import effect_of_failure, repeatable, tries_again
from aos.domain.skills.skill import Effects, FailureMode, RetryPolicy
from aos.engine.sampling.distributions import SIZE, Floats, at_ranks, quantiles

TIMEOUT = FailureMode("TIMEOUT", "TRANSIENT", None)
"""What an attempt cut off by the step's own `timeout_s` ends with, where the skill has no such mode."""


class Attempts(NamedTuple):
    """How attempts of one call end.

    `time[i]` is the duration (ms) of an attempt with index i; from `first_failure` on they fail, with
    `modes[mode[i - first_failure]]`; `spans[m]` is the (first entry, entries) of mode m itself. `clean` are
    the durations of successes alone. `latency_known` and `failures_known` are False where the catalog has no
    figure: the tables then hold the known part. An attempt cut off by `timeout_ms` fails with
    `modes[cut_off]`.
    """

    time: Floats
    first_failure: int
    mode: NDArray[np.uint8]
    modes: tuple[FailureMode, ...]
    spans: tuple[tuple[int, int], ...]
    clean: Floats
    timeout_ms: float
    cut_off: int
    latency_known: bool
    failures_known: bool


def attempts_table(
    latency: Floats | None, failures: Sequence[FailureMode] | None, timeout_ms: float | None
) -> Attempts:
    """Lay successes out by rising latency, then each failure mode with its share of the 65,536 entries.

    Successes slower than `timeout_ms` become TIMEOUT failures that end at it. A positive probability gets one
    entry at the least (1.5e-5). `latency` is the quantile table of a clean attempt, None where unknown.
    """
    modes = list(failures or ())
    shares = [0 if m.probability is None else _entries(m.probability.value) for m in modes]
    good = max(0, SIZE - sum(shares))
    clean = np.zeros(SIZE) if latency is None else latency
    limit = np.inf if timeout_ms is None else timeout_ms
    success = at_ranks(clean, good) if good else np.zeros(0)
    first_failure = int(np.searchsorted(success, limit, side="right"))
    parts, kinds = [np.minimum(success, limit)], [np.zeros(0, np.uint8)]
    cut_off = next((i for i, m in enumerate(modes) if m.code == "TIMEOUT"), len(modes))
    if timeout_ms is not None and cut_off == len(modes):
        modes.append(TIMEOUT)
        shares.append(0)
    kinds.append(np.full(good - first_failure, cut_off, np.uint8))
    spans, at = [], good
    for i, (mode, share) in enumerate(zip(modes, shares, strict=True)):
        spans.append((at, share))
        at += share
        if share:
            taken = at_ranks(clean, share) if mode.time is None else quantiles(mode.time.value, share)
            parts.append(np.minimum(taken, limit))
        kinds.append(np.full(share, i, np.uint8))
    return Attempts(
        time=np.concatenate(parts)[:SIZE],
        first_failure=first_failure,
        mode=np.concatenate(kinds)[: SIZE - first_failure],
        modes=tuple(modes),
        spans=tuple(spans),
        clean=clean,
        timeout_ms=limit,
        cut_off=cut_off,
        latency_known=latency is not None,
        failures_known=failures is not None and all(m.probability is not None for m in failures),
    )


def mode_of(attempts: Attempts, index: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The mode that failed attempts fail with: that of their index, or else they were cut off."""
    if attempts.first_failure == SIZE:
        return np.full(index.size, attempts.cut_off, np.uint8)
    if not index.size or index.min() >= attempts.first_failure:
        return attempts.mode.take(index - attempts.first_failure)
    entry = index.astype(np.intp) - attempts.first_failure
    return np.where(entry >= 0, attempts.mode.take(entry, mode="clip"), attempts.cut_off).astype(np.uint8)


def retried(modes: Sequence[FailureMode], retry: RetryPolicy, effects: Effects) -> NDArray[np.bool_]:
    """Which modes the policy tries again after, in a call with these effects."""
    left = [effect_of_failure(mode.code, effects) for mode in modes]
    twice = repeatable(effects, retry)
    again = [tries_again(retry, m.category, effect, twice) for m, effect in zip(modes, left, strict=True)]
    return np.array(again, bool)


def _entries(probability: float) -> int:
    return max(1, round(probability * SIZE)) if probability > 0 else 0
