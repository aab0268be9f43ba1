"""What the parameters of a step say to a forecast: all of it, so that calls which state the same are forecast alike."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from aos.domain.plans.features import feature_value
from aos.domain.plans.references import Reference, at_path, given, parse, strings
from aos.domain.skills.skill import Effects, Skill, TokenCost

__all__ = ["Stated", "stated"]


class Stated(NamedTuple):
    """`features` are the numbers that the skill's time or price grow with, as far as they are known; `effects` those of
    the call with the plan's inputs.

    Where tokens are paid, and a `model` is named: the `characters` that are sent to it, the `references` among them to
    what only the run will tell, and the `max_tokens` of its answer.
    """

    features: tuple[tuple[str, float], ...]
    effects: Effects
    model: str | None = None
    characters: int = 0
    references: int = 0
    max_tokens: int | None = None


def stated(params: Mapping[str, Any], skill: Skill, inputs: Mapping[str, Any]) -> Stated:
    """What a call of the skill states. The engine sees nothing else of its parameters."""
    growths = (growth for growth in (skill.latency_by, skill.cost_by) if growth)
    names = sorted({feature.name for growth in growths for feature in growth.features})
    values = ((name, feature_value(params.get(name), inputs)) for name in names)
    features = tuple((name, value) for name, value in values if value is not None)
    effects = skill.effects_of({name: given(value, inputs) for name, value in params.items()})
    model = given(params.get("model"), inputs)
    if model is None or not isinstance(skill.cost, TokenCost):
        return Stated(features, effects)
    limit = given(params.get("max_tokens"), inputs)
    return Stated(
        features,
        effects,
        model if isinstance(model, str) else repr(model),
        *_characters(params, inputs),
        limit if isinstance(limit, int) else None,
    )


def _characters(params: Mapping[str, Any], inputs: Mapping[str, Any]) -> tuple[int, int]:
    """Characters known before the run, and the number of references to something that is not."""
    known, unknown = 0, 0
    for piece in (piece for name in params if name != "model" for piece in _pieces(params[name])):
        if isinstance(piece, str):
            known += _length(piece)
        elif piece.kind == "inputs":
            known += _length(str(at_path(inputs.get(piece.name), piece.path)))
        else:
            unknown += 1
    return known, unknown


def _pieces(value: Any) -> Iterator[str | Reference]:
    return (piece for _, text in strings(value) for piece in parse(text))


def _length(text: str) -> int:
    """Characters, those beyond Latin counted as two: they take about twice the tokens."""
    return len(text) if text.isascii() else len(text) + sum(character >= "\u0250" for character in text)
