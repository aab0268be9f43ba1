"""Checks a step's parameters against its skill's JSON Schema, as far as they are known before the run.

A string that is nothing but a reference to an output has the type that the schema of that output says, if it says
one; other outputs and items may turn out to be anything. A secret will be some text, and so will a string that
holds a reference among other text. An error that could go away with the value of a reference is no error. The
plan's inputs are known: they are checked as if they stood there.

The library is jsonschema-rs. It fetches `$ref`s from the network and the disk unless told not to, and its
usual regular expressions can take exponential time: both are switched off here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from aos.domain.kept import kept
from aos.domain.plans.references import Reference, parse
from aos.wire.problems import visible
from aos.wire.shape import Reader, at, closest, did_you_mean, shown

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

__all__ = [
    "NOWHERE",
    "check_arguments",
    "check_params",
    "check_schema",
    "in_words",
    "known_validator",
    "validator",
    "value_at",
]

Path = tuple[str, ...]

_TYPES: Mapping[str, tuple[Any, str]] = {
    "string": ("", "text"),
    "integer": (0, "a whole number"),
    "number": (0, "a number"),
    "boolean": (False, "true or false"),
    "array": ([], "an array"),
    "object": ({}, "an object"),
}
"""What stands in for a value of which only the type is known, and what people call it."""

NOWHERE = object()
"""What `value_at` answers where the path leads nowhere."""

MAX_SCHEMA_VALUES = 100_000
MAX_SCHEMA_DEPTH = 100

_REDIRECTIONS = frozenset({"$ref", "$dynamicRef", "$recursiveRef", "$id", "$anchor", "$dynamicAnchor"})
_MAX_ERRORS = 100  # of one step
_NO_NAME = "\ue000"
_MANY_VALUES = 20_000

# Keywords that look at a value itself and not at what stands inside it.
_SHALLOW = frozenset(
    {
        *("type", "required", "additionalProperties", "propertyNames", "minProperties", "maxProperties"),
        *("minItems", "maxItems", "minLength", "maxLength", "pattern", "format"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    }
)


def validator(schema: Mapping[str, Any]) -> "Draft202012Validator":
    """A validator that opens no file and no socket. Raises ValueError where the schema itself is wrong."""
    import jsonschema_rs

    # Without `properties` the library does not tell which of them are too many.
    return jsonschema_rs.Draft202012Validator(
        {"properties": {}, **schema}, offline=True, pattern_options=jsonschema_rs.RegexOptions()
    )


known_validator = kept(256)(validator)
"""The same, kept by the identity of the schema."""


def check_schema(reader: Reader, schema: dict[str, Any], pointer: str) -> None:
    """Add a finding (bad_value) where `schema` is no JSON Schema that instances can be checked against quickly.

    `$ref` leads to `#/$defs/NAME` or `#/definitions/NAME` and never round in a circle. With each of them written
    out the schema has at most `MAX_SCHEMA_VALUES` values, nested at most `MAX_SCHEMA_DEPTH` deep.
    """
    try:
        _Unfolding(schema).measure({key: value for key, value in schema.items() if key != "$id"})
        validator(schema)
    except ValueError as error:
        place = getattr(error, "instance_path", ())
        message = getattr(error, "message", str(error))
        reader.add(
            at(pointer, *place), "bad_value", f"not a JSON Schema for use here: {visible(message, 200)}"
        )


class _Extent(NamedTuple):
    values: int
    depth: int


class _Unfolding:
    """Measures a schema with every `$ref` written out, without writing it out."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._definitions: dict[str, _Extent | None] = {}  # None: being measured

    def measure(self, schema: Any, level: int = 0) -> _Extent:
        """Values and depth of the schema, which is nested `level` deep itself. Raises ValueError over a limit."""
        inner: list[_Extent] = []
        if level < MAX_SCHEMA_DEPTH:
            inner += [self.measure(item, level + 1) for item in _inside(schema)]
            inner += [self._definition(target, level + 1) for target in _targets(schema)]
        extent = _Extent(1 + sum(e.values for e in inner), 1 + max((e.depth for e in inner), default=0))
        if extent.values > MAX_SCHEMA_VALUES:
            raise ValueError(f"with every $ref written out it has more than {MAX_SCHEMA_VALUES:,} values")
        if level + extent.depth > MAX_SCHEMA_DEPTH:
            raise ValueError(
                f"with every $ref written out it is nested deeper than {MAX_SCHEMA_DEPTH} levels"
            )
        return extent

    def _definition(self, target: str, level: int) -> _Extent:
        if target not in self._definitions:
            definition = value_at(self._root, tuple(target.split("/")[1:]))
            if not target.startswith(("#/$defs/", "#/definitions/")) or definition is NOWHERE:
                raise ValueError(f"{target!r} is not #/$defs/NAME of this schema")
            self._definitions[target] = None
            self._definitions[target] = self.measure(definition, level)
        extent = self._definitions[target]
        if extent is None:
            raise ValueError(f"{target!r} leads back to itself")
        return extent


def _inside(schema: Any) -> Iterable[Any]:
    if isinstance(schema, dict):
        return schema.values()
    return schema if isinstance(schema, list) else ()


def _targets(schema: Any) -> Iterator[str]:
    """Where the schema refers to; a property may well be called `$ref`, but then it is no text."""
    for key in _REDIRECTIONS & schema.keys() if isinstance(schema, dict) else ():
        if isinstance(schema[key], str):
            if key != "$ref":
                raise ValueError(f"{key} is not supported")
            yield schema[key]


def value_at(value: Any, path: tuple[str, ...]) -> Any:
    """What `path` leads to inside a JSON value, `NOWHERE` where it leads nowhere."""
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return NOWHERE
    return value


def in_words(kind: str) -> str:
    """What people call a JSON type: `a whole number`."""
    return _TYPES[kind][1] if kind in _TYPES else kind


def check_params(
    reader: Reader,
    params: Mapping[str, Any],
    pointer: str,
    check: "Draft202012Validator",
    schema: Mapping[str, Any],
    inputs: Mapping[str, Any],
    type_of: Callable[[Reference], str | None] = lambda output: None,
) -> None:
    """Add a finding (bad_params) for each certain violation; `pointer` is where `params` stand.

    `type_of` tells the JSON type that an output will have, None where nobody knows.
    """
    known = _Known(inputs, type_of)
    instance = known.fill(dict(params), ())
    for error in _violations(check, instance, known.values):
        if _certain(error, known):
            place = at(pointer, *_written(_path(error), known))
            _report(reader, error, place, schema, known)


def check_arguments(
    reader: Reader, arguments: Mapping[str, Any], check: "Draft202012Validator", schema: Mapping[str, Any]
) -> None:
    """As `check_params`, of values that hold no references: `${...}` in them is text."""
    for error in _violations(check, dict(arguments), 0):
        _report(reader, error, at("", *map(str, error.instance_path)), schema, _NOTHING)


def _violations(check: "Draft202012Validator", instance: Any, values: int) -> "Iterable[ValidationError]":
    """The first errors; of very large parameters only the very first, since the library finds all before it tells."""
    if values <= _MANY_VALUES:
        return islice(check.iter_errors(instance), _MAX_ERRORS)
    import jsonschema_rs

    try:
        check.validate(instance)
    except jsonschema_rs.ValidationError as error:
        return [error]
    return []


class _Known:
    """What is known of the values before the run, by their place in the parameters."""

    def __init__(self, inputs: Mapping[str, Any], type_of: Callable[[Reference], str | None]) -> None:
        self._inputs = inputs
        self._type_of = type_of
        self.open: set[Path] = set()  # could become anything
        self.typed: dict[Path, str] = {}  # will be something of that type
        self.given: set[Path] = set()  # came from an input
        self.around: set[Path] = set()  # has something open or typed inside
        self.values = 0

    def fill(self, value: Any, path: Path) -> Any:
        """The value with its inputs in place; null for what is open, any value of its type for what has one."""
        self.values += 1
        if isinstance(value, dict):
            return {key or _NO_NAME: self.fill(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item, (*path, str(i))) for i, item in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        try:
            pieces = parse(value)
        except ValueError:  # a finding of its own
            return self._unknown(path, None)
        if len(pieces) > 1:
            return self._unknown(path, "string")
        if isinstance(pieces[0], Reference):
            return self._referred(pieces[0], path)
        return pieces[0]

    def _referred(self, reference: Reference, path: Path) -> Any:
        match reference.kind:
            case "secrets":
                return self._unknown(path, "string")
            case "steps":
                return self._unknown(path, self._type_of(reference))
            case "inputs":
                value = value_at(dict(self._inputs), (reference.name, *reference.path))
                if value is not NOWHERE:
                    self.given.add(path)
                    return value
        return self._unknown(path, None)

    def _unknown(self, path: Path, kind: str | None) -> Any:
        if kind is not None and kind in _TYPES:
            self.typed[path] = kind
            stand_in = _TYPES[kind][0]
        else:
            self.open.add(path)
            stand_in = None
        while path and path[:-1] not in self.around:
            path = path[:-1]
            self.around.add(path)
        return stand_in


_NOTHING = _Known({}, lambda output: None)


def _certain(error: "ValidationError", known: _Known) -> bool:
    """Whether the error stays, whatever the references turn out to be."""
    path = _path(error)
    if any(part in known.open for part in _beginnings(path)):
        return False
    if path in known.typed:
        return error.kind.name == "type"
    branches = getattr(error.kind, "context", None)
    if branches and all(branches):
        return all(any(_certain(inner, known) for inner in branch) for branch in branches)
    conditional = "then" in error.schema_path or "else" in error.schema_path
    if error.kind.name in _SHALLOW and not conditional:
        return True
    return path not in known.around


def _path(error: "ValidationError") -> Path:
    """The library writes the key "0" like an index, and leaves out the empty key: hence `_NO_NAME`."""
    return tuple("" if part == _NO_NAME else str(part) for part in error.instance_path)


def _beginnings(path: Path) -> Iterator[Path]:
    return (path[:length] for length in range(len(path) + 1))


def _written(path: Path, known: _Known) -> Path:
    """Where the plan's author wrote it: an input's inside ends at the reference to the input."""
    return next((part for part in _beginnings(path) if part in known.given), path)


def _report(
    reader: Reader, error: "ValidationError", pointer: str, schema: Mapping[str, Any], known: _Known
) -> None:
    kind: Any = error.kind
    instance: Any = error.instance
    if kind.name == "additionalProperties":
        parameters = schema.get("properties", {}) if not error.instance_path else {}
        for key in ("" if unexpected == _NO_NAME else unexpected for unexpected in kind.unexpected):
            meant = closest(key, parameters)
            detail = f'unknown parameter "{visible(key)}"{did_you_mean(meant)}'
            reader.add(at(pointer, key), "bad_params", detail, allowed=sorted(parameters), suggestion=meant)
    elif kind.name == "enum" and all(isinstance(option, str) for option in kind.options):
        meant = closest(instance, kind.options) if isinstance(instance, str) else None
        detail = f"{shown(instance)} is not one of {', '.join(kind.options)}"
        reader.add(pointer, "bad_params", visible(detail, 200), allowed=kind.options, suggestion=meant)
    else:
        reader.add(pointer, "bad_params", _message(error, known))


def _message(error: "ValidationError", known: _Known) -> str:
    kind: Any = error.kind
    if kind.name == "required":
        return f'the parameter "{visible(kind.property)}" is missing'
    if kind.name == "type":
        typed = known.typed.get(_path(error))
        got = in_words(typed) if typed else shown(cast(Any, error.instance))
        return f"expected {' or '.join(kind.types)}, got {got}"
    branches = getattr(kind, "context", None)
    if branches is None:
        return visible(error.message, 200)
    if not all(branches):
        return "more than one of the schema's alternatives fits, and exactly one must"
    return "none of the alternatives fits: " + "; ".join(
        _message(branch[0], known) for branch in branches[:10]
    )
