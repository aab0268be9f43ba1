"""The columns of recorded runs: names, units and words they may come in, and which have to be there."""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from aos.errors import Finding, InputError
from aos.wire.problems import visible
from aos.wire.shape import closest, did_you_mean

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
    "in_milliseconds",
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
    "start_unit": "the start is past the year 5000: its unit is another, as of `start_ms` or `start_us`",
    "skipped": "the step was skipped: it took no time to learn from",
    "bad_outcome": "the outcome is none of succeeded, failed, skipped",
    "without": "rows of these skills were to be left out",
}
"""What is told of a row that is left out."""

WHERE_REFUSED = {"bad_start": ROLES["start"], "start_unit": ROLES["start"], "bad_outcome": ("outcome",)}
"""The columns whose cell is shown of it."""

_ELSEWHERE = (
    (("run",), ("traceid", "runid", "sessionid", "threadid", "conversationid", "jobid", "requestid")),
    (
        ("skill",),
        (
            *("name", "spanname", "operationname", "operation", "tool", "toolname"),
            *("function", "task", "resource", "model", "label"),
        ),
    ),
    (("start_ns",), ("starttimeunixnano",)),
    (ROLES["start"], ("starttime", "startedat", "timestamp", "createdat", "time", "ts", "date")),
    (("end_ns",), ("endtimeunixnano",)),
    (("duration_ms",), ("latencyms", "elapsedms", "responsetimems", "tookms", "ms", "elapsed")),
    (("duration_s",), ("latencys", "elapseds", "seconds")),
    (ROLES["end"], ("endtime", "endedat", "finishedat", "completedat")),
    (("outcome",), ("statuscode", "status", "success", "state")),
    (("code",), ("httpresponsestatuscode", "responsecode", "errortype", "errorcode", "error", "exitcode")),
    (("cost_usd",), ("totalcost", "usd", "costinusd")),
)
"""What our columns are often called in traces, logs and exports of others: letters and digits alone, small."""

_ALSO = {
    "start": " (nor any with a unit, such as `start_ms`)",
    "end": " (nor how long it took, such as `duration_ms`)",
}
_ODD = re.compile("[^0-9a-z]")
_MOST_LISTED = 20


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

    def paths(self) -> tuple[str, ...]:
        """Columns of the file with dots in their names, which may stand for what is inside of others."""
        return tuple(key for key in (*self.by, *self.features, *self.renamed) if "." in key)

    def name(self, key: str) -> str:
        """What a column of the file is called here."""
        return self.renamed.get(key, key)


def check_header(header: Sequence[str], declared: Declared, name: str) -> None:
    """Raise InputError(missing_key, duplicate_key or invalid_records) for the header of a CSV file."""
    given = header if declared.skill is None else (*header, "skill")
    findings = [
        Finding("", "missing_key", f"there is no column `{key}`{_ALSO.get(key, '')}")
        for key in _lacking(given)
    ]
    twice = [key for key in dict.fromkeys(header) if header.count(key) > 1]
    findings += [Finding("", "duplicate_key", f"the column `{visible(key)}` is there twice") for key in twice]
    if findings:
        raise InputError.of(
            findings[0].code, visible(name, 200), findings, fix=what_to_type(header, declared)
        )
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


def what_to_type(seen: Iterable[str], declared: Declared) -> str:
    """The option that would do if those columns are meant which look like it; where some do not, what there is."""
    known = list(seen)
    pairs = _alike(known)
    told = f"If these are the columns: {_option(pairs, known, declared)}" if pairs else ""
    if told and not _lacking({*known, *pairs.values(), "skill"}):
        return told
    more = ", …" if len(known) > _MOST_LISTED else ""
    columns = ", ".join(visible(key, 60) for key in known[:_MOST_LISTED]) + more
    told = told or "--rename THEIRS=OURS says which is which, and docs/records.md what each is."
    return f"The columns are {columns}. {told}"


def renaming(seen: Iterable[str], declared: Declared) -> str | None:
    """What to type where columns that have to be there may be others that are; None where none looks like it."""
    known = list(seen)
    pairs = _alike(known)
    return f"If these are the columns: {_option(pairs, known, declared)}" if pairs else None


def in_milliseconds(seen: Iterable[str], declared: Declared) -> str:
    """What to type where the starts are too late to be seconds."""
    theirs = next((theirs for theirs, ours in declared.renamed.items() if ours == "start"), "start")
    return f"If they are milliseconds: {_option({theirs: 'start_ms'}, list(seen), declared)}"


def _lacking(known: Container[str]) -> list[str]:
    """Columns that have to be there and are not."""
    roles = (("skill",), ROLES["start"], (*ROLES["end"], *ROLES["duration"]))
    return [either[0] for either in roles if not any(key in known for key in either)]


def _alike(known: Sequence[str]) -> dict[str, str]:
    """Columns that look like some of ours that are not there, and which they would be."""
    there = {_ODD.sub("", key.lower()): key for key in reversed(known)}
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
    return pairs


def _option(pairs: Mapping[str, str], known: Sequence[str], declared: Declared) -> str:
    """The whole option, with what was renamed already. Quoted last: wherever a line breaks, it is one command."""
    both = {**declared.renamed, **pairs}
    named = ", ".join(f"{visible(theirs, 60)}={ours}" for theirs, ours in both.items())
    unnamed = declared.skill is None and "skill" not in {*known, *pairs.values()}
    return f"{'--skill NAME ' if unnamed else ''}--rename '{named}'"


def check_without(skills: Sequence[str], declared: Declared, name: str) -> None:
    """Raise InputError(invalid_records) for skills that were to be left out and are not there."""
    findings = [_absent(skill, skills) for skill in declared.without if skill not in skills]
    if findings:
        raise InputError.of(
            "invalid_records", visible(name, 200), findings, fix="Name skills that are there."
        )


def _absent(skill: str, known: Sequence[str]) -> Finding:
    meant = closest(skill, known)
    detail = f"no row has the skill {visible(skill)}{did_you_mean(meant)}"
    return Finding("", "missing_key", detail, (), meant)


def _missing(key: str, known: Sequence[str]) -> Finding:
    meant = closest(key, known)
    detail = f"there is no column `{visible(key)}`{did_you_mean(meant)}"
    return Finding("", "missing_key", detail, (), meant)
