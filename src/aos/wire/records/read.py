"""Recorded runs, version 1 of their format: a stream of CSV or JSONL, read into columns.

One row is one attempt of one step. The columns are `run`, `step`, `skill`, a start, an end or a duration, `cost_cents`
(or `cost_usd`), `outcome`, `code`, `attempt`, `after`, and those that the caller declares; docs/records.md says what
each means. Rows pass through in batches, so a file takes no more memory than its columns. Whatever is wrong is counted,
with the line where it stands first; a row is left out only where nothing could be made of it.
"""

from array import array
from collections.abc import Iterable, Sequence
from itertools import compress, repeat
from typing import NamedTuple

from aos.domain.learning.records import Coded, Flaw, Records
from aos.errors import Finding, InputError
from aos.wire.problems import visible
from aos.wire.records.cells import Cell, Guessed, Names, moments, numbers, texts
from aos.wire.records.codes import is_prose, name_of, without_empty
from aos.wire.records.headers import (
    FIXED,
    OUTCOMES,
    REFUSED,
    ROLES,
    TO_CENTS,
    TO_MS,
    WHERE_REFUSED,
    Declared,
    check_declared,
    check_header,
    check_without,
    in_milliseconds,
    renaming,
    what_to_type,
)
from aos.wire.records.rows import Batch, CsvRows, json_batches

__all__ = ["Declared", "Listed", "nothing_left", "read_csv", "read_jsonl"]

_NAN = float("nan")
_LATEST_MS = 1e14
"""The year 5138: a later start is milliseconds that were called seconds."""
_SLACK_MS, _SLACK = 1_000.0, 0.1
"""How far end minus start may be from the duration before one of the clocks is taken to have jumped."""
_AN_OBJECT_A_LINE = (
    "JSONL has an object a line: `jq -c '.[]' FILE` writes an array so, `jq -c . FILE` longer objects."
)


class Listed(NamedTuple):
    """Records in the order of the file, not yet in that of their start; `lines` is where each of them stands.

    `has_steps` and `has_attempts` say whether the file had these columns, or they were made up: `step` is the skill,
    `attempt` 1.
    """

    records: Records
    lines: "array[int]"
    rows: int
    flaws: tuple[Flaw, ...]
    has_steps: bool
    has_attempts: bool


def read_csv(stream: Iterable[str], declared: Declared, *, name: str) -> Listed:
    """Read CSV with a header. Raises InputError(invalid_records) where it lacks columns that have to be there."""
    columns = _Columns(declared)
    rows = CsvRows(stream)
    header = [declared.name(cell) for cell in rows.header]
    check_header(header, declared, name)
    for batch in rows.batches(header, columns.drop):
        columns.add(batch)
    return columns.listed(name)


def read_jsonl(stream: Iterable[str], declared: Declared, *, name: str) -> Listed:
    """Read one JSON object a line, keyed by column. Raises InputError(invalid_records) for declared ones never seen."""
    columns = _Columns(declared)
    for batch in json_batches(stream, declared, columns.drop):
        columns.add(batch)
    if not columns.seen:
        return columns.listed(name, fix=_AN_OBJECT_A_LINE)
    check_declared(columns.seen, declared, name)
    return columns.listed(name)


def nothing_left(name: str, rows: int, flaws: Sequence[Flaw], fix: str | None = None) -> InputError:
    """The refusal of a file of which no row can be used."""
    refused = (flaw for flaw in flaws if not flaw.kept)
    findings = [Finding("", "malformed", f"line {f.line}, {f.rows:,} in all: {f.detail}") for f in refused]
    what = f"none of its {rows:,} rows can be used" if rows else "there are no rows in it"
    return InputError(
        "invalid_records",
        f"{visible(name, 200)}: {what}",
        findings=findings,
        fix=fix or "Compare it with docs/records.md: columns, units and words.",
    )


# -- columns ---------------------------------------------------------------------------------------------------


class _Columns:
    """The columns while they grow, and what was wrong on the way."""

    def __init__(self, declared: Declared) -> None:
        self.declared = declared
        self.seen: dict[str, None] = {}
        self._rows = 0
        self._flaws: dict[tuple[str, str], Flaw] = {}
        self._left_out: dict[str, None] = {}
        self._lines = array("I")
        self._names = {name: Names() for name in ("run", "step", "skill", "code", "after")}
        self._by = {name: Names() for name in declared.by}
        self._features = {name: array("d") for name in declared.features}
        self._guessed = Guessed() if declared.guess else None
        self._start, self._end, self._cost = array("d"), array("d"), array("d")
        self._failed = bytearray()
        self._attempt = array("i")

    def drop(self, code: str, detail: str, lines: Sequence[int]) -> None:
        """Note rows that never were in a batch."""
        self._rows += len(lines)
        self._note(code, detail, lines, kept=False)

    def add(self, batch: Batch) -> None:
        """Take a batch in: what makes a row useless first, then the rest of those that are left."""
        self.seen.update(dict.fromkeys(batch.cells))
        self._rows += len(batch.lines)
        self._complete(batch)
        outcome, batch = self._outcomes(batch)
        batch, outcome = self._wanted(*self._identified(batch, outcome))
        start, unread = _coalesced(batch, "start")
        late = {i for i, value in enumerate(start) if value > _LATEST_MS}
        bad = {i for i, value in enumerate(start) if value != value} | late
        if bad:
            rows = {"no_start": bad - late - unread, "bad_start": unread, "start_unit": late}
            self._refuse(batch, rows)
            keep = [i not in bad for i in range(len(start))]
            batch, start = _kept(batch, keep), list(compress(start, keep))
            outcome = list(compress(outcome, keep))
        self._append(batch, start, outcome)

    def _complete(self, batch: Batch) -> None:
        """What a file may leave out: the run where each row is one, the skill where it is always the same."""
        cells, count = batch.cells, len(batch.lines)
        if "run" not in cells:
            hint = renaming(batch.cells, self.declared)
            detail = "no column `run`: each row is a run of its own" + (f". {hint}" if hint else "")
            self._note("no_run_column", detail, batch.lines, kept=True)
            cells["run"] = [f"line {line}" for line in batch.lines]
        if self.declared.skill is not None:
            cells["skill"] = [skill or self.declared.skill for skill in texts(cells.get("skill"), count)]

    def listed(self, name: str, fix: str | None = None) -> Listed:
        """All of it. Raises InputError(invalid_records) where not one row is left."""
        check_without(tuple(self._left_out), self.declared, name)
        guessed = self._guessed.coded() if self._guessed is not None else {}
        inside = {path.partition(".")[0] for path in self.declared.paths()}
        ignored = [key for key in self.seen if not (self._asked_for(key) or key in guessed or key in inside)]
        if ignored:
            named = ", ".join(visible(key, 40) for key in ignored[:10])
            self._note("ignored_column", f"nobody asked for {named}", [1], kept=True)
        flaws = tuple(sorted(self._flaws.values(), key=lambda flaw: flaw.line))
        if not self._lines:
            refused = {flaw.code for flaw in flaws if not flaw.kept}
            if refused & {"no_skill", "no_start"}:
                fix = what_to_type(self.seen, self.declared)
            elif refused == {"start_unit"}:
                fix = in_milliseconds(self.seen, self.declared)
            raise nothing_left(name, self._rows, flaws, fix)
        # One after the other: what a column needed to grow is let go before the next one is filled up.
        count, coded = len(self._lines), dict[str, Coded]()
        for key in tuple(self._names):
            names = self._names.pop(key)
            names.pad(count)
            coded[key] = names.coded()
            del names
        self._attempt.extend(repeat(1, count - len(self._attempt)))
        has_steps = "step" in self.seen
        records = Records(
            run=coded["run"],
            step=coded["step"] if has_steps else coded["skill"],
            skill=coded["skill"],
            start_ms=self._start,
            end_ms=self._end,
            cost_cents=self._cost,
            failed=self._failed,
            code=coded["code"],
            attempt=self._attempt,
            after=coded["after"],
            conditions={key: names.coded() for key, names in self._by.items()} | guessed,
            features=self._features,
        )
        return Listed(records, self._lines, self._rows, flaws, has_steps, "attempt" in self.seen)

    def _asked_for(self, key: str) -> bool:
        return key in FIXED or key in self._by or key in self._features

    def _outcomes(self, batch: Batch) -> tuple[list[int | None], Batch]:
        """0 succeeded, 1 failed. An empty cell is a failure if there is a code; skipped steps say nothing of time."""
        codes = without_empty(_texts(batch, "code"))
        words = _texts(batch, "outcome")
        found = list(map(OUTCOMES.get, map(str.lower, words)))
        if None in found:
            found = [
                (1 if code else 0) if not word else value
                for value, word, code in zip(found, words, codes, strict=True)
            ]
        skipped = {i for i, value in enumerate(found) if value == 2}
        bad = {i for i, value in enumerate(found) if value is None}
        if not skipped and not bad:
            return found, batch
        self._refuse(batch, {"skipped": skipped, "bad_outcome": bad})
        keep = [value in (0, 1) for value in found]
        return list(compress(found, keep)), _kept(batch, keep)

    def _identified(self, batch: Batch, outcome: list[int | None]) -> tuple[Batch, list[int | None]]:
        runs, skills = _texts(batch, "run"), _texts(batch, "skill")
        if "" not in runs and "" not in skills:
            return batch, outcome
        nameless = {i for i, run in enumerate(runs) if not run}
        self._refuse(
            batch, {"no_run": nameless, "no_skill": {i for i, s in enumerate(skills) if not s} - nameless}
        )
        keep = [bool(run and skill) for run, skill in zip(runs, skills, strict=True)]
        return _kept(batch, keep), list(compress(outcome, keep))

    def _wanted(self, batch: Batch, outcome: list[int | None]) -> tuple[Batch, list[int | None]]:
        without = set(self.declared.without)
        if not without:
            return batch, outcome
        skills = _texts(batch, "skill")
        spare = {i for i, skill in enumerate(skills) if skill in without}
        self._left_out.update(dict.fromkeys(skills))
        self._refuse(batch, {"without": spare})
        keep = [skill not in without for skill in skills]
        return _kept(batch, keep), list(compress(outcome, keep))

    def _refuse(self, batch: Batch, rows: dict[str, set[int]]) -> None:
        for code, where in rows.items():
            columns = WHERE_REFUSED.get(code, ())
            self._note_cells(code, REFUSED[code], batch, sorted(where), *columns, kept=False)

    def _append(self, batch: Batch, start: list[float], outcome: Sequence[int | None]) -> None:
        if self._guessed is not None:
            spare = {key: cells for key, cells in batch.cells.items() if not self._asked_for(key)}
            self._guessed.extend(spare, len(self._lines), len(batch.lines))
        before = len(self._lines)
        self._lines.extend(batch.lines)
        self._start.extend(start)
        self._end.extend(self._ends(batch, start))
        self._cost.extend(self._costs(batch))
        failed = bytes(value or 0 for value in outcome)
        self._failed += failed
        self._names["code"].extend(self._codes(batch, failed))
        for key in ("run", "skill"):
            self._names[key].extend(_texts(batch, key))
        self._append_rare(batch, before)
        for key, names in self._by.items():
            names.extend(_texts(batch, key))
        for key, column in self._features.items():
            column.extend(self._feature(batch, key))

    def _append_rare(self, batch: Batch, before: int) -> None:
        """Columns that a file need not have take no memory while there is no sign of them."""
        if "attempt" in self.seen:
            self._attempt.extend(repeat(1, before - len(self._attempt)))
            self._attempt.extend(self._attempts(batch))
        if "after" in self.seen:
            self._names["after"].pad(before)
            self._names["after"].extend(_texts(batch, "after"))
        if "step" in self.seen:
            skills = _texts(batch, "skill")
            self._names["step"].pad(before)
            self._names["step"].extend(
                step or skill for step, skill in zip(_texts(batch, "step"), skills, strict=True)
            )

    def _feature(self, batch: Batch, key: str) -> list[float]:
        """Numbers from 0 up; NaN for what is none."""
        values, unread = numbers(batch.cells.get(key) or [None] * len(batch.lines))
        below = [i for i, value in enumerate(values) if value < 0]
        self._note_cells("bad_feature", f"`{key}` is no number from 0 up", batch, sorted(unread + below), key)
        for i in below:
            values[i] = _NAN
        known = set(unread + below)
        missing = [i for i, value in enumerate(values) if value != value and i not in known]
        detail = f"there is no `{key}`: it says nothing of what grows with it"
        self._note_cells("missing_feature", detail, batch, missing)
        return values

    def _ends(self, batch: Batch, start: list[float]) -> list[float]:
        """Ends, from durations where there is no end; NaN where neither can be, or time would run backwards."""
        end, unread = _coalesced(batch, "end")
        took, odd = _coalesced(batch, "duration")
        columns = (*ROLES["end"], *ROLES["duration"])
        self._note_cells(
            "bad_end", "the end or duration can't be read", batch, sorted(unread | odd), *columns
        )
        if any(d == d for d in took):
            jumped = [
                i
                for i, (s, e, d) in enumerate(zip(start, end, took, strict=True))
                if abs(e - s - d) > max(_SLACK_MS, _SLACK * d)
            ]
            detail = "end minus start is not the duration: a clock jumped, and the duration is used"
            self._note_cells("clock_jump", detail, batch, jumped)
            end = [s + d if d == d else e for s, e, d in zip(start, end, took, strict=True)]
        missing = [i for i, e in enumerate(end) if e != e and i not in unread | odd]
        self._note_cells("missing_end", "there is no end: the time it took is unknown", batch, missing)
        backwards = [i for i, (s, e) in enumerate(zip(start, end, strict=True)) if e < s]
        detail = "it ends before it starts: the time it took is unknown"
        self._note_cells("negative_duration", detail, batch, backwards)
        for i in backwards:
            end[i] = _NAN
        return end

    def _costs(self, batch: Batch) -> list[float]:
        cost = [_NAN] * len(batch.lines)
        for key, scale in TO_CENTS.items():
            if key in batch.cells:
                values, unread = numbers(batch.cells[key], scale)
                below = [i for i, value in enumerate(values) if value < 0]
                wrong = sorted(unread + below)
                self._note_cells("bad_cost", "the cost is no number from 0 up", batch, wrong, key)
                for i in below:
                    values[i] = _NAN
                cost = [v if v == v else c for v, c in zip(values, cost, strict=True)]
        return cost

    def _codes(self, batch: Batch, failed: bytes) -> list[str]:
        """The code of every failed row; what a success has there is nobody's failure."""
        if 1 not in failed:
            return [""] * len(failed)
        codes = [
            code or (word if word.isdigit() else "")
            for code, word in zip(without_empty(_texts(batch, "code")), _texts(batch, "outcome"), strict=True)
        ]
        prose = {i: name_of(codes[i]) for i, bad in enumerate(failed) if bad and is_prose(codes[i])}
        self._note_cells(
            "long_code", "a code of more than 64 characters: its first word is taken", batch, [*prose]
        )
        codes = [prose.get(i, code) for i, code in enumerate(codes)]
        untold = [i for i, bad in enumerate(failed) if bad and not codes[i]]
        self._note_cells("no_code", "it failed and does not say how: its code is FAILED", batch, untold)
        return [(code or "FAILED") if bad else "" for code, bad in zip(codes, failed, strict=True)]

    def _attempts(self, batch: Batch) -> list[int]:
        if "attempt" not in batch.cells:
            return [1] * len(batch.lines)
        values, unread = numbers(batch.cells["attempt"])
        bad = unread + [i for i, v in enumerate(values) if not (v != v or (1 <= v < 1e6 and v == int(v)))]
        detail = "attempts count 1, 2, …: it is taken for the first"
        self._note_cells("bad_attempt", detail, batch, sorted(bad), "attempt")
        return [int(v) if v == v and i not in set(bad) else 1 for i, v in enumerate(values)]

    def _note_cells(
        self, code: str, detail: str, batch: Batch, rows: Sequence[int], *columns: str, kept: bool = True
    ) -> None:
        """Note rows in ascending order, with what the first of them has in the first of these columns."""
        cell = next((batch.cells[key][rows[0]] for key in columns if key in batch.cells), "") if rows else ""
        self._note(code, detail, [batch.lines[i] for i in rows], kept=kept, cell=str(cell))

    def _note(self, code: str, detail: str, lines: Sequence[int], *, kept: bool, cell: str = "") -> None:
        if lines:
            shown = f"{detail}: {visible(cell, 60)}" if cell else detail
            first = self._flaws.setdefault((code, detail), Flaw(code, shown, min(lines), 0, kept))
            self._flaws[code, detail] = first._replace(rows=first.rows + len(lines))


def _coalesced(batch: Batch, role: str) -> tuple[list[float], set[int]]:
    """Milliseconds out of the columns of a role, whichever of them a row has; and where none could be read."""
    found, unread = [_NAN] * len(batch.lines), set[int]()
    present = [key for key in ROLES[role] if key in batch.cells]
    for key in present:
        cells = batch.cells[key]
        values, bad = moments(cells) if key == role else numbers(cells, TO_MS[key.removeprefix(role)])
        unread.update(bad)
        found = (
            values if key is present[0] else [f if f == f else v for f, v in zip(found, values, strict=True)]
        )
    return found, {i for i in unread if found[i] != found[i]}


def _texts(batch: Batch, key: str) -> Sequence[str]:
    return texts(batch.cells.get(key), len(batch.lines))


def _kept(batch: Batch, keep: Sequence[bool]) -> Batch:
    cells: dict[str, Sequence[Cell]] = {
        key: list(compress(column, keep)) for key, column in batch.cells.items()
    }
    return Batch(list(compress(batch.lines, keep)), cells)
