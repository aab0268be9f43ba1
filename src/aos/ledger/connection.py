"""The file: made whole or not at all, opened only if it is a ledger, and every failure of SQLite by its name here."""

import os
import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from aos.errors import AosError
from aos.ledger.schema import VERSION, is_ledger, migrate
from aos.wire.problems import visible

__all__ = ["connect", "create", "default_path", "failures", "kept_if_sound", "snapshot", "transaction"]

_BUSY_S = 120.0
"""How long a writer waits for the others. Each holds the file for milliseconds."""


def default_path() -> Path:
    """Where the ledger is unless somebody says otherwise: the platform's folder for a user's data."""
    from platformdirs import user_data_path

    return user_data_path("aos", appauthor=False) / "ledger.db"


def create(path: Path) -> None:
    """Make an empty ledger, readable by its owner alone. Where one came to be meanwhile, that one stays.

    It is made under another name and linked into place, so an empty or half-made file at `path` is always damage.
    Raises AosError(write_failed).
    """
    import tempfile
    import uuid

    from aos.ledger.entries import GENESIS, seal

    with failures(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        try:
            with closing(_raw(Path(draft), "rw")) as db, transaction(db):
                migrate(db)
                opened = {"ledger": str(uuid.uuid4()), "at_ms": round(time.time() * 1000)}
                first = seal(1, "", "opened", opened, GENESIS)
                db.execute("INSERT INTO entries (seq, run, kind, body, hash) VALUES (?, ?, ?, ?, ?)", first)
            try:
                os.link(draft, path)
            except FileExistsError:
                return
            _sync_folder(path.parent)
        finally:
            Path(draft).unlink(missing_ok=True)


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open the ledger at `path`, which exists; to write in it, an older one is first brought to today's version.

    Where nothing is to be written, a file that may not be written will do, as long as no unfinished write of a killed
    process waits in it. Raises AosError: ledger_damaged, ledger_foreign, ledger_busy, write_failed, unreadable.
    """
    with failures(path, reading=not write):
        if path.stat().st_size == 0:
            raise AosError("ledger_damaged", f"{_shown(path)} is empty: a ledger never is")
        writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
        if write and not writable:
            raise AosError("write_failed", f"{_shown(path)} may not be written by you")
        db = _raw(path, "rw" if writable else "ro")
        with kept_if_sound(db):
            _check(db, path, write)
        return db


def snapshot(path: Path) -> sqlite3.Connection:
    """A copy of the ledger as it is now, of today's version, so that a long look keeps no writer waiting.

    Raises as `connect` does.
    """
    copy = sqlite3.connect("", isolation_level=None)
    with kept_if_sound(copy):
        with closing(connect(path, write=False)) as db:
            db.backup(copy)
        if is_ledger(copy) != VERSION:
            migrate(copy)
    return copy


@contextmanager
def kept_if_sound(db: sqlite3.Connection) -> Generator[None]:
    """What is found wrong within it closes the connection."""
    try:
        yield
    except BaseException:
        db.close()
        raise


def _check(db: sqlite3.Connection, path: Path, write: bool) -> None:
    version = is_ledger(db)
    if version is None or not 1 <= version <= VERSION:
        of = "is no ledger" if not version else f"is of version {version}; this aos reads up to {VERSION}"
        raise AosError("ledger_foreign", f"{_shown(path)} {of}")
    if version < VERSION and write:
        with transaction(db):
            if is_ledger(db) != VERSION:
                migrate(db)


def _raw(path: Path, mode: str) -> sqlite3.Connection:
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=_BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )
    if mode != "ro":
        with kept_if_sound(db):
            db.execute("PRAGMA journal_mode = DELETE")
            db.execute("PRAGMA synchronous = FULL")
    return db


class transaction:  # a class, as `failures`: a run goes through both at every step
    """Everything inside or nothing. Takes the write lock at once: asking for it later fails under contention."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, *raised: Any) -> None:
        self._db.__exit__(*raised)  # commits, or rolls back whatever is raised


class failures:
    """Failures of SQLite and of the file system as an AosError that names the file and what to do."""

    def __init__(self, path: Path, *, reading: bool = False) -> None:
        self._path, self._reading = path, reading

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        # A ProgrammingError is a fault of our own.
        if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.ProgrammingError):
            raise AosError(_code(error, self._reading), f"{_shown(self._path)}: {error}") from None
        if isinstance(error, OSError):
            code = "unreadable" if self._reading else "write_failed"
            raise AosError(code, f"{_shown(self._path)}: {error.strerror or error}") from None


def _code(error: sqlite3.Error, reading: bool) -> str:
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    match primary:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "ledger_busy"
        case sqlite3.SQLITE_NOTADB:
            return "ledger_foreign"
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_READONLY:
            return "write_failed"
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return "unreadable" if reading else "write_failed"
        case _:
            return "ledger_damaged"


def _shown(path: Path) -> str:
    return visible(str(path), 200)


def _sync_folder(folder: Path) -> None:
    """A new name is safe only once its folder is on disk. Windows has no such thing, and needs none."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
