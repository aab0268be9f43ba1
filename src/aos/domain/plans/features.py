"""Features: what a step hands to a skill, as numbers that its time and price may grow with."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from aos.domain.plans.plan import Plan, Step
from aos.domain.plans.references import Reference, given, parse
from aos.domain.skills.skill import Skill

__all__ = ["feature_value", "left_open"]


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


def left_open(plan: Plan, skills: Mapping[str, Skill]) -> tuple[str, ...]:
    """A sentence for each step that does not say what its time or price depends on."""
    return tuple(sentence for step in plan.steps for sentence in _left_open(step, skills[step.skill], plan))


def _left_open(step: Step, skill: Skill, plan: Plan) -> Iterator[str]:
    features = (f.name for growth in (skill.latency_by, skill.cost_by) if growth for f in growth.features)
    left = [
        name for name in dict.fromkeys(features) if feature_value(step.params.get(name), plan.inputs) is None
    ]
    if left:
        named = ", ".join(f"`{name}`" for name in left)
        yield f"{step.id}: {skill.id} depends on {named}, which it does not state: drawn from what was recorded"
