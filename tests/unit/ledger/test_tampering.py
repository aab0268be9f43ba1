"""Whoever changes a ledger is found out, and told where."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from aos.errors import AosError
from aos.ledger.entries import Entry, seal
from aos.ledger.ledger import Ledger
from aos.ledger.schema import migrate
from aos.ledger.verify import Anchor, verify
from tests.unit.ledger.build import intent, start, write_run

KEYS = {
    "entries": "seq",
    "content": "digest",
    "runs": "id",
    "attempts": "run || step || item || iteration || attempt",
}


def _columns() -> list[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        migrate(db)
        return [(table, column[1]) for table in KEYS for column in db.execute(f"PRAGMA table_info({table})")]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("honest") / "ledger.db"
    with Ledger(path) as ledger:
        write_run(ledger, "r1")
        write_run(ledger, "r2", budget=None)
        ledger.score("r1", {"time": {"percentile": 0.4}})
    return path


@pytest.fixture
def path(tmp_path: Path, honest: Path) -> Path:
    return Path(shutil.copy(honest, tmp_path))


def tamper(path: Path, *statements: str) -> None:
    """As somebody would who knows SQLite: the triggers are gone meanwhile, and back afterwards."""
    db = sqlite3.connect(path, isolation_level=None)
    triggers = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        db.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        assert db.execute(statement).rowcount
    for _, sql in triggers:
        db.execute(sql)
    db.close()


def places(path: Path) -> list[str]:
    return [damage.where for damage in verify(path).damage]


def test_an_honest_ledger_has_no_damage(path: Path) -> None:
    check = verify(path)
    assert (check.damage, check.entries, check.runs) == ((), 22, 2)


@pytest.mark.parametrize(("table", "column"), _columns())
def test_every_column_is_guarded(path: Path, table: str, column: str) -> None:
    key = KEYS[table]
    with closing(sqlite3.connect(path)) as db:
        types = {row[1]: row[2] for row in db.execute(f"PRAGMA table_info({table})")}
        row, value = db.execute(
            f"SELECT {key}, {column} FROM {table} ORDER BY {column} IS NULL, {key} DESC"
        ).fetchone()
    other = f"'{value}x'" if types[column] == "TEXT" else f"{(value or 0) + 1_000}"
    tamper(path, f"UPDATE {table} SET {column} = {other} WHERE {key} = {row!r}")
    assert places(path)


@pytest.mark.parametrize("table", KEYS)
def test_a_row_taken_out_is_missed(path: Path, table: str) -> None:
    key = KEYS[table]
    tamper(path, f"DELETE FROM {table} WHERE {key} = (SELECT min({key}) FROM {table})")
    assert places(path)


def test_it_is_said_which_entries_are_missing(path: Path) -> None:
    tamper(path, "DELETE FROM entries WHERE seq IN (5, 6)")
    assert places(path)[0] == "entries 5 to 6"


def test_an_entry_that_was_changed_is_named(path: Path) -> None:
    tamper(path, """UPDATE entries SET body = replace(body, '"100.25"', '1') || ' ' WHERE seq = 6""")
    assert places(path) == ["entry 6"]


def test_an_entry_forged_with_its_hash_breaks_the_next(path: Path) -> None:
    """Whoever knows how entries are sealed, and mends the tables too, has to write all that follow anew."""
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT seq, run, kind, body, hash FROM entries WHERE seq IN (5, 6)").fetchall()
    before, entry = (Entry(*row) for row in rows)
    forged = seal(6, entry.run, entry.kind, entry.body.replace("100.25", "1"), before.hash)
    tamper(
        path,
        f"UPDATE entries SET body = '{forged.body}', hash = '{forged.hash}' WHERE seq = 6",
        f"UPDATE attempts SET latency_ms = 1 WHERE settled = {entry.seq}",
    )
    assert places(path) == ["entry 7"]


def test_two_entries_that_changed_places_are_named(path: Path) -> None:
    tamper(
        path,
        "UPDATE entries SET seq = -3 WHERE seq = 3",
        "UPDATE entries SET seq = 3 WHERE seq = 5",
        "UPDATE entries SET seq = 5 WHERE seq = -3",
    )
    assert {"entry 3", "entry 5"} <= set(places(path))


@pytest.mark.parametrize("cut", range(2, 23))
def test_a_cut_tail_is_found(path: Path, cut: int) -> None:
    tamper(path, f"DELETE FROM entries WHERE seq >= {cut}")
    assert places(path)


def test_a_ledger_written_anew_is_found_by_who_noted_its_head(path: Path, tmp_path: Path) -> None:
    noted = verify(path)
    other = tmp_path / "other.db"
    with Ledger(other) as ledger:
        write_run(ledger, "r1")
    assert not verify(other).damage
    found = verify(other, Anchor(noted.entries, noted.head)).damage
    assert found[0].where == "entries 12 to 22"
    assert verify(other, Anchor(3, noted.head)).damage[0].where == "entry 3"
    assert not verify(path, Anchor(noted.entries, noted.head)).damage


def test_an_index_that_lies_is_found(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("DROP INDEX failures")
    db.commit()
    db.close()
    assert places(path) == ["file"]


def test_nothing_is_added_to_a_chain_whose_end_does_not_hold(path: Path) -> None:
    tamper(path, "UPDATE entries SET body = '{}' WHERE seq = 22")
    with pytest.raises(AosError) as refused:
        Ledger(path)
    assert refused.value.code == "ledger_damaged"
    assert "entry 22" in refused.value.detail


def test_an_unknown_attempt_is_no_damage(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.begin(start("r3"))
        ledger.intend(intent(run="r3"))
    assert not verify(path).damage
