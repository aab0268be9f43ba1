"""References in a step's parameters: `${steps.ID.output.PATH}`, `${inputs.NAME}`, `${secrets.NAME}`,
`${item}`, `${index}`.

Nothing is evaluated. `$${` is a literal `${`. A string that is one reference and nothing else keeps the
referred value's type; a reference inside a longer string becomes text.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

_TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME = r"[A-Za-z0-9_-]+"
_TO_STEP = rf"\$\$\{{|(\$\{{steps\.)({_NAME})(?=\.output[.}}])"
_FORMS = re.compile(
    rf"(?:(steps)\.({_NAME})\.output|(inputs)\.({_NAME})|(secrets)\.({_NAME})|(item)|(index))((?:\.{_NAME})*)\Z"
)


class Reference(NamedTuple):
    """`kind` is steps, inputs, secrets, item or index; `name` the step, input or secret; `path` what follows."""

    kind: str
    name: str
    path: tuple[str, ...]


Template = tuple[str | Reference, ...]


def parse(text: str) -> Template:
    """Split text into literal pieces and references.

    Raises ValueError, in a person's words, where a `${` opens something that is no reference.
    """
    pieces: list[str | Reference] = []
    end = 0
    for match in _TOKEN.finditer(text):
        pieces.append(text[end : match.start()])
        pieces.append("${" if match[0] == "$${" else _reference(match))
        end = match.end()
    pieces.append(text[end:])
    return _joined(pieces)


def references(value: Any) -> Iterator[tuple[str, Reference]]:
    """Every reference inside a JSON value with the JSON Pointer of the string that holds it."""
    for pointer, text in strings(value):
        if "${" in text:
            for piece in parse(text):
                if isinstance(piece, Reference):
                    yield pointer, piece


def strings(value: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Every string value (not key) inside a JSON value, with its JSON Pointer."""
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from strings(inner, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from strings(inner, f"{pointer}/{index}")


def renamed(value: Any, name_of: Callable[[str], str]) -> Any:
    """The JSON value with every reference to a step's output calling that step what `name_of` says."""
    if isinstance(value, str):
        return re.sub(
            _TO_STEP, lambda found: f"{found[1]}{name_of(found[2])}" if found[2] else found[0], value
        )
    if isinstance(value, dict):
        return {key: renamed(inner, name_of) for key, inner in value.items()}
    return [renamed(inner, name_of) for inner in value] if isinstance(value, list | tuple) else value


def given(value: Any, inputs: Mapping[str, Any]) -> Any:
    """What the plan's own inputs make of a value: a string that is one input reference becomes that input."""
    if not isinstance(value, str) or "${" not in value:
        return value
    pieces = parse(value)
    if len(pieces) == 1 and isinstance(pieces[0], Reference) and pieces[0].kind == "inputs":
        return at_path(inputs.get(pieces[0].name), pieces[0].path)
    return value


def at_path(value: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path inside a JSON value; None where nothing does."""
    for key in path:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


def resolve(value: Any, look_up: Callable[[Reference], Any], as_text: Callable[[Any], str]) -> Any:
    """The JSON value with each reference replaced by `look_up`; embedded ones go through `as_text`."""
    if isinstance(value, str):
        pieces = parse(value)
        if len(pieces) == 1 and isinstance(pieces[0], Reference):
            return look_up(pieces[0])
        return "".join(piece if isinstance(piece, str) else as_text(look_up(piece)) for piece in pieces)
    if isinstance(value, dict):
        return {key: resolve(inner, look_up, as_text) for key, inner in value.items()}
    if isinstance(value, list):
        return [resolve(inner, look_up, as_text) for inner in value]
    return value


def as_text(value: Any) -> str:
    """What a value becomes inside other text: itself if it is text, else JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def written(reference: Reference) -> str:
    """The reference as it stands in a plan."""
    output = ("output",) if reference.kind == "steps" else ()
    named = (reference.name,) if reference.name else ()
    return f"${{{'.'.join((reference.kind, *named, *output, *reference.path))}}}"


def with_inputs(value: Any, inputs: Mapping[str, Any]) -> Any:
    """The JSON value with the plan's inputs in it; what only the run knows stays as it is written."""

    def look_up(reference: Reference) -> Any:
        if reference.kind != "inputs":
            return written(reference)
        return at_path(inputs.get(reference.name), reference.path)

    return resolve(value, look_up, as_text)


def _reference(match: re.Match[str]) -> Reference:
    form = _FORMS.match(match[1] or "")
    if form is None or (form[8] and form[9]):
        raise ValueError(
            f"{match[0]!r} is no reference: write ${{steps.ID.output.PATH}}, ${{inputs.NAME}}, "
            "${secrets.NAME}, ${item.PATH} or ${index}; $${ is a literal ${"
        )
    groups = [group for group in form.groups()[:8] if group]
    return Reference(groups[0], groups[1] if len(groups) > 1 else "", tuple(form[9].split(".")[1:]))


def _joined(pieces: list[str | Reference]) -> Template:
    """Neighbouring literals as one, empty ones dropped; the empty string stays one literal."""
    joined: list[str | Reference] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        elif piece != "":
            joined.append(piece)
    return tuple(joined) or ("",)
