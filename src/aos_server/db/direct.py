"""Connections to Postgres itself, past the pooler: for what outlives a transaction, and for databases as a whole.

A database that is only being worked on has a name that says so, and whoever works on it holds a lock by that name for
as long as their connection lasts. So what was left by somebody who was killed is told from what somebody is at.
"""

import os
import re
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, NamedTuple, TypeAlias

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg.sql import SQL, Composed, Identifier, Literal

from aos.errors import AosError
from aos_server.db.errors import POOLED, reached, translated, unsuited
from aos_server.db.queries import sql
from aos_server.settings import Secret

__all__ = [
    "MAINTENANCE",
    "Connection",
    "Likeness",
    "at",
    "child_environment",
    "connected",
    "database_of",
    "databases",
    "direct",
    "likeness",
    "missing_roles",
    "require_rights",
    "scratch",
    "swap",
    "sweep",
]

Connection: TypeAlias = psycopg.AsyncConnection[DictRow]

MAINTENANCE = "postgres"
"""The database from which others are made and dropped; every cluster has it."""
CONNECT_S = 10

_SCRATCH = re.compile(r"aos_scratch_[0-9a-f]{16}")


class Likeness(NamedTuple):
    """What a database was made with: its owner, its text, and who may do what with it as a whole."""

    owner: str
    encoding: str
    collate: str
    ctype: str
    grants: Sequence[tuple[str, str]]


def database_of(url: Secret) -> str:
    """The name of the database that an address leads to."""
    return str(conninfo_to_dict(url).get("dbname", ""))


def at(url: Secret, database: str) -> Secret:
    """The same address, of another database there."""
    return Secret(make_conninfo(url, dbname=database))


def child_environment(url: Secret) -> dict[str, str]:
    """How a program of Postgres' own finds the way: in its environment, since everybody reads its arguments."""
    names = {
        option.keyword.decode(): option.envvar.decode()
        for option in pq.Conninfo.get_defaults()
        if option.envvar
    }
    inherited = {
        name: value for name, value in os.environ.items() if name in ("PATH", "LD_LIBRARY_PATH", "HOME")
    }
    inherited |= {name: value for name, value in os.environ.items() if name.startswith("PG")}
    given = {names[key]: str(value) for key, value in conninfo_to_dict(url).items() if key in names}
    return {**inherited, "PGAPPNAME": "aos-server backup", **given, "LC_ALL": "C"}


@asynccontextmanager
async def direct(url: Secret, setting: str) -> AsyncIterator[Connection]:
    """A connection to Postgres itself, at which each statement is a transaction and may take as long as it does.

    Raises InputError(invalid_config) where `url`, which is from `setting`, leads to a pooler; AosError(unavailable).
    """
    with reached(setting):
        connection = await psycopg.AsyncConnection.connect(
            url,
            autocommit=True,
            prepare_threshold=None,
            row_factory=dict_row,
            connect_timeout=CONNECT_S,
            application_name="aos-server backup",
        )
    with translated():
        async with connection:
            cursor = await connection.execute("SELECT pg_backend_pid() AS pid")
            row = await cursor.fetchone()
            if row is None or row["pid"] != connection.info.backend_pid:
                raise unsuited(setting, POOLED)  # PgBouncer makes up the process id that it announces
            await connection.execute(sql("backups.session"))
            with _permitted(setting):
                yield connection


async def likeness(connection: Connection) -> Likeness:
    """That of the database it is connected to."""
    row, *_ = await _rows(connection, sql("backups.likeness"))
    grants = [
        (grant["grantee"], grant["privilege"]) for grant in await _rows(connection, sql("backups.grants"))
    ]
    return Likeness(row["owner"], row["encoding"], row["collate"], row["ctype"], grants)


async def connected(connection: Connection, database: str) -> list[str]:
    """Who is connected to a database, a line each."""
    return [row["who"] for row in await _rows(connection, sql("backups.connected"), {"database": database})]


async def databases(connection: Connection) -> list[str]:
    """The names of all there are."""
    return [row["name"] for row in await _rows(connection, sql("backups.databases"))]


async def missing_roles(connection: Connection, names: Sequence[str]) -> list[str]:
    """Which of these roles the cluster has not."""
    return [
        row["name"] for row in await _rows(connection, sql("backups.missing_roles"), {"names": list(names)})
    ]


async def require_rights(connection: Connection, setting: str) -> None:
    """Raises InputError(invalid_config) where the role may not do what backing up takes."""
    if lacks := [row["lack"] for row in await _rows(connection, sql("backups.lacks"))]:
        raise unsuited(setting, f"its role {', '.join(lacks)}; use aos_backup")


@asynccontextmanager
async def scratch(connection: Connection, like: Likeness, *, owned: bool) -> AsyncIterator[str]:
    """The name of a new, empty database that nobody else may connect to; gone at the end, if it has that name then.

    `connection` leads to MAINTENANCE. It is `owned` by the owner of the one it is like, else by whoever makes it.
    """
    name = f"aos_scratch_{secrets.token_hex(8)}"
    await connection.execute(sql("backups.hold"), {"name": name})
    try:
        await _create(connection, name, like, owned)
        yield name
    finally:
        with suppress(psycopg.Error):  # what is left is swept by the next one
            await connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))


async def sweep(connection: Connection) -> int:
    """Drop what others have left who were killed; how many it were. `connection` leads to MAINTENANCE."""
    gone = 0
    for row in await _rows(connection, sql("backups.scratches")):
        name = str(row["name"])
        if not _SCRATCH.fullmatch(name):
            continue
        (held,) = await _rows(connection, sql("backups.try_hold"), {"name": name})
        if held["held"]:
            await connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
            await connection.execute(sql("backups.let_go"), {"name": name})
            gone += 1
    return gone


async def swap(connection: Connection, new: str, target: str, aside: str | None, like: Likeness) -> None:
    """Give `new` the name `target` and its grants, and what had the name the name `aside` (None: nothing has it).

    All of it or nothing. Raises AosError: database_in_use where somebody has connected a moment ago, backup_failed.
    """
    with _refused():
        async with connection.transaction():
            for grantee, privilege in like.grants:
                words = SQL("GRANT {} ON DATABASE {} TO {}")
                right = SQL(privilege)  # one of three words: the manifest was checked
                await connection.execute(words.format(right, Identifier(new), Identifier(grantee)))
            if aside is not None:
                await connection.execute(_rename(target, aside))
            await connection.execute(_rename(new, target))


@contextmanager
def _permitted(setting: str) -> Iterator[None]:
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise unsuited(setting, f"its role may not do that: {_words(error)}") from None


@contextmanager
def _refused() -> Iterator[None]:
    """What Postgres refuses about a database, in its words."""
    try:
        yield
    except psycopg.errors.ObjectInUse as error:
        raise AosError("database_in_use", _words(error)) from None
    except psycopg.errors.WrongObjectType as error:  # as a locale that the machine has not
        raise AosError("backup_failed", f"Postgres refuses: {_words(error)}") from None


def _words(error: psycopg.Error) -> str:
    return error.diag.message_primary or "no reason given"


async def _create(connection: Connection, name: str, like: Likeness, owned: bool) -> None:
    made = SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(
        Identifier(name), Literal(like.encoding), Literal(like.collate), Literal(like.ctype)
    )
    owner = SQL(" OWNER {}").format(Identifier(like.owner)) if owned else SQL("")
    with _refused():
        await connection.execute(made + owner)
    await connection.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(Identifier(name)))


def _rename(name: str, to: str) -> Composed:
    return SQL("ALTER DATABASE {} RENAME TO {}").format(Identifier(name), Identifier(to))


async def _rows(
    connection: Connection, statement: str, values: Mapping[str, Any] | None = None
) -> list[DictRow]:
    cursor = await connection.execute(statement, values or {})
    return await cursor.fetchall()
