"""The one parser: JSON, YAML and TOML with JSON's data model, refusing what two readers may read differently.

Three readers, one per form (`aos.wire.forms`), turn text into a tree of plain values. A value that is refused but
does not stop the reading (a duplicate key, an alias, a huge integer) stands in that tree as a `Flaw`. One walk over
the tree then finds the flaws and everything else that breaks a limit, each with its JSON Pointer, in document order.
What does stop the reading (a syntax error, a size) is a `Stop` with line and column.

Numbers. An integer is an int below 2^53 in size, any other number a finite float, as in RFC 8785: 1.0 and 1
compare equal and have one digest. Money loses nothing on the way: a float's repr gives back every decimal
of up to 15 digits as it was written, and `shape.Reader.money` reads that.
"""

import math
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, cast

from aos.errors import Finding, InputError
from aos.wire.forms.flaws import INTEGERS, MAX_DEPTH, MAX_INTEGER, Flaw, Stop, place_of, too_many
from aos.wire.forms.json import read_json
from aos.wire.problems import at, visible

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_INTEGER", "MAX_NODES", "MAX_YAML_BYTES", "Form", "Json", "parse"]

Form: TypeAlias = Literal["json", "yaml", "toml"]
Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

MAX_BYTES = 1024 * 1024
"""What a plan, catalog or configuration file may weigh; the caller passes its own limit to `parse`."""
MAX_YAML_BYTES = 256 * 1024
"""YAML is slower to read; `parse` never accepts more of it."""
MAX_NODES = 200_000
"""Values in one document, containers counted, keys not."""

_MAX_FINDINGS = 1_000
_MAX_POINTER_TEXT = 1024 * 1024  # in all findings: long keys times many findings must not fill the memory


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
        tree = _tree(text, form, max_nodes, long_as_text)
        walk.visit(tree)
    except Stop as stop:
        walk.findings.append(stop.finding)
    if walk.findings:
        raise InputError.of(code, visible(name, 200), walk.findings)
    return cast(Json, tree)


def _decode(data: bytes, limit: int) -> str:
    if len(data) > limit:
        raise Stop("too_large", f"{len(data):,} bytes; the limit is {limit:,} bytes")
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise Stop("not_utf8", "the text starts with a byte order mark")
    # No form allows a NUL, and UTF-16 without a byte order mark is full of them.
    if (nul := data.find(0)) >= 0:
        raise Stop("not_utf8", f"{place_of(data, nul)}: a NUL byte; is this UTF-16 or not text at all?")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        start = error.start
        raise Stop("not_utf8", f"{place_of(data, start)}: byte 0x{data[start]:02x} is not UTF-8") from None


def _tree(text: str, form: Form, max_nodes: int, long_as_text: bool) -> Any:
    if form == "json":
        return read_json(text, long_as_text)
    if form == "yaml":
        from aos.wire.forms.yaml import read_yaml

        return read_yaml(text)
    from aos.wire.forms.toml import read_toml

    return read_toml(text, max_nodes)


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
                self._note("number_out_of_range", INTEGERS)
        elif kind is float:
            if not math.isfinite(value):
                self._note("number_out_of_range", "numbers must be finite (not NaN, Infinity or 1e400)")
        elif kind is Flaw:
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
            too_many(self._max_nodes)
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
            raise Stop("too_large", f"{len(self.findings):,} problems; there may be more")


def _encodable(text: str) -> bool:
    """Whether UTF-8 can say it: a lone surrogate comes in by an escape such as `\\ud800`."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
