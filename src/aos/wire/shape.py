"""Reads checked values out of a parsed document and collects everything that is wrong with them.

    reader = Reader()
    step = reader.obj(document, "", known=("skill", "params", "timeout_s"), required=("skill",))
    skill = reader.text(step["skill"], "/skill", "")
    timeout = reader.number(step["timeout_s"], "/timeout_s", None, low=0)
    reader.raise_if_any("invalid_plan", "plan.json")

Every method takes a value, its JSON Pointer and what to return where the value is missing or wrong. A wrong
value is one finding; a missing one is a finding of `obj`, where it is required, and silent here.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeAlias, TypeVar, cast

from aos.errors import Finding, InputError
from aos.wire.problems import MAX_ERRORS, at, visible
from aos.wire.strict import MAX_INTEGER, Json

__all__ = [
    "MISSING",
    "Field",
    "Fields",
    "Missing",
    "Reader",
    "at",
    "closest",
    "did_you_mean",
    "is_free",
    "no_such",
    "or_missing",
    "shown",
]

MAX_DECIMALS = 6
"""Cents carry at most this many decimals."""


class Missing:
    """The type of `MISSING`, which stands for a key that is absent (null is a value)."""


MISSING: Final = Missing()

Field: TypeAlias = "Json | Missing"
D = TypeVar("D")


class Fields(dict[str, Json]):
    """An object that answers `MISSING` for a key it does not have; what it holds is Json all the same."""

    def __getitem__(self, key: str) -> Field:  # type: ignore[override]
        return self.get(key, MISSING)


class Reader:
    """Collects `findings` in the order in which the document is read."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def add(
        self,
        pointer: str,
        code: str,
        detail: str,
        *,
        allowed: Sequence[str] = (),
        suggestion: str | None = None,
    ) -> None:
        """Note a finding."""
        self.findings.append(Finding(pointer, code, detail, tuple(allowed), suggestion))

    def raise_if_any(self, code: str, name: str) -> None:
        """Raise InputError(code) about the document `name` where there are findings."""
        if self.findings:
            raise InputError.of(code, visible(name, 200), self.findings)

    # -- containers ------------------------------------------------------------------------------------

    def obj(
        self,
        value: Field,
        pointer: str,
        *,
        known: Collection[str] | None = None,
        required: Collection[str] = (),
        words: Mapping[str, str] = {},
    ) -> Fields:
        """An object; empty where the value is none. Without `known` any key is allowed.

        Free keys (`x-*`, `_meta`) are always allowed. Each other key that is unknown, and each required one
        that is absent, is a finding. `words` are what others call a known key, without `_` and in lower case.
        """
        if not isinstance(value, dict):
            return self._wrong(value, pointer, "an object", Fields())
        if known is not None:
            for key in value:
                if key not in known and not is_free(key):
                    self._unknown(key, pointer, known, words)
        for key in required:
            if key not in value:
                self.add(pointer, "missing_key", f'the key "{key}" is missing')
        return Fields(value)

    def array(self, value: Field, pointer: str, *, max_len: int) -> list[Json]:
        """An array; empty where the value is none or has more than `max_len` items."""
        if not isinstance(value, list):
            return self._wrong(value, pointer, "an array", cast(list[Json], []))
        if len(value) > max_len:
            self.add(pointer, "too_large", f"{len(value):,} items; the limit is {max_len:,}")
            return []
        return value

    def texts(self, value: Field, pointer: str, *, max_len: int) -> tuple[str, ...]:
        """An array of strings; "" in the place of one that is none."""
        items = self.array(value, pointer, max_len=max_len)
        return tuple(self.text(item, at(pointer, i), "") for i, item in enumerate(items))

    # -- single values ---------------------------------------------------------------------------------

    def text(self, value: Field, pointer: str, default: D) -> str | D:
        """A string."""
        return value if isinstance(value, str) else self._wrong(value, pointer, "text", default)

    def flag(self, value: Field, pointer: str, default: D) -> bool | D:
        """`true` or `false`."""
        return value if isinstance(value, bool) else self._wrong(value, pointer, "true or false", default)

    def choice(self, value: Field, pointer: str, default: D, *, allowed: Sequence[str]) -> str | D:
        """One of the strings `allowed`."""
        if not isinstance(value, str):
            return self._wrong(value, pointer, "text", default)
        if value in allowed:
            return value
        meant = closest(value, allowed) if self._worth_a_guess() else None
        detail = f"{shown(value)} is not one of {', '.join(allowed)}"
        self.add(pointer, "bad_value", detail, allowed=allowed, suggestion=meant)
        return default

    def number(
        self, value: Field, pointer: str, default: D, *, low: float | None = None, high: float | None = None
    ) -> float | D:
        """A number from `low` to `high`, both included. `true` is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self._wrong(value, pointer, "a number", default)
        return value if self._within(value, pointer, low, high) else default

    def positive(self, value: Field, pointer: str) -> float | None:
        """A number above 0; None where it is missing or wrong."""
        number = self.number(value, pointer, None, low=0)
        if number != 0:
            return number
        self.add(pointer, "bad_value", "it must be above 0")
        return None

    def integer(
        self, value: Field, pointer: str, default: D, *, low: int | None = None, high: int | None = None
    ) -> int | D:
        """A whole number from `low` to `high`, both included; 5.0 is 5, as everywhere in JSON."""
        if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_INTEGER:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            return self._wrong(value, pointer, "a whole number", default)
        return value if self._within(value, pointer, low, high) else default

    def money(self, value: Field, pointer: str, default: D, *, high: float | None = None) -> Decimal | D:
        """Cents, from 0 to `high`, of at most 6 decimals and exactly as written.

        A double keeps 15 significant digits; an amount with a fraction that has more is refused, because
        nobody could say any more what was written.
        """
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self._wrong(value, pointer, "an amount of cents", default)
        if not self._within(value, pointer, 0, high):
            return default
        cents = Decimal(repr(value))
        _, digits, exponent = cents.normalize().as_tuple()
        if not isinstance(value, int) and (int(exponent) < -MAX_DECIMALS or len(digits) > 15):
            detail = f"{value!r} has more than {MAX_DECIMALS} decimals or 15 digits"
            self.add(pointer, "bad_value", detail)
            return default
        return cents

    # -- findings --------------------------------------------------------------------------------------

    def _wrong(self, value: Field, pointer: str, expected: str, default: D) -> D:
        if not isinstance(value, Missing):
            self.add(pointer, "wrong_type", f"expected {expected}, got {shown(value)}")
        return default

    def _within(self, value: float, pointer: str, low: float | None, high: float | None) -> bool:
        if (low is None or low <= value) and (high is None or value <= high):
            return True
        bounds = [
            f"{word} {bound:,}" for word, bound in (("at least", low), ("at most", high)) if bound is not None
        ]
        self.add(pointer, "bad_value", f"{value} must be {' and '.join(bounds)}")
        return False

    def _unknown(self, key: str, pointer: str, known: Collection[str], words: Mapping[str, str]) -> None:
        meant = words.get(key.lower().replace("_", ""))
        if meant is None and self._worth_a_guess():
            meant = closest(key, known)
        detail = f'unknown key "{visible(key)}"{did_you_mean(meant)}'
        self.add(at(pointer, key), "unknown_key", detail, allowed=sorted(known), suggestion=meant)

    def _worth_a_guess(self) -> bool:
        # Guessing is slow, and nobody sees the findings after the first hundred.
        return len(self.findings) < MAX_ERRORS


def is_free(key: str) -> bool:
    """Whether the key is the author's own: nobody reads it, and it is no part of a digest."""
    return key == "_meta" or key.startswith("x-")


def or_missing(value: Field) -> Field:
    """The value of a key that may be null, which says the same as leaving it out."""
    return MISSING if value is None else value


def no_such(what: str, name: str, known: Collection[str], *, code: str, pointer: str = "") -> Finding:
    """The finding that there is no `what` called `name`; those there are, and the one that was probably meant."""
    meant = closest(name, known)
    detail = f'there is no {what} "{visible(name)}"{did_you_mean(meant)}'
    return Finding(pointer, code, detail, tuple(known), meant)


def did_you_mean(meant: str | None) -> str:
    """The end of a sentence about a name that is unknown: the guess, or nothing where there is none."""
    return f'; did you mean "{visible(meant, 200)}"?' if meant else ""


def closest(word: str, known: Collection[str]) -> str | None:
    """The member of `known` that was probably meant by `word`, or None. Upper and lower case are one."""
    from difflib import get_close_matches

    names = {name.lower(): name for name in known}
    matches = get_close_matches(word.lower(), names, n=1)
    return names[matches[0]] if matches else None


def shown(value: Json) -> str:
    """A value in a few words, harmless to print: `"text"`, `5`, `null`, `an array`."""
    if isinstance(value, str):
        return f'"{visible(value, 40)}"'
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else repr(value)
