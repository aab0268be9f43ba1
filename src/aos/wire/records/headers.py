"""The columns of recorded runs: names, units and words they may come in, and which have to be there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from aos.errors import Finding, InputError
from aos.wire.problems import visible
from aos.wire.shape import closest

__all__ = [
    "FIXED",
    "OUTCOMES",
    "REFUSED",
    "ROLES",
    "TO_CENTS",
    "TO_MS",
    "Declared",
    "check_declared",
    "check_header",
    "check_without",
    "renaming",
]

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

OUTCOMES = {
    **dict.fromkeys(("succeeded", "success", "ok", "true", "completed", "unset", "status_code_ok"), 0),
    **dict.fromkeys(("failed", "failure", "error", "false", "status_code_error"), 1),
    "status_code_unset": 0,
    "skipped": 2,
    "": None,
    **{str(status): int(status >= 400) for status in range(100, 600)},
}
"""Words in small letters, ours and those of traces, and statuses of HTTP: 0 succeeded, 1 failed, 2 skipped."""

REFUSED = {
    "no_run": "no run is named",
    "no_skill": "no skill is named",
    "no_start": "there is no start",
    "bad_start": "the start can't be read",
    "start_unit": "the start is past the year 5000: is the unit the one of the column, `start_ms`, `start_us`, …?",
    "skipped": "the step was skipped: it took no time to learn from",
    "bad_outcome": "the outcome is none of succeeded, failed, skipped",
    "without": "rows of these skills were to be left out",
}
"""What is told of a row that is left out."""

_ELSEWHERE = (
    (("run",), ("trace_id", "traceid", "run_id", "session_id", "thread_id", "conversation_id", "job_id")),
    (("skill",), ("name", "span_name", "operation_name", "operation", "tool", "function", "task", "model")),
    (("start_ns",), ("start_time_unix_nano", "starttimeunixnano")),
    (
        ROLES["start"],
        ("start_time", "starttime", "started_at", "timestamp", "created_at", "time", "ts", "date"),
    ),
    (("end_ns",), ("end_time_unix_nano", "endtimeunixnano")),
    (("duration_ms",), ("latency_ms", "elapsed_ms", "response_time_ms", "took_ms", "ms")),
    (ROLES["end"], ("end_time", "endtime", "ended_at", "finished_at", "completed_at")),
    (("outcome",), ("status_code", "status", "success", "state")),
    (("code",), ("http.response.status_code", "error.type", "error_type", "error_code", "error")),
    (("cost_usd",), ("total_cost", "totalcost")),
)
"""What our columns are often called in traces, logs and exports of others."""


class Declared(NamedTuple):
    """Columns that only the caller knows the meaning of: conditions that split a skill, numbers known beforehand.

    With `guess`, every column of few values that nobody asked for is read as a condition that may be one. `renamed` is
    what columns of the file are called here, `skill` what rows call that do not say it, and rows of the skills named
    in `without` are left out.
    """

    by: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    guess: bool = False
    renamed: Mapping[str, str] = {}
    skill: str | None = None
    without: tuple[str, ...] = ()

    def name(self, key: str) -> str:
        """What a column of the file is called here."""
        return self.renamed.get(key, key)


def check_header(header: Sequence[str], declared: Declared, name: str) -> None:
    """Raise InputError(missing_key, duplicate_key or invalid_records) for the header of a CSV file."""
    findings = [_missing("skill", header)] if "skill" not in header and declared.skill is None else []
    for either in (ROLES["start"], (*ROLES["end"], *ROLES["duration"])):
        if not set(either).intersection(header):
            findings.append(_missing(either[0], header))
    twice = [key for key in dict.fromkeys(header) if header.count(key) > 1]
    findings += [Finding("", "duplicate_key", f"the column `{visible(key)}` is there twice") for key in twice]
    if findings:
        fix = (
            renaming(header, declared)
            or "docs/records.md describes the columns; the first line has to name them."
        )
        raise InputError.of(findings[0].code, visible(name, 200), findings, fix=fix)
    check_declared(header, declared, name)


def check_declared(seen: Iterable[str], declared: Declared, name: str) -> None:
    """Raise InputError(invalid_records) for declared columns that are not there."""
    known = list(seen)
    wanted = (*((key, key) for key in (*declared.by, *declared.features)), *declared.renamed.items())
    findings = [_missing(theirs, known) for theirs, ours in wanted if ours not in known]
    if findings:
        raise InputError.of(
            "invalid_records", visible(name, 200), findings, fix="Name columns that are there."
        )


def renaming(seen: Iterable[str], declared: Declared) -> str | None:
    """What to type where columns that have to be there may be others that are; None where none looks like it."""
    known = list(seen)
    there = {key.lower(): key for key in reversed(known)}
    pairs = dict[str, str]()
    for ours, theirs in _ELSEWHERE:
        of_role = next((keys for keys in ROLES.values() if ours[0] in keys), ours)
        if ours[0].startswith(("end", "duration")):
            of_role = (*ROLES["end"], *ROLES["duration"])
        elif ours[0] in TO_CENTS:
            of_role = tuple(TO_CENTS)
        found = next((there[key] for key in theirs if key in there), None)
        if found and not {*known, *pairs.values()}.intersection(of_role):
            pairs[found] = ours[0]
    if not pairs:
        return None
    named = ", ".join(f"{visible(theirs, 60)}={ours}" for theirs, ours in pairs.items())
    unnamed = declared.skill is None and "skill" not in {*known, *pairs.values()}
    # Quoted last: wherever a terminal breaks it, what is copied is one command.
    return f"If these are the columns: {'--skill NAME ' if unnamed else ''}--rename '{named}'"


def check_without(skills: Sequence[str], declared: Declared, name: str) -> None:
    """Raise InputError(invalid_records) for skills that were to be left out and are not there."""
    findings = [_absent(skill, skills) for skill in declared.without if skill not in skills]
    if findings:
        raise InputError.of(
            "invalid_records", visible(name, 200), findings, fix="Name skills that are there."
        )


def _absent(skill: str, known: Sequence[str]) -> Finding:
    meant = closest(skill, known)
    hint = f'; did you mean "{visible(meant)}"?' if meant else ""
    return Finding("", "missing_key", f"no row has the skill {visible(skill)}{hint}", (), meant)


def _missing(key: str, known: Sequence[str]) -> Finding:
    meant = closest(key, known)
    unit = " (nor any with a unit, such as `start_ms`)" if key == "start" else ""
    hint = f'; did you mean "{visible(meant)}"?' if meant else ""
    return Finding("", "missing_key", f"there is no column `{visible(key)}`{unit}{hint}", (), meant)
