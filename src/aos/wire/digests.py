"""SHA-256 over the canonical JSON of RFC 8785: two spellings of one value have one digest."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

__all__ = ["canonical", "digest"]


def canonical(value: Any) -> bytes:
    """The canonical JSON of `value`: sorted keys, no white space, one spelling per number.

    A Decimal becomes text, as exact as it was and without trailing zeros: `Decimal("1.50")` is `"1.5"`.
    Raises ValueError for what JSON can't say exactly: NaN, Infinity, integers of 2^53 and more, lone
    surrogates, keys that are not text, other types.
    """
    import rfc8785

    return rfc8785.dumps(_plain(value))


def digest(value: Any) -> str:
    """`"sha256:<hex>"` of the canonical JSON of `value`."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _text(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _text(number: Decimal) -> str:
    # Not Decimal.normalize(): it rounds to the context's 28 digits.
    if not number.is_finite():
        raise ValueError(f"{number} has no canonical form")
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
