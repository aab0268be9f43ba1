"""The columns of recorded runs: their names, the units they may come in, and which have to be there."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from aos.errors import Finding, InputError
from aos.wire.problems import visible
from aos.wire.shape import closest

__all__ = ["FIXED", "ROLES", "TO_CENTS", "TO_MS", "Declared", "check_declared", "check_header"]

TO_MS = {"_ns": 1e-6, "_us": 1e-3, "_ms": 1.0, "_s": 1e3}
TO_CENTS = {"cost_cents": 1.0, "cost_usd": 100.0}
ROLES = {
    "start": ("start", *(f"start{unit}" for unit in TO_MS)),
    "end": ("end", *(f"end{unit}" for unit in TO_MS)),
    "duration": tuple(f"duration{unit}" for unit in TO_MS),
}
FIXED = frozenset(("run", "step", "skill", "outcome", "code", "attempt", "after", *TO_CENTS)).union(
    *ROLES.values()
)


class Declared(NamedTuple):
    """Columns that only the caller knows the meaning of: conditions that split a skill, numbers known beforehand.

    With `guess`, every column of few values that nobody asked for is read as a condition that may be one.
    """

    by: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    guess: bool = False


def check_header(header: Sequence[str], declared: Declared, name: str) -> None:
    """Raise InputError(missing_key, duplicate_key or invalid_records) for the header of a CSV file."""
    findings = [_missing(key, header) for key in ("run", "skill") if key not in header]
    for either in (ROLES["start"], (*ROLES["end"], *ROLES["duration"])):
        if not set(either).intersection(header):
            findings.append(_missing(either[0], header))
    twice = [key for key in dict.fromkeys(header) if header.count(key) > 1]
    findings += [Finding("", "duplicate_key", f"the column `{visible(key)}` is there twice") for key in twice]
    if findings:
        fix = "docs/records.md describes the columns; the first line has to name them."
        raise InputError.of(findings[0].code, visible(name, 200), findings, fix=fix)
    check_declared(header, declared, name)


def check_declared(seen: Iterable[str], declared: Declared, name: str) -> None:
    """Raise InputError(invalid_records) for declared columns that are not there."""
    known = list(seen)
    findings = [_missing(key, known) for key in (*declared.by, *declared.features) if key not in known]
    if findings:
        raise InputError.of(
            "invalid_records", visible(name, 200), findings, fix="Name columns that are there."
        )


def _missing(key: str, known: Sequence[str]) -> Finding:
    meant = closest(key, known)
    unit = " (nor any with a unit, such as `start_ms`)" if key == "start" else ""
    hint = f'; did you mean "{visible(meant)}"?' if meant else ""
    return Finding("", "missing_key", f"there is no column `{visible(key)}`{unit}{hint}", (), meant)
