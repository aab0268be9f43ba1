"""Runs on their way from one ledger to another, as lines of JSON that can be checked.

The first line says what it is, the last how many lines of each kind there were and the SHA-256 of all before it, so a
file that was cut or edited is refused whole. Entries keep the hashes of the ledger they come from; where they are taken
in they are sealed anew.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from aos.errors import AosError
from aos.ledger.apply import OverBudget, Unfitting, apply
from aos.ledger.connection import connect, failures, transaction
from aos.ledger.entries import Entry, seal
from aos.ledger.state import head, read_state
from aos.wire.problems import visible
from aos.wire.results.documents import envelope
from aos.wire.strict import parse

__all__ = ["Imported", "export_lines", "import_lines"]

_SCHEMA = "aos.ledger-export/1"
_AGAIN = "Export the runs again; nothing was taken in."
_MOST = 256 * 1024 * 1024
"""Bytes of a line: what a skill returns is bounded, and far smaller."""
_NAMED = ("plan", "simulation", "result", "output")


class Imported(NamedTuple):
    """The runs that were taken in, and those whose ids were there already: these stay as they are."""

    taken: tuple[str, ...]
    known: tuple[str, ...]


# -- out ---------------------------------------------------------------------------------------------------------


def export_lines(db: sqlite3.Connection, runs: Sequence[str] = ()) -> Iterator[str]:
    """The whole ledger, or the runs named, a line at a time and without line ends."""
    summed, counts = hashlib.sha256(), {"content": 0, "entry": 0}
    for line in _lines(db, set(runs)):
        for kind in counts:
            counts[kind] += kind in line
        text = json.dumps(line, separators=(",", ":"))
        summed.update(text.encode() + b"\n")
        yield text
    yield json.dumps({"end": {**counts, "sha256": summed.hexdigest()}}, separators=(",", ":"))


def _lines(db: sqlite3.Connection, runs: set[str]) -> Iterator[dict[str, Any]]:
    """Each value stands before the first entry that names it."""
    yield envelope(_SCHEMA)
    told = set[str]()
    previous = ""
    for row in db.execute("SELECT seq, run, kind, body, hash FROM entries ORDER BY seq"):
        entry = Entry(*row)
        if not runs or entry.run in runs:
            for digest in _named(entry.fields):
                if digest not in told:
                    told.add(digest)
                    found = db.execute("SELECT json FROM content WHERE digest = ?", (digest,)).fetchone()
                    if found is None:
                        raise AosError("ledger_damaged", f"the content {digest[:12]} is missing")
                    yield {"content": digest, "json": found[0]}
            yield {"entry": {**entry._asdict(), "previous": previous}}
        previous = entry.hash


def _named(body: Any) -> list[str]:
    return [body[key] for key in _NAMED if isinstance(body.get(key), str)]


# -- in ----------------------------------------------------------------------------------------------------------


def import_lines(path: Path, lines: Iterable[bytes], *, name: str) -> Imported:
    """Take the runs of an export into the ledger at `path`, all or none of them; `name` is what people call the file.

    Raises AosError: ledger_damaged where the file is not what was exported, unreadable where it is no export.
    """
    with failures(path), closing(connect(path, write=True)) as db, transaction(db):
        intake = _Intake(db, name)
        for number, line in enumerate(lines, 1):
            intake.line(number, line)
        return intake.whole()


class _Intake:
    """Lines taken in so far."""

    def __init__(self, db: sqlite3.Connection, name: str) -> None:
        self._db = db
        self._name = visible(name, 200)
        self._known = {row[0] for row in db.execute("SELECT id FROM runs")}
        self._seq, self._previous = head(db)
        self._summed = hashlib.sha256()
        self._counts = {"content": 0, "entry": 0}
        self._ended = False
        self._content: dict[str, str] = {}
        self._runs: dict[str, None] = {}
        self._skipped: dict[str, None] = {}

    def line(self, number: int, line: bytes) -> None:
        document = parse(
            line, "json", name=f"{self._name}, line {number}", max_bytes=_MOST, code="unreadable"
        )
        try:
            self._line(number, document)
        except (Unfitting, OverBudget, ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._damaged(number, str(error) or type(error).__name__) from None
        self._summed.update(line.rstrip(b"\r\n") + b"\n")

    def whole(self) -> Imported:
        """What was taken in. Raises AosError(ledger_damaged) where the end is missing."""
        if not self._ended:
            raise AosError("ledger_damaged", f"{self._name}: the end is missing", fix=_AGAIN)
        try:
            for run in self._runs:
                read_state(self._db, run)
        except (ValueError, KeyError, TypeError, AttributeError, AssertionError) as error:
            detail = f"{self._name}: a run can't be read: {error}"
            raise AosError("ledger_damaged", detail, fix=_AGAIN) from None
        return Imported(tuple(self._runs), tuple(self._skipped))

    def _line(self, number: int, line: Any) -> None:
        if number == 1:
            if not isinstance(line, dict) or line.get("schema") != _SCHEMA:
                raise AosError("unreadable", f"{self._name} is no export of a ledger")
        elif self._ended:
            raise ValueError("it stands after the end")
        elif "content" in line:
            self._counts["content"] += 1
            if hashlib.sha256(line["json"].encode()).hexdigest() != line["content"]:
                raise ValueError("the content is not what was exported")
            json.loads(line["json"])
            self._content[line["content"]] = line["json"]
        elif "entry" in line:
            self._counts["entry"] += 1
            self._entry(**line["entry"])
        else:
            self._ended = True
            if line["end"] != {**self._counts, "sha256": self._summed.hexdigest()}:
                raise ValueError("the lines before are not those that were exported")

    def _entry(self, seq: int, run: str, kind: str, body: str, hash: str, previous: str) -> None:
        if seal(seq, run, kind, body, previous or "0" * 64).hash != hash:
            raise ValueError("the entry is not what was exported")
        if not run:
            return
        if run in self._known:
            self._skipped[run] = None
            return
        self._runs[run] = None
        fields = json.loads(body)
        for digest in _named(fields):
            self._db.execute("INSERT OR IGNORE INTO content VALUES (?, ?)", (digest, self._content[digest]))
        entry = seal(self._seq + 1, run, kind, fields, self._previous)
        self._db.execute("INSERT INTO entries (seq, run, kind, body, hash) VALUES (?, ?, ?, ?, ?)", entry)
        apply(self._db, [(entry, fields)])
        self._seq, self._previous = entry.seq, entry.hash

    def _damaged(self, number: int, why: str) -> AosError:
        return AosError(
            "ledger_damaged",
            f"{self._name}, line {number}: {visible(why, 200)}",
            fix=_AGAIN,
        )
