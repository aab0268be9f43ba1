"""Skills whose time or price grows with what a step hands them: the figures of one step.

What the plan states is used, what it leaves open is drawn from what was recorded. A step that states nothing has the
figures over all records, in which every size has its share already.
"""

from collections.abc import Container, Iterable, Mapping
from functools import reduce
from typing import NamedTuple

import numpy as np

from aos.domain.kept import kept
from aos.domain.plans.features import told
from aos.domain.skills.distributions import Distribution, Quantiles, median, scaled
from aos.domain.skills.skill import (
    LEAST_SIZE,
    MAX_CENTS,
    MAX_MS,
    AnyGrowth,
    CallCost,
    Feature,
    Figure,
    Growth,
    Power,
    PowerGrowth,
    Skill,
)
from aos.engine.sampling.distributions import Floats, at_ranks, product_table, quantile_table, sum_table


class Scale(NamedTuple):
    """How many times what the tables of a call say its attempts take and cost, one value a sample; None: once.

    So samples can stand for runs of different sizes. What a failure takes that has a time of its own stays as it is.
    """

    time: Floats | None = None
    cost: Floats | None = None


AS_TOLD = Scale()

_LEVELS = tuple((i + 0.5) / 1_000 for i in range(1_000))


def sized(skill: Skill, known: tuple[tuple[str, float], ...]) -> Skill:
    """The skill with the time and price of an attempt of which these features are known; itself where none is."""
    return _sized(skill, known) if known else skill


def rest_alone(skill: Skill, known: Iterable[tuple[str, float]]) -> bool:
    """Whether sizes leave nothing but the rest unexplained of an attempt's time: all that it grows with is known."""
    time = skill.latency_by
    return time is not None and len(told(time, known)) == len(time.features)


def size(growth: AnyGrowth, columns: Mapping[str, Floats], count: int) -> Floats:
    """What each of so many attempts takes or costs by its features alone; NaN where one was not recorded."""
    total = np.zeros(count)
    if isinstance(growth, Growth):
        for f in growth.features:
            total += f.each * columns.get(f.name, np.nan)
        return growth.fixed + total
    for p in growth.features:
        value = columns.get(p.name, np.full(count, np.nan))
        total += p.exponent * np.log(np.where(value >= LEAST_SIZE, value, np.nan) / p.typical)
    return np.asarray(growth.level * np.exp(np.minimum(total, 500.0)))


def usual_size(growth: AnyGrowth, columns: Mapping[str, Floats], count: int) -> Floats:
    """The same, with features that nobody recorded as they usually are."""
    least = 0.0 if isinstance(growth, Growth) else LEAST_SIZE
    filled = {}
    for f in growth.features:
        value = columns.get(f.name, np.full(count, np.nan))
        filled[f.name] = np.where(value >= least, value, median(f.seen))
    return size(growth, filled, count)


class Open(NamedTuple):
    """A size that a plan leaves open: the table that it is drawn from."""

    name: str
    table: Floats


class Handed(NamedTuple):
    """How the time and price of a call grow, the sizes that its tables are for, and those of them that are `open`:
    they stand for what is usual of these, and every sample has its own."""

    time: AnyGrowth | None
    price: AnyGrowth | None
    sizes: Mapping[str, float]
    open: tuple[Open, ...] = ()

    def scale(self, columns: Mapping[str, Floats]) -> Scale:
        """How many times as large samples are that have these sizes."""
        return Scale(*(_times_as_large(growth, columns, self.sizes) for growth in (self.time, self.price)))


def handed(skill: Skill, known: tuple[tuple[str, float], ...], correlated: Container[str]) -> Handed | None:
    """What a step of which these features are known hands to the skill; None where it tells nothing.

    A size that its time grows with and that it does not state is open where it is known how such sizes go together.
    Its price then grows with the same.
    """
    time, price = (by and (by if told(by, known) else None) for by in (skill.latency_by, skill.cost_by))
    stated = {name: value for by in (time, price) if by for name, value in told(by, known).items()}
    if time is None:
        return Handed(None, price, stated) if price else None
    of_time = {f.name for f in time.features}
    both = skill.cost_by if any(f.name in of_time for f in _features(skill.cost_by)) else price
    left = {f.name: f.seen for f in (*_features(both), *time.features) if f.name not in stated}
    if not all(name in correlated for name in left):
        return Handed(time, price, stated)
    drawn = tuple(Open(name, quantile_table(left[name])) for name in sorted(left))
    usual = {name: median(seen) for name, seen in left.items()}
    return Handed(time, both, {**stated, **usual}, drawn)


def _features(growth: AnyGrowth | None) -> tuple[Feature, ...] | tuple[Power, ...]:
    return growth.features if growth else ()


def _times_as_large(
    growth: AnyGrowth | None, columns: Mapping[str, Floats], base: Mapping[str, float]
) -> Floats | None:
    """None where the growth has none of these features. What neither knows is as it usually is."""
    if growth is None or not any(f.name in columns for f in growth.features):
        return None
    count = len(next(iter(columns.values())))
    fixed = {name: np.full(count, value) for name, value in base.items()}
    one = usual_size(growth, {name: column[:1] for name, column in fixed.items()}, 1)
    here = usual_size(growth, {**fixed, **columns}, count)
    return np.maximum(here, LEAST_SIZE) / np.maximum(one, LEAST_SIZE)


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
