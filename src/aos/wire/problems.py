"""How a failure is told: the RFC 9457 problem document, JSON Pointers, and foreign text made harmless."""

from typing import Any

import aos
from aos.errors import AosError, Finding

__all__ = ["CUT", "MAX_ERRORS", "at", "problem", "visible"]

MAX_ERRORS = 100
"""A problem document lists this many errors; `errors_omitted` counts the rest."""

CUT = "…"
"""Ends a text that was longer."""

# Controls move the cursor, bidi controls reorder what is read, line separators fake a row.
_UNSAFE = (
    *range(0x20),
    *range(0x7F, 0xA0),
    0x061C,
    *range(0x200E, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
)
_ESCAPES = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _UNSAFE}


def visible(text: str, limit: int = 80) -> str:
    """`text` as it may be shown to a person, cut after `limit` characters.

    C0 and C1 controls, DEL, bidi controls, line separators and lone surrogates become escapes such as
    `\\x1b` and `\\u202e`. A backslash stays as it is, so that a second pass changes nothing.
    """
    cut = text if len(text) <= limit else text[:limit] + CUT
    return cut.translate(_ESCAPES).encode("utf-8", "backslashreplace").decode()


def at(pointer: str, *keys: str | int) -> str:
    """The JSON Pointer (RFC 6901) below `pointer`: `at("/steps", 0, "a/b")` is `/steps/0/a~1b`."""
    for key in keys:
        pointer += "/" + str(key).replace("~", "~0").replace("/", "~1")
    return pointer


def problem(error: AosError) -> dict[str, Any]:
    """The RFC 9457 document of `error`, keys in their published order.

    `errors` lists the first `MAX_ERRORS` findings and `errors_omitted` counts those left out. Pointers are
    exact; text is made visible.
    """
    row = error.row
    return {
        "schema": "aos.problem/1",
        "aos_version": aos.__version__,
        "type": f"urn:aos:problem:{row.area}.{error.code}",
        "title": row.title,
        "status": row.status,
        "detail": visible(error.detail, 1000),
        "instance": error.instance,
        "code": error.code,
        "exit_code": int(row.exit),
        "retryable": row.retryable,
        "retry_after_s": error.retry_after_s,
        "effect": error.effect,
        "errors": [_entry(finding) for finding in error.findings[:MAX_ERRORS]],
        "errors_omitted": max(0, len(error.findings) - MAX_ERRORS),
        "fix": visible(error.fix, 1000),
    }


def _entry(finding: Finding) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "pointer": finding.pointer,
        "code": finding.code,
        "detail": visible(finding.detail, 1000),
    }
    if finding.allowed:
        entry["allowed"] = list(finding.allowed)
    if finding.suggestion is not None:
        entry["suggestion"] = finding.suggestion
    return entry
