"""A budget that holds: where a run stops, and what it has spent by then."""

import numpy as np

from aos.domain.plans.flow import too_dear
from aos.engine.sampling.draws import Flags
from aos.engine.sampling.prices import Money
from aos.engine.simulate import Samples

_RESERVE = 0.95


def spent_when_stopped(chunk: Samples, budget: int) -> tuple[Flags, Money]:
    """In which samples the budget (micro-cents) stops the run, and what each sample then spends.

    Before a step starts, its p95 cost must fit into what is left after all steps that started earlier; the
    run stops at the first one that doesn't, as `aos run` does. Only samples near the budget are looked at.
    """
    assert chunk.steps is not None
    stopped = np.zeros(len(chunk.cost), bool)
    spent = chunk.cost.copy()
    dear = [step for step in chunk.steps if step.cost is not None]
    reserves = [_reserve(step.cost[step.ran]) for step in dear if step.cost is not None]
    near = np.flatnonzero(chunk.cost > budget - max(reserves, default=0))
    if not near.size:
        return stopped, spent
    starts = np.array([step.start[near] for step in dear])
    costs = np.array([step.cost[near] for step in dear if step.cost is not None])
    asks = np.array([np.where(step.ran[near], ask, 0) for step, ask in zip(dear, reserves, strict=True)])
    by_start = np.argsort(starts, axis=0, kind="stable")
    costs, asks = np.take_along_axis(costs, by_start, 0), np.take_along_axis(asks, by_start, 0)
    before = np.cumsum(costs, axis=0) - costs
    refused = too_dear(asks, before, budget)
    hit = refused.any(axis=0)
    stopped[near] = hit
    spent[near] = np.where(hit, before[refused.argmax(axis=0), np.arange(len(near))], spent[near])
    return stopped, spent


def _reserve(cost: Money) -> int:
    """What is set aside before a step starts: the cost that 95 of 100 don't exceed."""
    if not cost.size:
        return 0
    rank = int(np.ceil(_RESERVE * len(cost))) - 1
    return int(np.partition(cost, rank)[rank])
