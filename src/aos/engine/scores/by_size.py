"""Cases of whole runs that are forecast by the sizes that each of them had."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.domain.plans.plan import Plan
from aos.domain.plans.stated import stated
from aos.domain.skills.skill import Catalog, Skill
from aos.engine.execution.program import Program
from aos.engine.sampling.distributions import Floats
from aos.engine.scores.backtest import Alone, Case, Draws, Part
from aos.engine.scores.sized_runs import forecast_each, told_alike

__all__ = ["Sizes", "bearing", "growing", "handed", "sized_case"]

_KINDS = 50
"""Of what is known of the runs of a plan; a run of a rarer kind is forecast as if nothing were."""


class Sizes(NamedTuple):
    """What attempts, or runs to the steps of a plan, were handed: `x` has the features as its last axis; NaN is not
    known beforehand."""

    features: tuple[str, ...]
    x: Floats

    def only(self, names: Sequence[str]) -> "Sizes":
        """Of these features."""
        kept = [k for k, name in enumerate(self.features) if name in names]
        return Sizes(tuple(self.features[k] for k in kept), self.x[..., kept])

    def known(self) -> tuple[str, ...]:
        """The features that are known of anything."""
        return tuple(name for k, name in enumerate(self.features) if np.isfinite(self.x[..., k]).any())


def growing(skill: Skill) -> frozenset[str]:
    """The features that the time or price of a skill grows with."""
    growths = (growth for growth in (skill.latency_by, skill.cost_by) if growth)
    return frozenset(feature.name for growth in growths for feature in growth.features)


def bearing(plan: Plan, catalog: Catalog, sizes: Sizes) -> Sizes:
    """Those that the time or price of their step grows with."""
    x = np.array(sizes.x)
    for i, step in enumerate(plan.steps):
        names = growing(catalog.skills[step.skill])
        x[:, i, [name not in names for name in sizes.features]] = np.nan
    return Sizes(sizes.features, x)


def handed(plan: Plan, catalog: Catalog, sizes: Sizes) -> Sizes:
    """Of the sizes that a plan states itself, what runs had; where nobody recorded it, what it states.

    What it leaves to a reference or does not say is not known before, whatever the runs had.
    """
    x = np.full_like(sizes.x, np.nan)
    for i, step in enumerate(plan.steps):
        for name, value in stated(step.params, catalog.skills[step.skill], plan.inputs).features:
            if name in sizes.features:
                k = sizes.features.index(name)
                x[:, i, k] = np.where(np.isfinite(sizes.x[:, i, k]), sizes.x[:, i, k], value)
    return Sizes(sizes.features, x)


def sized_case(
    case: Case,
    plan: Plan,
    catalog: Catalog,
    compiled: Callable[[Plan], Program],
    sizes: Sizes,
    *,
    samples: int,
    seed: int,
) -> Case:
    """The case with a forecast of each run by its own sizes, with about so many samples for all of them together.

    Runs of which the same is known have a program in common, in which each sample has the sizes of one of them. Of
    whom nothing is known the forecast of the case stays.
    """
    chance = np.full(len(case.future.run), case.forecast.success)
    time, cost, rest = list[Part | Alone](), list[Part | Alone](), list[NDArray[np.intp]]()
    for number, rows in enumerate(told_alike(sizes.x)):
        if number >= _KINDS or not np.isfinite(sizes.x[rows[0]]).any():
            rest.append(rows)
            continue
        known = [_columns(sizes, rows, i) for i in range(len(plan.steps))]
        share = samples * len(rows) // len(chance)
        program = compiled(_stating(plan, catalog, known))
        each = forecast_each(program, dict(enumerate(known)), case.future, rows, share, seed)
        time += [each.time] if each.time else []
        cost += [each.cost] if each.cost else []
        chance[rows] = each.success
    if rest:
        rows = np.concatenate(rest)
        time.append(Part(rows, case.forecast.time, np.ones(len(rows))))
        cost.append(Part(rows, case.forecast.cost, np.ones(len(rows))))
    # Without any part a case would be scored by the forecast of all: where a figure is unknown, that is unknown too.
    forecast = Draws(None, None, chance)
    return case._replace(
        forecast=forecast, time_parts=tuple(time), cost_parts=tuple(cost), sizes=sizes.known()
    )


def _columns(sizes: Sizes, rows: NDArray[np.intp], step: int) -> dict[str, Floats]:
    columns = {name: sizes.x[rows, step, k] for k, name in enumerate(sizes.features)}
    return {name: column for name, column in columns.items() if np.isfinite(column).all()}


def _stating(plan: Plan, catalog: Catalog, known: Sequence[Mapping[str, Floats]]) -> Plan:
    """The plan with the sizes that are known of its runs, their means where it states none itself."""
    steps = []
    for step, columns in zip(plan.steps, known, strict=True):
        told = dict(stated(step.params, catalog.skills[step.skill], plan.inputs).features)
        means = {name: float(column.mean()) for name, column in columns.items() if name not in told}
        steps.append(step._replace(params={**step.params, **means}))
    return plan._replace(steps=tuple(steps))
