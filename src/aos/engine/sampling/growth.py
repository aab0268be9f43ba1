"""Skills whose time or price grows with what a step hands them: the figures of one step.

What the plan states is used, what it leaves open is drawn from what was recorded. A step that states nothing has the
figures over all records, in which every size has its share already.
"""

from collections.abc import Mapping
from typing import Any

from aos.domain.kept import kept
from aos.domain.plans.features import feature_value
from aos.domain.skills.distributions import Distribution, Quantiles, scaled
from aos.domain.skills.skill import CallCost, Figure, Growth, Skill
from aos.engine.sampling.distributions import at_ranks, product_table, quantile_table, sum_table

_LEVELS = tuple((i + 0.5) / 1_000 for i in range(1_000))


def sized(skill: Skill, params: Mapping[str, Any], inputs: Mapping[str, Any]) -> Skill:
    """The skill with the time and price of an attempt with these parameters; itself where they say nothing of them."""
    asked = (growth.features for growth in (skill.latency_by, skill.cost_by) if growth)
    values = {f.name: feature_value(params.get(f.name), inputs) for features in asked for f in features}
    known = tuple((name, value) for name, value in sorted(values.items()) if value is not None)
    return _sized(skill, known) if known else skill


@kept(64)
def _sized(skill: Skill, known: tuple[tuple[str, float], ...]) -> Skill:
    """Kept, so that what is computed from a skill is kept as well."""
    stated = dict(known)
    time, price = skill.latency_by, skill.cost_by
    if time and _bears_on(time, stated):
        skill = skill._replace(latency=Figure(_at(time, stated), time.rest.provenance))
    if price and _bears_on(price, stated):
        figure = Figure(_at(price, stated), price.rest.provenance)
        skill = skill._replace(cost=CallCost(figure, follows_latency=price.follows_latency))
    return skill


def _bears_on(growth: Growth, known: Mapping[str, float]) -> bool:
    return any(f.name in known for f in growth.features)


def _at(growth: Growth, known: Mapping[str, float]) -> Distribution:
    """Where everything is known it is the rest, scaled; else the product of two independent tables."""
    stated = growth.fixed + sum(f.each * known[f.name] for f in growth.features if f.name in known)
    left = [f.each * quantile_table(f.seen) for f in growth.features if f.name not in known]
    if not left:
        return scaled(growth.rest.value, stated)
    total = left[0]
    for more in left[1:]:
        total = sum_table(total, more)
    values = product_table(total + stated, quantile_table(growth.rest.value))
    return Quantiles(_LEVELS, tuple(map(float, at_ranks(values, len(_LEVELS)))))
