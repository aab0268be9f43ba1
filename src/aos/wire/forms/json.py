"""JSON, with a word for the slips that people make in it."""

import json
from collections import Counter
from typing import Any

from aos.wire.forms.flaws import MAX_INTEGER, Stop, duplicate, integer, too_deep
from aos.wire.problems import visible

__all__ = ["read_json"]


def read_json(text: str, long_as_text: bool) -> Any:
    """The tree. `long_as_text`: an integer of 2^53 and more is the string of its digits."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_or_text if long_as_text else integer)
    except json.JSONDecodeError as error:
        raise Stop("malformed", _syntax(text, error)) from None
    except RecursionError:
        too_deep()


_SLIPS = {"'": 'JSON quotes with "', "/": "JSON has no comments", "#": "JSON has no comments"}


def _syntax(text: str, error: json.JSONDecodeError) -> str:
    """What the reader of JSON says, the one character that stands there, and the slip that it probably is."""
    before, rest = text[: error.pos].strip(), text[error.pos :].lstrip()
    if not before and not rest:
        return "the document is empty"
    said = f"line {error.lineno}, column {error.colno}: {error.msg}"
    if not error.msg.startswith("Expecting") or not rest:
        return said
    slip = _SLIPS.get(rest[0])
    if not before and slip is None:
        slip = "JSON starts with [ or {, and YAML is in files that end in .yaml"
    elif before.endswith(",") and rest[0] in "]}":
        slip = "JSON has no comma after the last one"
    return f'{said}, got "{visible(rest[0])}"' + (f"; {slip}" if slip else "")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; the last value of a repeated key stands there, flawed."""
    built = dict(pairs)
    if len(built) == len(pairs):
        return built
    times = Counter(key for key, _ in pairs)
    return {key: duplicate(key, value) if times[key] > 1 else value for key, value in built.items()}


def _or_text(text: str) -> int | str:
    # JSON has one spelling for each integer: its digits are as canonical as the number would be.
    return text if len(text) > len(str(-MAX_INTEGER)) or abs(int(text)) > MAX_INTEGER else int(text)
