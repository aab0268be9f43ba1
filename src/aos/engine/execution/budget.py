"""A budget that holds: where a run stops, and what it has spent by then."""

import numpy as np

from aos.domain.plans.flow import too_dear
from aos.domain.plans.plan import Order
from aos.engine.execution.program import Call, Program
from aos.engine.sampling.distributions import nearest_rank
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


def overshoot(program: Program, chunk: Samples, budget: int) -> tuple[int, tuple[str, ...]]:
    """How many micro-cents a run can spend over its budget, and the steps that no maximum bounds, which come on top.

    When a step starts, it and all that is under way fit by what is set aside for them; each may then cost its
    maximum. So of the steps that set something aside those count that may be under way at once, which is no more
    than one of them and all that come neither before nor after it; and every step that sets nothing aside.
    """
    assert chunk.steps is not None
    most = [_most(call) for call in program.calls]
    reserves = np.array([0 if step.cost is None else _reserve(step.cost[step.ran]) for step in chunk.steps])
    beyond = np.maximum(np.array([high or 0 for high in most]) - reserves, 0)
    unbounded = tuple(call.step.id for call, high in zip(program.calls, most, strict=True) if high is None)
    before, dear = _before(program.order), np.flatnonzero((reserves > 0) & (beyond > 0))
    beside = ~(before | before.T)[np.ix_(dear, dear)]
    over = int(beyond[reserves == 0].sum()) + int((beside @ beyond[dear]).max(initial=0))
    return (over if unbounded else min(over, max(0, sum(high or 0 for high in most) - budget))), unbounded


def _most(call: Call) -> int | None:
    """Micro-cents that all attempts of a step cost at the most; None: nothing bounds it, or nobody knows."""
    if call.price is None or call.price.maximum is None or not call.items.known:
        return None
    return call.price.maximum * call.retry.max_attempts * call.step.iterations * call.items.most


def _before(order: Order) -> Flags:
    """Which steps (columns) have ended when a step (row) starts."""
    found = np.zeros((len(order.sequence), len(order.sequence)), bool)
    for i in order.sequence:
        for j in (*order.waits_for[i], *([order.fallback_of[i]] if i in order.fallback_of else [])):
            found[i] |= found[j]
            found[i, j] = True
    return found


def _reserve(cost: Money) -> int:
    """What is set aside before a step starts: the cost that 95 of 100 don't exceed."""
    if not cost.size:
        return 0
    rank = nearest_rank(_RESERVE, len(cost))
    return int(np.partition(cost, rank)[rank])
