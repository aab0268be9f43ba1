"""What a call is given: references resolved against outputs, inputs, items and secrets, and checked by the schema."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from aos.domain.plans.plan import MAIN_INPUTS, Plan, Step, comes_after
from aos.domain.plans.references import Reference, as_text, at_path, resolve, written
from aos.domain.plans.sizes import MAX_ITEMS
from aos.domain.runs.run import Place
from aos.domain.skills.skill import Catalog
from aos.runtime.skills import Fault
from aos.wire.plans.parameters import known_validator
from aos.wire.problems import at, visible

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

__all__ = ["Bindings", "Params", "Secret", "Unfit"]

_TYPES = {
    "null": "null",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "an array",
    "object": "an object",
}

_SORTED = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode

Secret = Callable[[str], str | None]
"""A secret by its name; None where there is none of that name."""


class Unfit(Exception):
    """A call can't be made: its parameters are not what they have to be."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.fault = Fault(code, detail)


class Params(NamedTuple):
    """Resolved parameters, and the digest of them without secrets."""

    values: Mapping[str, Any]
    digest: str


class Bindings:
    """The values that references of a plan stand for, as far as its run has got.

    `fallback_of` is that of the plan's order. `ended` is told each step's output; where a fallback ran in a step's
    place, references to the step see the fallback's.
    """

    def __init__(self, plan: Plan, catalog: Catalog, fallback_of: Mapping[int, int], secret: Secret) -> None:
        self._plan, self._catalog, self._secret = plan, catalog, secret
        self._fallback_of = fallback_of
        self._index = {step.id: i for i, step in enumerate(plan.steps)}
        self._outputs: dict[str, Any] = {}
        self._producer: dict[str, Step] = {step.id: step for step in plan.steps}
        self._items: dict[str, Sequence[Any]] = {}
        skills = {step.skill: catalog.skills[step.skill] for step in plan.steps}
        self._takes = {name: known_validator(skill.input_schema) for name, skill in skills.items()}
        self._gives = {name: known_validator(skill.output_schema) for name, skill in skills.items()}

    def ended(self, step: Step, output: Any) -> None:
        """The step ended with this output: null where it failed or was skipped."""
        self._outputs[step.id] = output

    def stood_in(self, fallback: int) -> None:
        """The fallback ran and succeeded: its output is that of the step it stands in for, and of that one's owner."""
        step = self._plan.steps[fallback]
        owner = self._fallback_of.get(fallback)
        while owner is not None:
            name = self._plan.steps[owner].id
            self._outputs[name], self._producer[name] = self._outputs[step.id], step
            owner = self._fallback_of.get(owner)

    def open(self, step: Step) -> int:
        """How many items the step has. Raises Unfit where what it goes over is no array, or too long."""
        if step.for_each is None:
            return 1
        stated = step.for_each if isinstance(step.for_each, str) else list(step.for_each)
        items = resolve(stated, lambda reference: self._value(reference, None), as_text)
        if not isinstance(items, list):
            raise Unfit(
                "BAD_PARAMS", f"for_each goes over an array, and {visible(str(step.for_each))} is none"
            )
        if len(items) > MAX_ITEMS:
            raise Unfit("BAD_PARAMS", f"for_each has {len(items)} items; the limit is {MAX_ITEMS}")
        self._items[step.id] = items
        return len(items)

    def params(self, place: Place) -> Params:
        """The parameters of a call. Raises Unfit: BAD_PARAMS, SECRET_MISSING."""
        i = self._index[place.step]
        step = self._plan.steps[i]
        used: dict[str, str] = {}

        def look_up(reference: Reference) -> Any:
            if reference.kind == "secrets":
                return used.setdefault(reference.name, self._secret_value(reference.name))
            return self._value(reference, place)

        def open_secrets(reference: Reference) -> Any:
            named = reference.kind == "secrets"
            return f"${{secrets.{reference.name}}}" if named else self._value(reference, place)

        main = self._main_input(i, step)
        values = {**resolve(dict(step.params), look_up, as_text), **main}
        shown = {**resolve(dict(step.params), open_secrets, as_text), **main} if used else values
        if wrong := _misfit(self._takes[step.skill], values):
            raise Unfit("BAD_PARAMS", wrong)
        return Params(values, _digest(shown))

    def shown(self, step: Step) -> Step:
        """The step as people are to see it before it runs: what is known in place of references; no secrets."""

        def look_up(reference: Reference) -> Any:
            later = reference.kind in ("secrets", "item", "index")
            return written(reference) if later else self._value(reference, None)

        params = resolve(dict(step.params), look_up, as_text)
        return step._replace(params={**params, **self._main_input(self._index[step.id], step)})

    def misfit(self, skill: str, result: Any) -> str | None:
        """What is wrong with a result of the skill, in words that repeat nothing of it; None where it fits."""
        return _misfit(self._gives[skill], result)

    def _value(self, reference: Reference, place: Place | None) -> Any:
        match reference.kind:
            case "steps":
                return at_path(self._outputs.get(reference.name), reference.path)
            case "inputs":
                return at_path(self._plan.inputs.get(reference.name), reference.path)
            case "item" if place:
                return at_path(self._items[place.step][place.item], reference.path)
            case "index" if place:
                return place.item
            case _:
                return None

    def _secret_value(self, name: str) -> str:
        value = self._secret(name)
        if value is None:
            raise Unfit("SECRET_MISSING", f'there is no secret "{name}"')
        return value

    def _main_input(self, i: int, step: Step) -> Mapping[str, Any]:
        """The main output of the step before, where the parameter for it is left out."""
        key = MAIN_INPUTS.get(step.skill)
        if key is None or key in step.params:
            return {}
        came = comes_after(self._plan.steps, self._fallback_of, i)
        if len(came) != 1:
            return {}
        producer, output = self._producer[came[0]], self._outputs.get(came[0])
        main = self._catalog.skills[producer.skill].main_output
        path = (main,) if main else ()
        if producer.for_each is not None and isinstance(output, list):
            return {key: [at_path(one, path) for one in output]}
        return {key: at_path(output, path)}


def _misfit(schema: "Draft202012Validator", value: Any) -> str | None:
    if schema.is_valid(value):
        return None
    for error in schema.iter_errors(value):
        place = at("", *(str(part) for part in error.instance_path)) or "it"
        return f"{visible(place)} {_broken(error)}"
    return None


def _broken(error: "ValidationError") -> str:
    """Which rule of the schema is broken, by the schema's words and the type of the value alone."""
    kind: Any = error.kind
    if kind.name == "type":
        wanted = " or ".join(sorted(_TYPES.get(name, name) for name in kind.types))
        hint = "; a reference among other text is text" if "string" in kind.types else ""
        return f"is {_type(error.instance)}, and has to be {wanted}{hint}"
    if kind.name == "required":
        return f'has no "{visible(kind.property)}"'
    limit = getattr(kind, "limit", None)
    return f"breaks `{kind.name}{'' if limit is None else f': {limit}'}` of the schema"


def _type(value: Any) -> str:
    match value:
        case None:
            return "null, as of a step that gave nothing"
        case bool():
            return _TYPES["boolean"]
        case str():
            return _TYPES["string"]
        case int() | float():
            return _TYPES["number"]
        case _:
            return _TYPES["array" if isinstance(value, list) else "object"]


def _digest(values: Any) -> str:
    return "sha256:" + hashlib.sha256(_SORTED(values).encode()).hexdigest()
