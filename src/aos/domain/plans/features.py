"""Features: what a step hands to a skill, as numbers that its time and price may grow with."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aos.domain.plans.plan import Plan, Step
from aos.domain.plans.references import Reference, given, parse
from aos.domain.skills.skill import LEAST_SIZE, AnyGrowth, PowerGrowth, Skill

__all__ = ["feature_value", "left_open", "told"]


def feature_value(param: Any, inputs: Mapping[str, Any]) -> float | None:
    """A number from 0 up is itself, text its characters, a list its items; None for what only the run will tell."""
    match given(param, inputs):
        case bool() | None:
            return None
        case int() | float() as number:
            return float(number) if math.isfinite(number) and number >= 0 else None
        case str() as text:
            known = not any(isinstance(piece, Reference) for piece in parse(text))
            return float(len(text)) if known else None
        case list() | tuple() as items:
            return float(len(items))
        case _:
            return None


def told(growth: AnyGrowth, known: Iterable[tuple[str, float]]) -> dict[str, float]:
    """What of the features known of a step bears on this growth. A product of powers says nothing of the size 0."""
    names = {feature.name for feature in growth.features}
    least = LEAST_SIZE if isinstance(growth, PowerGrowth) else 0.0
    return {name: value for name, value in known if name in names and value >= least}


def left_open(plan: Plan, skills: Mapping[str, Skill]) -> tuple[str, ...]:
    """A sentence for each step that does not say what its time or price depends on."""
    return tuple(sentence for step in plan.steps for sentence in _left_open(step, skills[step.skill], plan))


def _left_open(step: Step, skill: Skill, plan: Plan) -> Iterator[str]:
    growths = [growth for growth in (skill.latency_by, skill.cost_by) if growth]
    names = dict.fromkeys(f.name for growth in growths for f in growth.features)
    values = {name: feature_value(step.params.get(name), plan.inputs) for name in names}
    known = {name: value for name, value in values.items() if value is not None}
    drawn = dict.fromkeys(f.name for g in growths for f in g.features if f.name not in told(g, known.items()))
    for why, left in (
        ("which it does not state", [name for name in drawn if name not in known]),
        ("of which a size of 0 tells nothing", [name for name in drawn if name in known]),
    ):
        if left:
            named = ", ".join(f"`{name}`" for name in left)
            yield f"{step.id}: {skill.id} depends on {named}, {why}: drawn from what was recorded"
