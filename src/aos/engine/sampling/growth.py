"""Skills whose time or price grows with what a step hands them: the figures of one step.

What the plan states is used, what it leaves open is drawn from what was recorded. A step that states nothing has the
figures over all records, in which every size has its share already.
"""

from collections.abc import Mapping
from functools import reduce

import numpy as np

from aos.domain.kept import kept
from aos.domain.plans.features import told
from aos.domain.skills.distributions import Distribution, Quantiles, scaled
from aos.domain.skills.skill import (
    MAX_CENTS,
    MAX_MS,
    AnyGrowth,
    CallCost,
    Figure,
    Growth,
    PowerGrowth,
    Skill,
)
from aos.engine.sampling.distributions import Floats, at_ranks, product_table, quantile_table, sum_table

_LEVELS = tuple((i + 0.5) / 1_000 for i in range(1_000))


def sized(skill: Skill, known: tuple[tuple[str, float], ...]) -> Skill:
    """The skill with the time and price of an attempt of which these features are known; itself where none is."""
    return _sized(skill, known) if known else skill


def rest_alone(skill: Skill, known: tuple[tuple[str, float], ...]) -> bool:
    """Whether sizes leave nothing but the rest unexplained of an attempt's time: all that it grows with is known."""
    time = skill.latency_by
    return time is not None and len(told(time, known)) == len(time.features)


@kept(64)
def _sized(skill: Skill, known: tuple[tuple[str, float], ...]) -> Skill:
    """Kept, so that what is computed from a skill is kept as well."""
    time, price = skill.latency_by, skill.cost_by
    if time and (stated := told(time, known)):
        skill = skill._replace(latency=Figure(_at(time, stated, MAX_MS), time.rest.provenance))
    if price and (stated := told(price, known)):
        figure = Figure(_at(price, stated, MAX_CENTS), price.rest.provenance)
        skill = skill._replace(cost=CallCost(figure, follows_latency=price.follows_latency))
    return skill


def _at(growth: AnyGrowth, stated: Mapping[str, float], most: float) -> Distribution:
    """Where everything is known it is the rest, scaled; else the product of two independent tables."""
    size, drawn = _sum(growth, stated) if isinstance(growth, Growth) else _product(growth, stated)
    if drawn is None:
        return scaled(growth.rest.value, min(size, most))
    values = product_table(np.minimum(drawn, most), quantile_table(growth.rest.value))
    return Quantiles(_LEVELS, tuple(map(float, at_ranks(values, len(_LEVELS)))))


def _sum(growth: Growth, stated: Mapping[str, float]) -> tuple[float, Floats | None]:
    """The size that is known, and the table of the whole where a part of it is drawn."""
    size = growth.fixed + sum(f.each * stated[f.name] for f in growth.features if f.name in stated)
    left = [f.each * quantile_table(f.seen) for f in growth.features if f.name not in stated]
    return size, size + reduce(sum_table, left) if left else None


def _product(growth: PowerGrowth, stated: Mapping[str, float]) -> tuple[float, Floats | None]:
    """Likewise. Each power passes through float32, as tables do: their last bits differ between processors."""
    size, left = growth.level, []
    for f in growth.features:
        sizes = np.array([stated[f.name]]) if f.name in stated else quantile_table(f.seen)
        with np.errstate(over="ignore"):
            power = ((sizes / f.typical) ** f.exponent).astype(np.float32).astype(np.float64)
        if f.name in stated:
            size *= float(power[0])
        else:
            left.append(power)
    return size, size * reduce(product_table, left) if left else None
