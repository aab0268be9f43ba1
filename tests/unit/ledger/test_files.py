"""Whatever lies where the ledger should be: it is told by its name, and not touched."""

import os
import resource
import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from aos.errors import AosError, Exit
from aos.ledger.connection import connect, create
from aos.ledger.ledger import Ledger
from aos.ledger.schema import VERSION
from aos.ledger.state import read_state
from aos.ledger.verify import verify
from tests.unit.ledger.build import intent, opened, start, step_end, write_run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        write_run(ledger)
    return path


def refused(path: Path) -> AosError:
    """How opening fails, which has changed nothing."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(AosError) as error:
        Ledger(path)
    assert str(path) in error.value.detail
    assert before is None or path.read_bytes() == before
    return error.value


def test_an_empty_file_is_damage_not_a_new_ledger(path: Path) -> None:
    path.write_bytes(b"")
    assert refused(path).code == "ledger_damaged"


@pytest.mark.parametrize("content", [b"run,step\n" * 100, b"{}", bytes(4096)])
def test_a_file_of_another_kind(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert refused(path).code in ("ledger_foreign", "ledger_damaged")


def test_another_database_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE runs (id)")
    error = refused(path)
    assert (error.code, error.row.exit) == ("ledger_foreign", Exit.DAMAGED)


def test_a_later_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    error = refused(path)
    assert error.code == "ledger_foreign"
    assert "99" in error.detail


@pytest.fixture
def older(tmp_path: Path) -> Path:
    path = tmp_path / "older.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript((Path(__file__).parent / "version_1.sql").read_text())
    return path


def test_an_older_ledger_is_read_and_checked_as_it_is(older: Path) -> None:
    before = older.read_bytes()
    check = verify(older)
    assert (check.damage, check.runs) == ((), 1)
    with closing(connect(older, write=False)) as db:
        assert read_state(db, "r1").steps == {"s1": step_end(output={"n": 1})}
    assert older.read_bytes() == before


def test_an_older_ledger_goes_on_as_one_of_today(older: Path) -> None:
    with Ledger(older) as ledger:
        state = ledger.resume("r1", 3_000.0, Decimal(20))
        assert [bool(one.outcome and one.outcome.success) for one in state.attempts] == [False, True]
        assert state.steps == {"s1": step_end(output={"n": 1})}
        assert ledger.intend(intent("s2"))
    with opened(older) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert not verify(older).damage


def test_a_file_cut_off(path: Path) -> None:
    whole = path.read_bytes()
    for size in (1, 99, 100, 4096, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert _damaged(path), size


def _damaged(path: Path) -> bool:
    try:
        return bool(verify(path).damage)
    except AosError as error:
        return error.row.exit == Exit.DAMAGED


def test_a_folder_and_a_path_below_a_file(tmp_path: Path, path: Path) -> None:
    assert refused(tmp_path).row.exit == Exit.WRITE_FAILED
    assert refused(path / "ledger.db").row.exit == Exit.WRITE_FAILED


def test_reading_what_is_not_there_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(AosError) as error:
        connect(tmp_path / "none.db", write=False)
    assert error.value.code == "unreadable"
    assert not list(tmp_path.iterdir())


def test_only_its_owner_can_read_it(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert {entry.stat().st_mode & 0o777 for entry in path.parent.iterdir()} == {0o600}
    assert {entry.name for entry in path.parent.iterdir()} == {"ledger.db", "ledger.db-claims"}


def test_the_first_of_two_that_make_it_wins(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    create(path)
    first = path.read_bytes()
    create(path)
    assert path.read_bytes() == first


def test_it_can_be_moved_and_copied(path: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copy(path, tmp_path / "copy with spaces & ümlaut?#%.db"))
    with Ledger(moved) as ledger:
        ledger.begin(start("r2"))
    assert verify(moved).runs == 2
    assert verify(path).runs == 1


def test_what_a_killed_process_left_is_rolled_back(path: Path) -> None:
    """A process that dies in the middle of a write leaves a journal; whoever comes next undoes the half."""
    child = os.fork()
    if not child:
        db = connect(path, write=True)
        db.execute("PRAGMA cache_spill = 1")
        db.execute("PRAGMA cache_size = 1")
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE runs SET spent_micro = 0")
        for n in range(200):
            db.execute("INSERT INTO content VALUES (?, ?)", (str(n), "x" * 1000))
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert path.with_name("ledger.db-journal").exists()
    assert not verify(path).damage


def test_a_file_that_can_t_grow_is_12_and_stays_whole(path: Path) -> None:
    """As on a full disk: what was confirmed is there, what failed is not, and nothing is half."""
    confirmed, wants = os.pipe()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 50_000,) * 2)
        os._exit(_fill(path, wants))
    os.close(wants)
    with open(confirmed) as told:  # noqa: PTH123
        runs = told.read().split()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == Exit.WRITE_FAILED
    check = verify(path)
    assert (check.damage, check.runs) == ((), 1 + len(runs))
    with Ledger(path) as ledger:
        assert [ledger.state(run).start.id for run in runs] == runs
        ledger.begin(start("later"))


def _fill(path: Path, wants: int) -> int:
    """Begin runs until that fails; its exit status."""
    try:
        with Ledger(path) as ledger:
            for n in range(10_000):
                ledger.begin(start(f"n{n}")._replace(simulation="x" * n))
                os.write(wants, f"n{n}\n".encode())
    except AosError as error:
        return error.row.exit if str(path) in error.detail else 1
    return 0
