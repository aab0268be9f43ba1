"""YAML, read from its events, before any node, tag or alias means anything.

A plain scalar is null (`null`, `~`, nothing), `true`, `false` or a decimal number where YAML 1.2's core schema says so;
everything else is text: `no`, `on`, `yes`, `2026-01-31`, `12:30`, `1_000`, and also `0x1F`, `0o17` and `007`, which
YAML 1.1 and 1.2 read differently. `.inf` and `.nan` are refused.
"""

import math
import re
from typing import Any

import yaml

from aos.wire.forms.flaws import MAX_DEPTH, Flaw, Stop, duplicate, integer, place_of, too_deep
from aos.wire.problems import visible

__all__ = ["read_yaml"]

_NUMBER = re.compile(
    r"[-+]?(?:(0|[1-9][0-9]*)|(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
)
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LIBYAML_TOO_DEEP = "exceeded maximum nesting depth"
"""What libyaml says of 1,000 levels, since 0.2.6, and before it gives the first event; older ones have no limit."""


def read_yaml(text: str) -> Any:
    # libyaml compares each %TAG with all before it.
    if re.search(r"^%TAG", text, re.MULTILINE):
        raise Stop("yaml_feature", "%TAG is refused")
    try:
        return _Builder(text).document()
    except yaml.MarkedYAMLError as error:
        place = _mark(error.problem_mark) if error.problem_mark else ""
        if error.problem == _LIBYAML_TOO_DEEP:
            too_deep(place)
        raise Stop("malformed", f"{place}{error.problem or error.context}") from None
    except yaml.reader.ReaderError as error:
        place = place_of(text.encode(), error.position)
        raise Stop("malformed", f"{place}: the character U+{error.character:04X} is not allowed") from None
    except (ValueError, OverflowError):  # the pure Python scanner passes escapes to chr() unchecked
        raise Stop("malformed", "an escape names no Unicode character") from None


def _mark(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}: "


def _refused(event: yaml.Event, what: str, value: Any = None) -> Flaw:
    return Flaw("yaml_feature", f"{_mark(event.start_mark)}{what} is refused", value)


class _Builder:
    """Builds the document from the event stream."""

    def __init__(self, text: str) -> None:
        self._events = iter(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        self._depth = 0

    def document(self) -> Any:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise Stop("malformed", "the document is empty")
        root = self._node(next(self._events))
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return root
        return Flaw("yaml_feature", "more than one document in one file", root)

    def _node(self, event: Any) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return _refused(event, f"the alias *{visible(event.anchor or '')}")
        value = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else self._collection(event)
        if event.tag is not None:
            value = _refused(event, f"the tag {visible(event.tag)}", value)
        if event.anchor is not None:
            value = _refused(event, f"the anchor &{visible(event.anchor)}", value)
        return value

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        text: str = event.value
        if not event.implicit[0]:  # quoted, or a block
            return text
        if text in _WORDS:
            return _WORDS[text]
        if match := _NUMBER.fullmatch(text):
            return integer(text) if match[1] else float(text)
        return math.nan if text.lstrip("+-").lower() in (".inf", ".nan") else text

    def _collection(self, event: yaml.CollectionStartEvent) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:  # the scanner takes quadratic time on what would follow
            too_deep(_mark(event.start_mark))
        built = self._sequence() if isinstance(event, yaml.SequenceStartEvent) else self._mapping()
        self._depth -= 1
        return built

    def _sequence(self) -> list[Any]:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event))
        return items

    def _mapping(self) -> dict[str, Any]:
        built: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key, flaw = self._key(event)
            value = self._node(next(self._events))
            if flaw is not None:
                flaw.value = value
                value = flaw
            elif key in built:
                value = duplicate(key, value)
            built[key] = value
        return built

    def _key(self, event: Any) -> tuple[str, Flaw | None]:
        """The key's text and what is wrong with it. One that is no scalar is called "?", YAML's own mark."""
        key = self._node(event)
        text = event.value if isinstance(event, yaml.ScalarEvent) else "?"
        if isinstance(key, Flaw):
            return text, Flaw(key.code, key.detail)
        if text == "<<" and event.implicit[0]:
            return text, _refused(event, "the merge key <<")
        if not isinstance(key, str):
            return text, Flaw("wrong_type", f"{_mark(event.start_mark)}a key must be text; quote it")
        return text, None
