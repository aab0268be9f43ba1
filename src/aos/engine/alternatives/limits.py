"""The least limits that a simulated plan keeps: read off its samples, no simulation needed."""

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, Decimal

import numpy as np
from numpy.typing import NDArray

from aos.domain.forecasts.alternatives import Kind
from aos.domain.forecasts.verdicts import STANDARD_ERRORS, Limits
from aos.engine.alternatives.edits import Edit
from aos.engine.sampling.prices import MICRO
from aos.engine.simulate import Samples
from aos.engine.summary import totals

_DIGITS = 3
_DECIMALS = 6


def least_limits(chunks: Sequence[Samples], limits: Limits) -> Iterator[Edit]:
    """A higher budget, a later deadline, and both raised alike.

    Each is the least with which enough samples keep both limits for the chance to be two standard errors
    above the one asked for, rounded up to three digits. Samples with an unknown figure count as misses.
    """
    total = totals(chunks)
    closed = ~(total.cost_open | total.time_open)
    wanted = _enough(len(closed), limits.confidence)
    cost, time = np.concatenate([chunk.cost for chunk in chunks])[closed], total.time[closed]
    budget = None if limits.budget_cents is None else int(limits.budget_cents * MICRO)
    deadline = limits.deadline_ms
    if budget is not None:
        more = _at_rank(cost if deadline is None else cost[time <= deadline], wanted)
        if more is not None and more > budget:
            yield _edit(limits, more, None)
    if deadline is not None:
        later = _at_rank(time if budget is None else time[cost <= budget], wanted)
        if later is not None and later > deadline:
            yield _edit(limits, None, later)
    if budget is not None and deadline is not None and len(cost) >= wanted:
        more, later = _alike(cost, time, wanted, budget, deadline)
        if more > budget and later > deadline:
            yield _edit(limits, more, later)


def _alike(
    cost: NDArray[np.int64], time: NDArray[np.float64], wanted: int, budget: int, deadline: float
) -> tuple[float, float]:
    """Both limits at the same rank among the samples, the lowest at which enough of them keep both."""
    budgets, deadlines = np.maximum(np.sort(cost), budget), np.maximum(np.sort(time), deadline)
    low, high = 0, len(cost) - 1
    while low < high:
        rank = (low + high) // 2
        kept = np.count_nonzero((cost <= budgets[rank]) & (time <= deadlines[rank]))
        low, high = (low, rank) if kept >= wanted else (rank + 1, high)
    return float(budgets[low]), float(deadlines[low])


def _edit(limits: Limits, micro: float | None, ms: float | None) -> Edit:
    """The limits raised, as far as that is more than they are."""
    budget = None if micro is None else _rounded_up(Decimal(int(micro)) / MICRO)
    deadline = None if ms is None else float(_rounded_up(Decimal(float(ms))))
    words, size = [], 0.0
    if budget is not None:
        words.append(f"budget {budget:f}c")
        size += float(1 - (limits.budget_cents or 0) / max(budget, Decimal(1) / MICRO))
    if deadline is not None:
        words.append(f"deadline {deadline / 1000:g} s")
        size += 1 - (limits.deadline_ms or 0.0) / deadline
    kinds: dict[tuple[bool, bool], Kind] = {(True, False): "raise_budget", (False, True): "move_deadline"}
    kind = kinds.get((budget is not None, deadline is not None), "raise_both")
    return Edit(kind, " and ".join(words), {}, size, budget_cents=budget, deadline_ms=deadline)


def _enough(samples: int, confidence: float) -> int:
    """How many samples must keep the limits for the verdict to be clear; more than there are if none will do."""
    p = np.arange(samples + 1) / samples
    clear = p - STANDARD_ERRORS * np.sqrt(p * (1 - p) / samples) >= confidence
    # From here up it is: of a confidence next to 0 a single sample is less sure than none at all.
    return int(np.flatnonzero(~clear).max(initial=0)) + 1


def _at_rank(values: NDArray[np.int64] | NDArray[np.float64], rank: int) -> float | None:
    """The least value that `rank` of them don't exceed."""
    if rank > len(values):
        return None
    return float(np.partition(values, rank - 1)[rank - 1])


def _rounded_up(value: Decimal) -> Decimal:
    """To three significant digits, of which at most six are decimals, and without zeros at the end."""
    if not value:
        return value
    place = max(value.adjusted() - _DIGITS + 1, -_DECIMALS)
    rounded = value.quantize(Decimal(1).scaleb(place), rounding=ROUND_CEILING)
    return Decimal(f"{rounded.normalize():f}")
