"""Migrations: alembic with raw SQL, on a connection to Postgres itself, one migrator at a time.

Lock and migrations share one connection, so the lock lasts exactly as long as Postgres works for it: where a migrator
is killed, the next one starts only when the last statement of the dead one is rolled back. The lock is tried, not
waited for: who waits inside a statement would stop a `CREATE INDEX CONCURRENTLY` of the other for ever.
"""

import time
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from aos.errors import AosError
from aos_server.db.errors import POOLED, reached, translated, unsuited
from aos_server.db.queries import sql
from aos_server.settings import Secret

__all__ = ["Migrated", "head", "migrate", "require"]

_LOCK = 0x616F73  # "aos"
_SETTING = "AOS_MIGRATE_DATABASE_URL"
_FOLDER = Path(__file__).with_name("migrations")


class Migrated(NamedTuple):
    """The schema's version before ("" is an empty database) and after."""

    before: str
    after: str


def head() -> str:
    """The version of the schema that this code was written for."""
    return max(path.name.partition("_")[0] for path in (_FOLDER / "versions").glob("[0-9]*.py"))


def require(version: str, serves: str) -> None:
    """Return if a schema serves this code: its own, or a newer one that older code may use.

    `version` is the schema's ("": empty), `serves` the oldest code that it has tables for ("": its own alone). Raises
    AosError(schema_outdated).
    """
    if version < head():
        needed = f"this version of the server needs {head()}"
        raise AosError("schema_outdated", f"the schema is {version or 'empty'}; {needed}")
    if (serves or version) > head():
        served = f"serves no code before {serves or version}"
        raise AosError("schema_outdated", f"the schema is {version} and {served}; this code is {head()}")


def migrate(url: Secret, *, wait_s: float = 300) -> Migrated:
    """Bring the schema to `head()`, waiting at most `wait_s` seconds for another migrator to finish.

    One that is newer and serves this code stays as it is. Raises InputError(invalid_config) where `url` leads to a
    pooler, AosError: unavailable where Postgres can't be reached or another migrator does not finish, schema_outdated
    where the schema has gone on without this code.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    with reached(_SETTING):
        raw = psycopg.connect(url, connect_timeout=10, application_name="aos-server migrate")
    with translated():
        engine = create_engine("postgresql+psycopg://", creator=lambda: raw, poolclass=NullPool)
        try:
            _refuse_pooler(raw)
            _lock(raw, wait_s)
            newer = _newer(raw)
            if newer:
                return Migrated(newer, newer)
            with engine.connect() as connection:
                return _upgrade(connection)
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
                raise unsuited(_SETTING, "its role may not change the schema; use aos_owner") from None
            raise error.orig or error from None
        finally:
            raw.close()


def _upgrade(connection: Any) -> Migrated:
    from alembic import command
    from alembic.config import Config
    from alembic.migration import MigrationContext

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_FOLDER))
    before = MigrationContext.configure(connection).get_current_revision() or ""
    connection.rollback()
    command.upgrade(config, "head")
    return Migrated(before, head())


def _newer(connection: psycopg.Connection) -> str:
    """The schema's version where it is newer than this code and serves it, else "". Raises as `require` does."""
    try:
        row = connection.execute(sql("session.version")).fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    connection.rollback()
    version, serves = map(str, row[:2] if row else ("", ""))
    if version <= head():
        return ""
    require(version, serves)
    return version


def _refuse_pooler(connection: psycopg.Connection) -> None:
    """PgBouncer makes up the process id that it announces; Postgres' own is that of the process that answers."""
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    connection.rollback()
    if row != (connection.info.backend_pid,):
        raise unsuited(_SETTING, POOLED)


def _lock(connection: psycopg.Connection, wait_s: float) -> None:
    """Hold the migrators' lock until the connection closes."""
    deadline = time.monotonic() + wait_s
    while True:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
        connection.commit()
        if row == (True,):
            return
        if time.monotonic() > deadline:
            raise AosError("unavailable", "another migration is still running", retry_after_s=60)
        time.sleep(0.2)
