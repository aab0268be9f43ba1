"""Whether a ledger is what was written to it, and if not, where it differs.

The chain tells whether the entries are; the tables made from them are made once more and compared. A cut tail shows as
rows that no entry made.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from aos.domain.runs.recorded import Damage, LedgerCheck
from aos.ledger.apply import OverBudget, Unfitting, apply
from aos.ledger.connection import failures, snapshot
from aos.ledger.entries import GENESIS, Entry, seal
from aos.ledger.schema import migrate, shape

__all__ = ["Anchor", "verify"]

_MOST = 1_000
"""Places that are told; where there are more, nobody reads on."""
_MADE = ("runs", "attempts")
_CONTENT = ("plan", "simulation", "result", "output")


class Anchor(NamedTuple):
    """An entry's number and hash, noted elsewhere."""

    seq: int
    hash: str


def verify(path: Path, anchor: Anchor | None = None) -> LedgerCheck:
    """Check the whole ledger at `path`, as it is at one moment; writers wait only while it is copied.

    Raises AosError: unreadable, ledger_foreign, and ledger_damaged where SQLite itself can't read the file.
    """
    again = sqlite3.connect(":memory:", isolation_level=None)
    with failures(path, reading=True), closing(again), closing(snapshot(path)) as copy:
        copy.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        walk = _Walk(copy, again)
        damage = [found for found, _ in zip(walk.damage(anchor), range(_MOST), strict=False)]
        return LedgerCheck(walk.entries, walk.runs, walk.previous, tuple(damage))


class _Walk:
    """One walk along the chain, making the tables anew on the way, in `again`."""

    def __init__(self, db: sqlite3.Connection, again: sqlite3.Connection) -> None:
        self._db, self._again = db, again
        migrate(self._again)
        self._named: set[str] = set()
        self._fits = True
        self.entries = self.runs = 0
        self.previous = GENESIS

    def damage(self, anchor: Anchor | None) -> Iterator[Damage]:
        yield from self._file()
        yield from self._chain(anchor)
        yield from self._content()
        if self._fits:  # else what was made anew says nothing
            for table in _MADE:
                yield from self._table(table)

    def _file(self) -> Iterator[Damage]:
        for (line,) in self._db.execute("PRAGMA integrity_check(20)"):
            if line != "ok":
                yield Damage("file", line)
        expected, found = dict(_statements(self._again)), dict(_statements(self._db))
        for name in sorted(expected.keys() | found.keys()):
            if expected.get(name) != found.get(name):
                yield Damage("file", f"{name} is not as it was made")

    def _chain(self, anchor: Anchor | None) -> Iterator[Damage]:
        expected = 1
        for row in self._db.execute("SELECT seq, run, kind, body, hash FROM entries ORDER BY seq"):
            entry = Entry(*row)
            if entry.seq != expected:
                yield Damage(_span(expected, entry.seq - 1), "missing")
                self._fits = False
            elif not _holds(entry, self.previous):
                yield Damage(f"entry {entry.seq}", "not what was written, or not in its place")
            yield from self._replay(entry)
            if anchor and anchor.seq == entry.seq and anchor.hash != entry.hash:
                yield Damage(
                    f"entry {entry.seq}", "another one than the one noted: the ledger was written anew"
                )
            self.previous, expected = entry.hash, entry.seq + 1
            self.entries += 1
            self.runs += entry.kind == "begun"
        if not self.entries:
            yield Damage("entry 1", "missing: there is no entry at all")
        if anchor and anchor.seq >= expected:
            yield Damage(_span(expected, anchor.seq), "missing: one of them was noted")

    def _replay(self, entry: Entry) -> Iterator[Damage]:
        try:
            body = json.loads(entry.body)
            self._named.update(body[key] for key in _CONTENT if isinstance(body.get(key), str))
            if self._fits:
                apply(self._again, [(entry, body)])
        except (
            Unfitting,
            OverBudget,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            sqlite3.Error,
        ) as error:
            self._fits = False
            why = str(error) or "it is over the run's budget"
            yield Damage(f"entry {entry.seq}", f"does not follow from those before: {why}")

    def _content(self) -> Iterator[Damage]:
        found = set[str]()
        for digest, text in self._db.execute("SELECT digest, json FROM content ORDER BY digest"):
            found.add(digest)
            if hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest() != digest:
                yield Damage(f"content {digest[:12]}", "not what was written")
            elif digest not in self._named:
                yield Damage(f"content {digest[:12]}", "no entry names it; one may be missing")
        for digest in sorted(self._named - found):
            yield Damage(f"content {digest[:12]}", "missing")

    def _table(self, table: str) -> Iterator[Damage]:
        made, found = _rows(self._again, table), _rows(self._db, table)
        for key in sorted(made.keys() | found.keys(), key=repr):
            where = f"{table} {'/'.join(map(str, key))}"
            if key not in found:
                yield Damage(where, "missing, though entries tell of it")
            elif key not in made:
                yield Damage(where, "no entry tells of it: some at the end are missing, or it was put in")
            else:
                differ = [name for name, value in made[key].items() if found[key].get(name) != value]
                if differ:
                    yield Damage(where, f"not as the entries tell: {', '.join(differ)}")


def _holds(entry: Entry, previous: str) -> bool:
    try:
        return seal(entry.seq, entry.run, entry.kind, entry.body, previous) == entry
    except ValueError:
        return False


def _statements(db: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for type, name, statement in shape(db):
        yield f"{type} {name}", statement


def _rows(db: sqlite3.Connection, table: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The rows of a table made from entries, by its key."""
    key = {
        "runs": ("id",),
        "attempts": ("run", "step", "item", "iteration", "attempt"),
    }
    cursor = db.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor]
    return {tuple(row[name] for name in key[table]): row for row in rows}


def _span(first: int, last: int) -> str:
    return f"entry {first}" if first == last else f"entries {first} to {last}"
