"""SHA-256 over the canonical JSON of RFC 8785: two spellings of one value have one digest."""

import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from json.encoder import encode_basestring as _quoted
from typing import Any

__all__ = ["canonical", "decimal_text", "digest"]

_LARGEST = 2**53 - 1


def canonical(value: Any) -> bytes:
    """The canonical JSON of `value`: sorted keys, no white space, one spelling per number.

    A Decimal becomes text, as exact as it was and without trailing zeros: `Decimal("1.50")` is `"1.5"`.
    Raises ValueError for what JSON can't say exactly: NaN, Infinity, integers of 2^53 and more, lone
    surrogates, keys that are not text, other types.
    """
    try:
        return _written(value).encode()
    except _Unusual:
        import rfc8785

        return rfc8785.dumps(_exact(value))


def digest(value: Any) -> str:
    """`"sha256:<hex>"` of the canonical JSON of `value`."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()


def decimal_text(number: Decimal) -> str:
    """The number as text, as exact as it was and without trailing zeros. Raises ValueError where it is not finite."""
    # Not Decimal.normalize(): it rounds to the context's 28 digits.
    if not number.is_finite():
        raise ValueError(f"{number} has no canonical form")
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


class _Unusual(Exception):
    """The standard library would write it in another way, or write it though it can't be said."""


def _written(value: Any) -> str:
    """The JSON of `value`, where what Python makes of numbers and of the order of keys is what RFC 8785 says; ten times
    as fast. Raises _Unusual.
    """
    kind = type(value)
    if kind is str:
        return _quoted(value)
    if kind is bool:
        return "true" if value else "false"
    if value is None:
        return "null"
    if kind is int and -_LARGEST <= value <= _LARGEST:
        return str(value)
    if kind is float and -_LARGEST <= value <= _LARGEST:
        if value.is_integer():
            return str(int(value))
        if abs(value) >= 1e-4:  # where repr() has no exponent, as in JavaScript
            return repr(value)
    if kind is dict and _are_ascii(value):  # other keys sort by UTF-16
        return "{" + ",".join([f"{_quoted(key)}:{_written(value[key])}" for key in sorted(value)]) + "}"
    if kind is list or kind is tuple:
        return "[" + ",".join([_written(item) for item in value]) + "]"
    if kind is Decimal:
        return _quoted(decimal_text(value))
    raise _Unusual


def _are_ascii(keys: Iterable[Any]) -> bool:
    try:
        return "".join(keys).isascii()
    except TypeError:
        return False


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, Mapping):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(item) for item in value]
    return value
