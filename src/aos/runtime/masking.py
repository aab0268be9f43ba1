"""Takes secrets out of whatever is printed or recorded, in every form that they come back in."""

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from aos.wire.problems import CUT, visible

__all__ = ["MIN_SECRET", "Masker"]

MIN_SECRET = 4
"""Characters. A shorter secret would blank out half of every text, and is none."""

_MIN_FORM = 4
_MIN_LINE = 12


class Masker:
    """Writes `[secret NAME]` where a secret stands: as it is, or escaped for JSON, URLs or HTML, in base64 or hex, also
    in the middle of something longer that was encoded as a whole."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._names = {form: name for name, secret in secrets.items() for form in _forms(secret)}
        longest_first = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """The text without secrets."""
        if self._pattern is None:
            return text
        masked = self._pattern.sub(lambda match: f"[secret {self._names[match[0]]}]", text)
        return self._end_masked(masked) if masked.endswith(CUT) else masked

    def _end_masked(self, text: str) -> str:
        """A text that was cut off within a secret, without the part of it that is left."""
        kept = text.removesuffix(CUT)
        left, name = max((_left(kept, form), name) for form, name in self._names.items())
        return f"{kept[:-left]}[secret {name}]{CUT}" if left else text

    def value(self, value: Any) -> Any:
        """A JSON value without secrets: in texts, in keys, and in numbers that are one as a whole."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool) and repr(value) in self._names:
            return self.text(repr(value))
        return value


def _left(text: str, form: str) -> int:
    """How many characters at the end of the text are the beginning of `form`; fewer than a few are none."""
    lengths = range(min(len(form), len(text)), _MIN_FORM - 1, -1)
    return next((length for length in lengths if text.endswith(form[:length])), 0)


def _forms(secret: str) -> set[str]:
    texts = {secret, *(line for line in secret.split("\n") if len(line) >= _MIN_LINE)}
    return {form for text in texts for form in _written(text) if len(form) >= _MIN_FORM}


def _written(text: str) -> Iterator[str]:
    data = text.encode("utf-8", "surrogatepass")
    once = {text, _in_json(text, True), _in_json(text, False), repr(text)[1:-1], visible(text, len(text))}
    yield from once
    yield from (_in_json(form, True) for form in once)
    yield from (html.escape(text), html.escape(text, quote=False))
    for form in (quote(data, safe=""), quote(data), quote_plus(data)):
        yield from (form, re.sub("%..", lambda match: match[0].lower(), form))
    yield from (data.hex(), data.hex().upper())
    yield from _in_base64(data)


def _in_json(text: str, ascii_only: bool) -> str:
    return json.dumps(text, ensure_ascii=ascii_only)[1:-1]


def _in_base64(data: bytes) -> Iterator[str]:
    """The characters that depend on the secret alone, wherever in the groups of three bytes it starts."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        inside = whole[(0, 2, 3)[before] : (before + len(data)) * 8 // 6]
        if len(inside) >= _MIN_FORM:
            yield from (inside, inside.translate(str.maketrans("+/", "-_")))
