"""The one parser: JSON, YAML and TOML with JSON's data model, refusing what two readers may read differently.

Three builders, one per form, turn text into a tree of plain values. A value that is refused but does not
stop the reading (a duplicate key, an alias, a huge integer) stands in that tree as a `_Flaw`. One walk over
the tree then finds the flaws and everything else that breaks a limit, each with its JSON Pointer, in
document order. What does stop the reading (a syntax error, a size) is a `_Stop` with line and column.

Numbers. An integer is an int below 2^53 in size, any other number a finite float, as in RFC 8785: 1.0 and 1
compare equal and have one digest. Money loses nothing on the way: a float's repr gives back every decimal
of up to 15 digits as it was written, and `shape.Reader.money` reads that.

YAML. A plain scalar is null (`null`, `~`, nothing), `true`, `false` or a decimal number where YAML 1.2's core
schema says so; everything else is text: `no`, `on`, `yes`, `2026-01-31`, `12:30`, `1_000`, and also `0x1F`,
`0o17` and `007`, which YAML 1.1 and 1.2 read differently. `.inf` and `.nan` are refused.

TOML. Integers are as TOML writes them (`0x1F`, `1_000`); dates and times are refused. A TOML syntax error may
hide further duplicates: its reader stops at the first.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias, cast

from aos.errors import Finding, InputError
from aos.wire.problems import at, visible

if TYPE_CHECKING:
    import yaml

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_INTEGER", "MAX_NODES", "MAX_YAML_BYTES", "Form", "Json", "parse"]

Form: TypeAlias = Literal["json", "yaml", "toml"]
Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

MAX_BYTES = 1024 * 1024
"""What a plan, catalog or configuration file may weigh; the caller passes its own limit to `parse`."""
MAX_YAML_BYTES = 256 * 1024
"""YAML is slower to read; `parse` never accepts more of it."""
MAX_DEPTH = 32
"""Objects and arrays inside each other, the outermost counted."""
MAX_NODES = 200_000
"""Values in one document, containers counted, keys not."""
MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 8785, appendix D)."""

_MAX_FINDINGS = 1_000
_MAX_POINTER_TEXT = 1024 * 1024  # in all findings: long keys times many findings must not fill the memory


class _Stop(Exception):
    """Reading ends here."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.finding = Finding("", code, detail)


class _Flaw:
    """Stands in the tree where something is refused; `value` is what would stand there."""

    __slots__ = ("code", "detail", "value")

    def __init__(self, code: str, detail: str, value: Any = None) -> None:
        self.code = code
        self.detail = detail
        self.value = value


def parse(
    data: bytes,
    form: Form,
    *,
    name: str,
    max_bytes: int,
    code: str,
    max_nodes: int = MAX_NODES,
    long_as_text: bool = False,
) -> Json:
    """Read one document.

    `name` is what people call the input ("plan.json"), `max_bytes` and `max_nodes` are its limits, `code` is
    the error to raise. `long_as_text`: an integer of 2^53 and more in JSON becomes the string of its digits. Raises
    InputError(code) with everything that could be found wrong at once, and nothing else, whatever the bytes.
    """
    walk = _Walk(max_nodes)
    try:
        text = _decode(data, min(max_bytes, MAX_YAML_BYTES) if form == "yaml" else max_bytes)
        if form == "toml":
            _bound_toml(text, max_nodes)
        tree = _json(text, _long_as_text) if form == "json" and long_as_text else _BUILDERS[form](text)
        walk.visit(tree)
    except _Stop as stop:
        walk.findings.append(stop.finding)
    if walk.findings:
        raise InputError.of(code, visible(name, 200), walk.findings)
    return cast(Json, tree)


def _decode(data: bytes, limit: int) -> str:
    if len(data) > limit:
        raise _Stop("too_large", f"{len(data):,} bytes; the limit is {limit:,} bytes")
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise _Stop("not_utf8", "the text starts with a byte order mark")
    # No form allows a NUL, and UTF-16 without a byte order mark is full of them.
    if (nul := data.find(0)) >= 0:
        raise _Stop("not_utf8", f"{_place(data, nul)}: a NUL byte; is this UTF-16 or not text at all?")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        start = error.start
        raise _Stop("not_utf8", f"{_place(data, start)}: byte 0x{data[start]:02x} is not UTF-8") from None


def _place(data: bytes, offset: int) -> str:
    line = data.count(b"\n", 0, offset) + 1
    column = offset - data.rfind(b"\n", 0, offset)
    return f"line {line}, column {column}"


def _too_deep(place: str = "") -> NoReturn:
    raise _Stop("too_deep", f"{place}nested deeper than {MAX_DEPTH} levels") from None


def _integer(text: str) -> "int | _Flaw":
    # int() takes quadratic time, and refuses thousands of digits with an error that knows no place.
    if len(text) > len(str(-MAX_INTEGER)):
        return _Flaw("number_out_of_range", f"an integer of {len(text):,} characters; {_INTEGERS}")
    return int(text)


def _long_as_text(text: str) -> int | str:
    # JSON has one spelling for each integer: its digits are as canonical as the number would be.
    return text if len(text) > len(str(-MAX_INTEGER)) or abs(int(text)) > MAX_INTEGER else int(text)


_INTEGERS = "integers must be below 2^53 in size; a longer one can be written as text"


# -- JSON ----------------------------------------------------------------------------------------------


def _json(text: str, integer: Callable[[str], Any] = _integer) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=integer)
    except json.JSONDecodeError as error:
        raise _Stop("malformed", _syntax(text, error)) from None
    except RecursionError:
        _too_deep()


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
    return {key: _duplicate(key, value) if times[key] > 1 else value for key, value in built.items()}


def _duplicate(key: str, value: Any) -> _Flaw:
    return _Flaw("duplicate_key", f'the key "{visible(key)}" is given more than once', value)


# -- YAML ----------------------------------------------------------------------------------------------

_YAML_NUMBER = r"[-+]?(?:(0|[1-9][0-9]*)|(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
_YAML_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


_LIBYAML_TOO_DEEP = "exceeded maximum nesting depth"
"""What libyaml says of 1,000 levels, since 0.2.6, and before it gives the first event; older ones have no limit."""


def _yaml(text: str) -> Any:
    import re

    import yaml

    # libyaml compares each %TAG with all before it.
    if re.search(r"^%TAG", text, re.MULTILINE):
        raise _Stop("yaml_feature", "%TAG is refused")
    try:
        return _Yaml(text).document()
    except yaml.MarkedYAMLError as error:
        place = _mark(error.problem_mark) if error.problem_mark else ""
        if error.problem == _LIBYAML_TOO_DEEP:
            _too_deep(place)
        raise _Stop("malformed", f"{place}{error.problem or error.context}") from None
    except yaml.reader.ReaderError as error:
        place = _place(text.encode(), error.position)
        raise _Stop("malformed", f"{place}: the character U+{error.character:04X} is not allowed") from None
    except (ValueError, OverflowError):  # the pure Python scanner passes escapes to chr() unchecked
        raise _Stop("malformed", "an escape names no Unicode character") from None


def _mark(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}: "


def _refused(event: "yaml.Event", what: str, value: Any = None) -> _Flaw:
    return _Flaw("yaml_feature", f"{_mark(event.start_mark)}{what} is refused", value)


class _Yaml:
    """Builds the document from the event stream, before any node, tag or alias means anything."""

    def __init__(self, text: str) -> None:
        import re

        import yaml

        self._events = iter(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        self._number = re.compile(_YAML_NUMBER).fullmatch
        self._depth = 0

    def document(self) -> Any:
        import yaml

        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise _Stop("malformed", "the document is empty")
        root = self._node(next(self._events))
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return root
        return _Flaw("yaml_feature", "more than one document in one file", root)

    def _node(self, event: Any) -> Any:
        import yaml

        if isinstance(event, yaml.AliasEvent):
            return _refused(event, f"the alias *{visible(event.anchor or '')}")
        value = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else self._collection(event)
        if event.tag is not None:
            value = _refused(event, f"the tag {visible(event.tag)}", value)
        if event.anchor is not None:
            value = _refused(event, f"the anchor &{visible(event.anchor)}", value)
        return value

    def _scalar(self, event: "yaml.ScalarEvent") -> Any:
        text: str = event.value
        if not event.implicit[0]:  # quoted, or a block
            return text
        if text in _YAML_WORDS:
            return _YAML_WORDS[text]
        if match := self._number(text):
            return _integer(text) if match[1] else float(text)
        return math.nan if text.lstrip("+-").lower() in (".inf", ".nan") else text

    def _collection(self, event: "yaml.CollectionStartEvent") -> Any:
        import yaml

        self._depth += 1
        if self._depth > MAX_DEPTH:  # the scanner takes quadratic time on what would follow
            _too_deep(_mark(event.start_mark))
        built = self._sequence() if isinstance(event, yaml.SequenceStartEvent) else self._mapping()
        self._depth -= 1
        return built

    def _sequence(self) -> list[Any]:
        import yaml

        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event))
        return items

    def _mapping(self) -> dict[str, Any]:
        import yaml

        built: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key, flaw = self._key(event)
            value = self._node(next(self._events))
            if flaw is not None:
                flaw.value = value
                value = flaw
            elif key in built:
                value = _duplicate(key, value)
            built[key] = value
        return built

    def _key(self, event: Any) -> tuple[str, _Flaw | None]:
        """The key's text and what is wrong with it. One that is no scalar is called "?", YAML's own mark."""
        import yaml

        key = self._node(event)
        text = event.value if isinstance(event, yaml.ScalarEvent) else "?"
        if isinstance(key, _Flaw):
            return text, _Flaw(key.code, key.detail)
        if text == "<<" and event.implicit[0]:
            return text, _refused(event, "the merge key <<")
        if not isinstance(key, str):
            return text, _Flaw("wrong_type", f"{_mark(event.start_mark)}a key must be text; quote it")
        return text, None


# -- TOML ----------------------------------------------------------------------------------------------

_TOML_STRING_OR_COMMENT = r'''(?sx)
      """ (?: [^"\\]++ | \\. | "(?!"") )*+ (?: "{3,5} | \Z )
    | \'\'\' (?: [^']++ | '(?!'') )*+ (?: '{3,5} | \Z )
    | " (?: [^"\\\n]++ | \\[^\n] )*+ "?
    | ' [^'\n]*+ '?
    | \# [^\n]*+
'''
_TOML_DUPLICATES = ("Cannot overwrite", "Cannot declare", "Cannot mutate", "Duplicate inline table key")


def _toml(text: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _toml_error(str(error)) from None
    except ValueError:  # int()'s own limit of 4,300 digits
        raise _Stop("number_out_of_range", _INTEGERS) from None
    except RecursionError:
        _too_deep()


def _bound_toml(text: str, max_nodes: int) -> None:
    """Refuse early what tomllib would take quadratic time and memory, or too long, to read."""
    import re

    bare = re.sub(_TOML_STRING_OR_COMMENT, "s", text)
    # Outside strings and comments a run of dots is a dotted key, and each dot a level.
    if re.search(rf"(?:\.[^.,=\[\]{{}}\n]*+){{{MAX_DEPTH}}}", bare):
        _too_deep("a dotted key is ")
    # Each comma and each equals sign brings at least one value.
    if max(bare.count(","), bare.count("=")) > max_nodes:
        _too_many(max_nodes)


def _toml_error(message: str) -> _Stop:
    """tomllib ends its messages with the place, "... (at line 1, column 2)"; here the place comes first."""
    what, _, place = message.removesuffix(")").rpartition(" (at ")
    code = "duplicate_key" if what.startswith(_TOML_DUPLICATES) else "malformed"
    return _Stop(code, f"{place}: {visible(what, 200)}" if what else visible(message, 200))


_BUILDERS: dict[Form, Callable[[str], Any]] = {"json": _json, "yaml": _yaml, "toml": _toml}


# -- what is refused in every form ---------------------------------------------------------------------


def _too_many(max_nodes: int) -> NoReturn:
    raise _Stop("too_large", f"more than {max_nodes:,} values")


class _Walk:
    """Looks at every value of a tree once. The pointer is spelled out only where there is a finding."""

    def __init__(self, max_nodes: int) -> None:
        self.findings: list[Finding] = []
        self._max_nodes = max_nodes
        self._path: list[str | int] = []
        self._nodes = 1
        self._room = _MAX_POINTER_TEXT

    def visit(self, value: Any) -> None:
        kind = type(value)
        if kind is str:
            if not _encodable(value):
                self._note("not_utf8", f'a lone surrogate in "{visible(value)}"')
        elif kind is dict:
            self._enter(value.items(), len(value))
        elif kind is list:
            self._enter(enumerate(value), len(value))
        elif kind is int:
            if abs(value) > MAX_INTEGER:
                self._note("number_out_of_range", _INTEGERS)
        elif kind is float:
            if not math.isfinite(value):
                self._note("number_out_of_range", "numbers must be finite (not NaN, Infinity or 1e400)")
        elif kind is _Flaw:
            self._note(value.code, value.detail)
            self.visit(value.value)
        elif kind is not bool and value is not None:
            self._note("wrong_type", f"a TOML date or time; quote it: '{value.isoformat()}'")

    def _enter(self, items: Iterable[tuple[str | int, Any]], size: int) -> None:
        if len(self._path) == MAX_DEPTH:
            self._note("too_deep", f"nested deeper than {MAX_DEPTH} levels")
            return
        self._nodes += size
        if self._nodes > self._max_nodes:
            _too_many(self._max_nodes)
        for key, value in items:
            if type(key) is str and not _encodable(key):  # no pointer can name what is below it
                self._note("not_utf8", f'a lone surrogate in the key "{visible(key)}"')
                continue
            self._path.append(key)
            self.visit(value)
            self._path.pop()

    def _note(self, code: str, detail: str) -> None:
        pointer = at("", *self._path)
        self.findings.append(Finding(pointer, code, detail))
        self._room -= len(pointer)
        if len(self.findings) == _MAX_FINDINGS or self._room < 0:
            raise _Stop("too_large", f"{len(self.findings):,} problems; there may be more")


def _encodable(text: str) -> bool:
    """Whether UTF-8 can say it: a lone surrogate comes in by an escape such as `\\ud800`."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
