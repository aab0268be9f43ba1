"""Outputs that are null: a step that failed or was skipped gives none, and whoever refers to it reads null.

Such a step can't be called where its skill's schema takes no null there, or where it is to go over it: it fails with
BAD_PARAMS, and nothing is called. Within other text null is text, and what takes any value takes null.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from aos.domain.plans.plan import MAIN_INPUTS, Order, Plan, Step, comes_after, order, uses
from aos.domain.plans.references import Reference, parse
from aos.domain.skills.skill import Skill

__all__ = ["Doubt", "Read", "doubts", "reads", "unguarded"]

_OPEN = object()
"""A value of which nothing is known."""
_DEEPEST = 100


class Read(NamedTuple):
    """Step `reader` refers to the output of step `source`, both by index; `needs` it: it can't be called without.

    `items` says that it goes over it, so that it fails even where it would have no items.
    """

    reader: int
    source: int
    needs: bool
    items: bool = False


def reads(steps: Sequence[Step], dag: Order, skills: Mapping[str, Skill]) -> tuple[Read, ...]:
    """Which steps refer to whose output, in parameters, in `for_each`, as a main input that is left out."""
    index = {step.id: i for i, step in enumerate(steps)}
    return tuple(read for i in range(len(steps)) for read in _of(i, steps, dag, skills, index))


def unguarded(steps: Sequence[Step], dag: Order, found: Sequence[Read]) -> Iterator[Read]:
    """Those that may read null: of a step that is gone on after where it fails, without a `when` that it did well."""
    stand_ins = {owner: fallback for fallback, owner in dag.fallback_of.items()}
    for read in found:
        last = read.source
        while last in stand_ins:
            last = stand_ins[last]
        when = steps[read.reader].when
        guarded = when is not None and when == (steps[read.source].id, "succeeded")
        if steps[last].on_error.action == "continue" and not guarded:
            yield read


class Doubt(NamedTuple):
    """What `unguarded` found, in words, of the step at `pointer`; `fails`: it can't be called then."""

    pointer: str
    detail: str
    fails: bool


def doubts(plan: Plan, skills: Mapping[str, Skill]) -> tuple[Doubt, ...]:
    """A sentence for each step that may read null, and each step that it reads."""
    if not any(step.on_error.action == "continue" for step in plan.steps):
        return ()
    dag = order(plan.steps)
    found = unguarded(plan.steps, dag, reads(plan.steps, dag, skills))
    return tuple(_in_words(plan.steps, read) for read in found)


def _in_words(steps: Sequence[Step], read: Read) -> Doubt:
    reader, source = steps[read.reader].id, steps[read.source].id
    fails = "fails then (BAD_PARAMS)" if read.needs else "gets null then"
    return Doubt(
        f"/steps/{read.reader}",
        f"{reader}: {source} may fail and leave its output null, which {reader} reads: it {fails}; "
        f'`when: steps.{source}.outcome == "succeeded"` would leave it out',
        read.needs,
    )


def _of(
    i: int, steps: Sequence[Step], dag: Order, skills: Mapping[str, Skill], index: Mapping[str, int]
) -> Iterator[Read]:
    step = steps[i]
    params = dict(step.params)
    key = MAIN_INPUTS.get(step.skill)
    if key is not None and key not in params:
        came = comes_after(steps, dag.fallback_of, i)
        if len(came) == 1:
            params[key] = f"${{steps.{came[0]}.output}}"
    over = step.for_each if isinstance(step.for_each, str) else ""
    for name in sorted(uses(step._replace(params=params)), key=index.__getitem__):
        schema = skills[step.skill].input_schema
        items = _names(over, name)
        called = step.for_each is None or len(step.for_each) > 0
        needs = called and not _could_fit(schema, _with_null(params, name), schema, _DEEPEST)
        yield Read(i, index[name], items or needs, items)


def _names(text: str, name: str) -> bool:
    """Whether the text is one reference to that step's output and nothing else."""
    pieces = parse(text)
    only = pieces[0] if len(pieces) == 1 else ""
    return isinstance(only, Reference) and only.kind == "steps" and only.name == name


def _with_null(value: Any, name: str) -> Any:
    """The value with null for that step's output, and open where anything else stands."""
    if isinstance(value, dict):
        return {key: _with_null(inner, name) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_null(inner, name) for inner in value]
    return None if isinstance(value, str) and _names(value, name) else _OPEN


def _could_fit(schema: Any, value: Any, root: Mapping[str, Any], deep: int) -> bool:
    """Whether a schema may take the value. Where that is hard to tell, it may."""
    if value is _OPEN or not isinstance(schema, dict) or not deep:
        return schema is not False or value is _OPEN

    def fits(inner: Any, part: Any = value) -> bool:
        return _could_fit(inner, part, root, deep - 1)

    if value is None and not _takes_null(schema):
        return False
    target = schema.get("$ref")
    if isinstance(target, str) and not fits(_target(root, target)):
        return False
    if not all(map(fits, schema.get("allOf", ()))):
        return False
    if any(not any(map(fits, schema[word])) for word in ("anyOf", "oneOf") if schema.get(word)):
        return False
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        patterns = schema.get("patternProperties")
        return all(fits(known.get(key, True if patterns else others), inner) for key, inner in value.items())
    if isinstance(value, list):
        first = schema.get("prefixItems", [])
        rest = schema.get("items", True)
        return all(fits(first[k] if k < len(first) else rest, inner) for k, inner in enumerate(value))
    return True


def _takes_null(schema: Mapping[str, Any]) -> bool:
    kinds = schema.get("type", "null")
    return (
        (kinds == "null" or "null" in kinds)
        and ("enum" not in schema or None in schema["enum"])
        and schema.get("const") is None
    )


def _target(root: Mapping[str, Any], target: str) -> Any:
    """What `#/$defs/NAME` or `#/definitions/NAME` stands for; anything where it stands for nothing."""
    found: Any = root
    for part in target.removeprefix("#/").split("/"):
        found = (
            found.get(part.replace("~1", "/").replace("~0", "~"), True) if isinstance(found, dict) else True
        )
    return found
