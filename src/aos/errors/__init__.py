"""What can go wrong, and the exit status it has.

AosError                 a code of the catalogue, a detail, a fix
└── InputError           an input that can't be read or is invalid: everything wrong with it at once

Every code is a row of `aos.errors.codes.CODES`; nothing else decides titles, statuses or exit codes.
"""

from collections.abc import Sequence
from copyreg import __newobj__  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from aos.errors.codes import CODES, Code, Exit

__all__ = ["CODES", "AosError", "Code", "Exit", "Finding", "InputError"]


_OF_SHAPE = frozenset(("wrong_type", "unknown_key", "missing_key", "bad_value"))
"""They don't know what the document is for, so whatever it was read as says better what to do."""


class Finding(NamedTuple):
    """One thing that is wrong with an input.

    `pointer` is an RFC 6901 JSON Pointer into the input ("" is the whole), `code` a row of `CODES`,
    `allowed` the values that would have been right, `suggestion` the one that was probably meant.
    """

    pointer: str
    code: str
    detail: str
    allowed: tuple[str, ...] = ()
    suggestion: str | None = None


class AosError(Exception):
    """A failure that has a name. `str(error)` is the detail, in a person's words.

    `effect` says whether the world was touched: "none", "committed" or "unknown".
    """

    effect = "none"

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        fix: str | None = None,
        findings: Sequence[Finding] = (),
        instance: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.fix = fix or CODES[code].fix
        self.findings = tuple(findings)
        self.instance = instance
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[Any, ...]:
        """A worker process may raise it: it arrives whole, though its arguments are not those of `Exception`."""
        return __newobj__, (type(self), self.detail), self.__dict__

    @property
    def row(self) -> Code:
        """The catalogue's row: title, exit status, HTTP status, whether a retry can help."""
        return CODES[self.code]


class InputError(AosError):
    """An input is invalid. `findings` lists everything that is wrong with it, in document order."""

    @classmethod
    def of(cls, code: str, what: str, findings: Sequence[Finding], *, fix: str | None = None) -> "InputError":
        """Sum up `findings` about `what` ("plan.json"): one lends its words to the detail, one kind its fix."""
        head = f"{what}: {len(findings)} problems" if len(findings) > 1 else f"{what}: {findings[0].detail}"
        kinds = {finding.code for finding in findings}
        if fix is None and len(kinds) == 1 and not kinds & _OF_SHAPE:
            fix = CODES[kinds.pop()].fix
        return cls(code, head, fix=fix, findings=findings)
