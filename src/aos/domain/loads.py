"""What a load test has measured, and whether that is as good as was asked for."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor, sqrt
from typing import Literal, NamedTuple

__all__ = ["LEVELS", "Goal", "Judged", "Load", "Quantile", "Reason", "Shot", "judge", "quantile"]

LEVELS = (0.5, 0.95, 0.99)
NO_CONNECTION = "nova_database_no_connection_total"
"""What the server counts: calls for which no connection of its pool became free in time."""

_WRONG = ("errors", "pool_exhausted", "too_slow")
_NORMAL = 1.96
_BUSY = 0.8


class Shot(NamedTuple):
    """One call, and how long its answer took. `code` is what was wrong with it; None: nothing."""

    call: str
    ms: float
    code: str | None = None


class Load(NamedTuple):
    """All calls of a test: `workers` made one after the other each, together for `took_s`.

    `cpu_s` is the processor time that calling took here. `counted` are the counters of the server that rose meanwhile,
    by how much; None: it shows none to us.
    """

    workers: int
    shots: Sequence[Shot]
    took_s: float
    cpu_s: float
    counted: Mapping[str, float] | None

    @property
    def answered(self) -> list[float]:
        """How long the calls took with which nothing was wrong, in ms, ascending."""
        return sorted(shot.ms for shot in self.shots if shot.code is None)

    @property
    def errors(self) -> Counter[str]:
        """How many calls went wrong, by code."""
        return Counter(shot.code for shot in self.shots if shot.code is not None)

    @property
    def busy(self) -> float:
        """Which share of one core calling took: near one, answers wait here and not at the server."""
        return self.cpu_s / self.took_s if self.took_s else 0.0


class Goal(NamedTuple):
    """What is asked for: 95 % of the calls are answered within `p95_ms`, at most the share `max_errors` goes wrong."""

    p95_ms: float
    max_errors: float = 0.0


class Quantile(NamedTuple):
    """A quantile of what was measured, and the bounds that hold the true one with 95 % confidence; None: too few."""

    value: float
    low: float | None
    high: float | None


class Reason(NamedTuple):
    """Why it was not passed."""

    code: Literal["too_slow", "errors", "pool_exhausted", "rate_limited", "too_close", "caller_busy"]
    detail: str


class Judged(NamedTuple):
    """Whether what was asked for holds; None: that can't be told, and why."""

    passed: bool | None
    reasons: tuple[Reason, ...]


def quantile(ascending: Sequence[float], level: float) -> Quantile | None:
    """The smallest value that at least a share `level` does not exceed; None of nothing.

    Its bounds are order statistics, by the normal approximation of how many values lie below the true quantile:
    David & Nagaraja (2003), Order Statistics, section 7.1.
    """
    n = len(ascending)
    if not n:
        return None
    spread = _NORMAL * sqrt(n * level * (1 - level))
    low, high = floor(n * level - spread), ceil(n * level + spread)
    return Quantile(
        ascending[max(0, ceil(n * level) - 1)],
        ascending[low - 1] if low >= 1 else None,
        ascending[high] if high < n else None,
    )


def judge(load: Load, goal: Goal) -> Judged:
    """Whether the server bore it. What only shows that the test was none leaves it open."""
    found = [*_refused(load, goal), *_slow(load, goal)]
    wrong = any(reason.code in _WRONG for reason in found)
    return Judged(False if wrong else None if found else True, tuple(found))


def _refused(load: Load, goal: Goal) -> Iterator[Reason]:
    """What was not answered, or not for the reasons that a load test looks for."""
    made, limited = len(load.shots), load.errors["rate_limited"]
    failed = load.errors.total() - limited
    if failed > goal.max_errors * made:
        codes = ", ".join(f"{code} {n:,}x" for code, n in load.errors.most_common() if code != "rate_limited")
        yield Reason("errors", f"{failed:,} of {made:,} calls went wrong: {codes}")
    if starved := (load.counted or {}).get(NO_CONNECTION):
        yield Reason("pool_exhausted", f"{starved:,.0f} calls got no connection to the database")
    if limited:
        yield Reason(
            "rate_limited", f"{limited:,} of {made:,} calls were more than a caller may make in a minute"
        )


def _slow(load: Load, goal: Goal) -> Iterator[Reason]:
    """How long answers took, unless that is as asked for."""
    found = quantile(load.answered, 0.95)
    if found is None:
        yield Reason("too_close", "no call was answered")
        return
    told = f"95 % of the calls take up to {found.value:,.0f} ms, {goal.p95_ms:,.0f} ms are asked for"
    if found.high is not None and found.high <= goal.p95_ms:
        return
    if found.low is None or found.low <= goal.p95_ms:
        yield Reason("too_close", f"{told}; more calls would tell")
    elif load.busy > _BUSY:
        yield Reason(
            "caller_busy",
            f"{told}; but they waited here, too, where calling took {load.busy:.0%} of a core",
        )
    else:
        yield Reason("too_slow", told)
