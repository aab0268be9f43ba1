"""Recorded runs drawn whole: a plan of a shape that was recorded takes every step from one past run."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.domain.plans import Order, Plan
from aos.domain.skills import Block, Catalog
from aos.engine.distributions import Floats, levels
from aos.engine.prices import MICRO, Money


class Rows(NamedTuple):
    """A block as tables: `run` maps a random index to a recorded run; the rest is per step, one value a run."""

    run: NDArray[np.intp]
    gap: Floats
    time: Floats
    cost: Money | None
    failed: NDArray[np.bool_]


def matching(plan: Plan, order: Order, catalog: Catalog) -> Rows | None:
    """The tables of the block that has this plan's shape, None where nothing like it was recorded.

    Only plans whose steps all run once have a shape: no `when`, `iterations`, `for_each` or fallbacks.
    """
    if not catalog.blocks or not all(_plain(plan, i) for i in range(len(plan.steps))):
        return None
    skills = tuple(step.skill for step in plan.steps)
    for block in catalog.blocks:
        if block.skills == skills and block.after == order.after:
            return _rows(block)
    return None


def _plain(plan: Plan, i: int) -> bool:
    step = plan.steps[i]
    tuned = step.when or step.for_each is not None or step.timeout_s or step.retry or step.approval
    return not tuned and step.iterations == 1 and step.on_error.action == "fail"


def _rows(block: Block) -> Rows:
    shares = np.cumsum(np.asarray(block.weights, np.float64))
    return Rows(
        run=np.searchsorted(shares / shares[-1], levels()).clip(max=len(block.weights) - 1),
        gap=np.asarray(block.gap_ms, np.float64).T.copy(),
        time=np.asarray(block.time_ms, np.float64).T.copy(),
        cost=None if block.cost_cents is None else _micro(block.cost_cents),
        failed=np.asarray(block.failed, bool).T.copy(),
    )


def _micro(cents: tuple[tuple[float, ...], ...]) -> Money:
    return np.rint(np.asarray(cents, np.float64).T * MICRO).astype(np.int64)
