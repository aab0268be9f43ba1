"""What is in a database, in figures that two databases share only if one is a copy of the other."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import groupby
from typing import NamedTuple

from psycopg.errors import UndefinedTable
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier

from aos.errors import AosError
from aos_server.db.direct import Connection
from aos_server.db.queries import sql

__all__ = ["Content", "Table", "content", "differences", "snapshot"]

_WORD = 2**64
_COUNTED = SQL("""
    SELECT count(*) AS rows, coalesce(sum(('x' || left(hash, 16))::bit(64)::bigint), 0) AS first,
        coalesce(sum(('x' || substr(hash, 17, 16))::bit(64)::bigint), 0) AS second
    FROM (SELECT encode(sha256(convert_to(whole_row::text, 'UTF8')), 'hex') AS hash FROM {}.{} AS whole_row) AS hashed
""")
"""In no order: how a text is sorted depends on the machine."""


class Table(NamedTuple):
    """How many rows, and the sum of their hashes: of two words of each row's SHA-256, modulo 2^64, in hex."""

    rows: int
    digest: str


class Content(NamedTuple):
    """`tables` and `sequences` by schema.name. `objects` are digests of how each is made and who may do what with it.

    `tree_size` and `tree_root` are the audit log's newest checkpoint: 0 and "" where there is none yet.
    """

    revision: str
    tables: Mapping[str, Table]
    sequences: Mapping[str, int]
    objects: Mapping[str, str]
    tree_size: int
    tree_root: str


@asynccontextmanager
async def snapshot(connection: Connection) -> AsyncIterator[str]:
    """A transaction in which nothing changes, by the name under which others see the same."""
    async with connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        (row,) = await _rows(connection, "backups.snapshot")
        yield str(row["name"])


async def content(connection: Connection, owner: str) -> Content:
    """All of it, as one transaction sees it. `owner` and whoever owns the database are not told apart.

    Raises AosError(schema_outdated) where the database is none of ours.
    """
    try:
        revision = await _rows(connection, "backups.revision")
        tree = await _rows(connection, "backups.tree")
    except UndefinedTable:
        raise AosError("schema_outdated", "the database is empty, or none of aos") from None
    tables = {f"{row['schema']}.{row['name']}": row for row in await _rows(connection, "backups.tables")}
    return Content(
        revision[0]["version"] if revision else "",
        {name: await _counted(connection, row) for name, row in tables.items()},
        {f"{row['schema']}.{row['name']}": row["at"] for row in await _rows(connection, "backups.sequences")},
        _digests(await _rows(connection, "backups.objects", owner=owner)),
        tree[0]["size"] if tree else 0,
        bytes(tree[0]["root"]).hex() if tree else "",
    )


def differences(wanted: Content, found: Content, *, objects: bool) -> list[str]:
    """What of `found` is not as `wanted`, in words. Without `objects`, as between two versions of Postgres, rows alone.

    A sequence may be ahead: it goes on while a database is copied, whatever the snapshot.
    """
    wrong = []
    if found.revision != wanted.revision:
        wrong.append(f"the schema is {found.revision or 'unknown'}, not {wanted.revision}")
    for name, table in wanted.tables.items():
        wrong += _of_table(name, table, found.tables.get(name))
    wrong += [f"table {name} is not in the manifest" for name in found.tables if name not in wanted.tables]
    for name, at in wanted.sequences.items():
        if found.sequences.get(name, -1) < at:
            wrong.append(f"sequence {name} is behind: it would give numbers again")
    if objects:
        wrong += [
            f"{name} is {'another' if name in found.objects else 'missing'}"
            for name in wanted.objects
            if found.objects.get(name) != wanted.objects[name]
            and name.removeprefix("table ") not in wanted.tables.keys() - found.tables.keys()
        ]
        wrong += [f"{name} is not in the manifest" for name in found.objects if name not in wanted.objects]
    if (found.tree_size, found.tree_root) != (wanted.tree_size, wanted.tree_root):
        wrong.append(
            f"the audit log's tree has {found.tree_size:,} rows or another root, not {wanted.tree_size:,}"
        )
    return wrong


def _of_table(name: str, wanted: Table, found: Table | None) -> list[str]:
    if found is None:
        return [f"table {name} is missing"]
    if found.rows != wanted.rows:
        return [f"table {name} has {found.rows:,} rows, not {wanted.rows:,}"]
    return [f"table {name} has other rows"] if found.digest != wanted.digest else []


async def _counted(connection: Connection, table: DictRow) -> Table:
    names = (Identifier(table["schema"]), Identifier(table["name"]))
    cursor = await connection.execute(_COUNTED.format(*names))
    row = await cursor.fetchone()
    assert row is not None
    first, second = (int(row[name]) % _WORD for name in ("first", "second"))
    return Table(row["rows"], f"{first:016x}{second:016x}")


def _digests(lines: Iterable[DictRow]) -> dict[str, str]:
    """One for each object, of all of its lines."""
    found = {}
    for name, group in groupby(lines, key=lambda row: str(row["object"])):
        text = "\n".join(row["line"] for row in group)
        found[name] = hashlib.sha256(text.encode()).hexdigest()[:32]
    return found


async def _rows(connection: Connection, name: str, **values: object) -> list[DictRow]:
    cursor = await connection.execute(sql(name), values)
    return await cursor.fetchall()
