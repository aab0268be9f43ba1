"""What is refused in a document, and what ends its reading."""

from typing import Any, NoReturn

from aos.errors import Finding
from aos.wire.problems import visible

MAX_DEPTH = 32
"""Objects and arrays inside each other, the outermost counted."""
MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 8785, appendix D)."""

INTEGERS = "integers must be below 2^53 in size; a longer one can be written as text"


class Stop(Exception):
    """Reading ends here."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.finding = Finding("", code, detail)


class Flaw:
    """Stands in the tree where something is refused; `value` is what would stand there."""

    __slots__ = ("code", "detail", "value")

    def __init__(self, code: str, detail: str, value: Any = None) -> None:
        self.code = code
        self.detail = detail
        self.value = value


def place_of(data: bytes, offset: int) -> str:
    line = data.count(b"\n", 0, offset) + 1
    column = offset - data.rfind(b"\n", 0, offset)
    return f"line {line}, column {column}"


def too_deep(place: str = "") -> NoReturn:
    raise Stop("too_deep", f"{place}nested deeper than {MAX_DEPTH} levels") from None


def integer(text: str) -> "int | Flaw":
    # int() takes quadratic time, and refuses thousands of digits with an error that knows no place.
    if len(text) > len(str(-MAX_INTEGER)):
        return Flaw("number_out_of_range", f"an integer of {len(text):,} characters; {INTEGERS}")
    return int(text)


def too_many(max_nodes: int) -> NoReturn:
    raise Stop("too_large", f"more than {max_nodes:,} values")


def duplicate(key: str, value: Any) -> Flaw:
    return Flaw("duplicate_key", f'the key "{visible(key)}" is given more than once', value)
