"""Where the ledger is, and how it is read."""

from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aos.errors import AosError
from aos.wire.problems import visible

if TYPE_CHECKING:
    import sqlite3

__all__ = ["ledger_path", "reading"]


def ledger_path(given: Path | None) -> Path:
    """The ledger that was named; else the one of this user."""
    if given is not None:
        return given
    from aos.ledger.connection import default_path

    return default_path()


@contextmanager
def reading(given: Path | None, *, snapshot: bool = False) -> Generator["sqlite3.Connection"]:
    """The ledger, open to be read, or a copy of it where a long look is meant.

    Raises AosError: needs_ledger where there is none, and as `connect` does.
    """
    from aos.ledger import connection

    path = ledger_path(given)
    if not path.exists():
        raise AosError("needs_ledger", f"there is no ledger at {visible(str(path), 200)}")
    with connection.failures(path, reading=True):
        opened = connection.snapshot(path) if snapshot else connection.connect(path, write=False)
        with closing(opened) as db:
            yield db
