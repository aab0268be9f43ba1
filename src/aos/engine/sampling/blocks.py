"""Recorded runs as tables: drawn whole by plans of their shape, or lending their records to chains of their skills."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.domain.plans.plan import Order, Plan
from aos.domain.skills.skill import Block, Catalog, Donors
from aos.engine.sampling.distributions import SIZE, Floats, Indices, levels
from aos.engine.sampling.prices import MICRO, Money
from aos.engine.scores.canonical import After, Canonical, canonical

Numbers = NDArray[np.intp]


class Rows(NamedTuple):
    """A block: `pick` maps a random index to one of its draws, which has a run and scales; the rest is [step, run]."""

    pick: Numbers
    run: Numbers
    time_scale: Floats
    cost_scale: Floats
    gap: Floats
    time: Floats
    cost: Floats | None
    failed: NDArray[np.bool_]


class Loans(NamedTuple):
    """Donors for a plan: `pick` maps a random index to a donor, whose values are multiplied by `scale`.

    The records of donor d for a skill are `time[skill][offset[skill][d] : ... + length[skill][d]]`. A call fails where
    its random index is below `fails[skill]`.
    """

    pick: Numbers
    scale: Floats
    offset: Mapping[str, Numbers]
    length: Mapping[str, Numbers]
    time: Mapping[str, Floats]
    cost: Mapping[str, Floats] | None
    fails: Mapping[str, int]

    def records(self, skill: str, donor: Numbers, luck: Indices) -> Numbers:
        """One record of each sample's donor, chosen by a uniform index."""
        return self.offset[skill].take(donor) + (luck * self.length[skill].take(donor) >> 16)


def matching_rows(plan: Plan, order: Order, catalog: Catalog) -> Rows | None:
    """The tables of the block that has this plan's shape, None where nothing like it was recorded.

    Steps may be listed in any order. One whose failure the plan goes on after must have been gone on after.
    """
    if not catalog.blocks or not _plain(plan, "fail", "continue"):
        return None
    skills = tuple(step.skill for step in plan.steps)
    wanted = sorted(skills)
    alike = [block for block in catalog.blocks if sorted(block.skills) == wanted]
    ours = canonical(skills, order.after) if alike else None
    for block in alike:
        theirs = canonical(block.skills, block.after)
        if ours and theirs and _shape(skills, ours) == _shape(block.skills, theirs):
            place = dict(zip(ours.order, theirs.order, strict=True))
            going_on = [place[i] for i, s in enumerate(plan.steps) if s.on_error.action == "continue"]
            if all(_goes_on(block, j) for j in going_on):
                return _rows(block, [place[i] for i in range(len(skills))])
    return None


def matching_loans(plan: Plan, catalog: Catalog) -> Loans | None:
    """The tables of the first donors that know every skill the plan calls, None where there are none."""
    if not catalog.donors or not _plain(plan, "fail", "continue"):
        return None
    skills = [step.skill for step in plan.steps]
    known = (donors for donors in catalog.donors if donors.time_ms.keys() >= set(skills))
    donors = next(known, None)
    return _loans(donors, skills) if donors else None


def micro(cents: Floats) -> Money:
    """Whole micro-cents."""
    return np.rint(cents * MICRO).astype(np.int64)


def _plain(plan: Plan, *on_error: str) -> bool:
    """Only steps that run once and as the catalog says can be taken from records of such steps."""
    return not any(
        step.when
        or step.for_each is not None
        or step.timeout_s
        or step.retry
        or step.approval
        or step.iterations > 1
        or step.on_error.action not in on_error
        for step in plan.steps
    )


def _shape(skills: Sequence[str], found: Canonical) -> tuple[tuple[str, ...], After]:
    return tuple(skills[i] for i in found.order), found.after


def _goes_on(block: Block, step: int) -> bool:
    """Whether every run in which the step failed tells what comes then: a step that was not reached took no time."""
    followers = [k for k, before in enumerate(block.after) if step in before]
    return all(
        all(time[k] > 0 for k in followers)
        for time, failed in zip(block.time_ms, block.failed, strict=True)
        if failed[step]
    )


def _rows(block: Block, steps: Sequence[int]) -> Rows:
    """The block's tables, its steps in the plan's order."""
    run, time_scale, cost_scale, weight = (np.array(column) for column in zip(*block.draws, strict=True))
    return Rows(
        pick=_pick(weight),
        run=run,
        time_scale=time_scale,
        cost_scale=cost_scale,
        gap=_by_step(block.gap_ms)[steps],
        time=_by_step(block.time_ms)[steps],
        cost=None if block.cost_cents is None else _by_step(block.cost_cents)[steps],
        failed=np.array(block.failed, bool).T[steps],
    )


def _loans(donors: Donors, skills: list[str]) -> Loans:
    lengths = {s: np.array([len(records) for records in donors.time_ms[s]], np.intp) for s in set(skills)}
    records = np.sum(list(lengths.values()), axis=0, dtype=np.float64)
    lends = np.all([count > 0 for count in lengths.values()], axis=0)
    ratio = np.where(lends, records, np.inf) / len(skills)
    weight = np.exp(-0.5 * (np.log(ratio) / donors.bandwidth) ** 2)
    # Where no donor is near in length, the nearest ones still lend.
    weight += 1e-6 * lends
    return Loans(
        pick=_pick(weight),
        scale=np.where(lends, ratio, 1.0) ** (1 - donors.slope),
        offset={
            s: np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.intp) for s, count in lengths.items()
        },
        length=lengths,
        time={s: np.concatenate([np.array(r, np.float64) for r in donors.time_ms[s]]) for s in lengths},
        cost=None
        if donors.cost_cents is None
        else {s: np.concatenate([np.array(r, np.float64) for r in donors.cost_cents[s]]) for s in lengths},
        fails={s: round(donors.fails.get(s, 0.0) * SIZE) for s in lengths},
    )


def _pick(weight: Floats) -> Numbers:
    shares = np.cumsum(weight)
    return np.searchsorted(shares / shares[-1], levels()).clip(max=len(weight) - 1)


def _by_step(values: tuple[tuple[float, ...], ...]) -> Floats:
    return np.array(values, np.float64).T.copy()
