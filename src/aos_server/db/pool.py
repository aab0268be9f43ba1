"""Connections to Postgres, and the transaction of one tenant.

Through PgBouncer in transaction mode nothing outlives a transaction: no prepared statement, no session setting. So
statements are never prepared, and the tenant is set inside each transaction. Statements wait until a result is asked
for, and then go out together, as one message.

    async with database.transaction("acme") as t:
        row = await t.one("runs.get", id="r1")      # first round trip: BEGIN, the tenant, this
        await t.send("runs.put", **values)          # second: this and COMMIT
"""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Literal, TypeAlias

import psycopg
from psycopg.adapt import AdaptersMap
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import JsonbDumper
from psycopg_pool import AsyncConnectionPool

from aos.errors import AosError
from aos_server.db.errors import RETRY_AFTER_S, reached, translated, unavailable
from aos_server.db.migrate import require
from aos_server.db.queries import sql
from aos_server.settings import Secret

__all__ = ["CommitLost", "Database", "Row", "Statement", "Transaction", "Work", "knock"]

Row: TypeAlias = Mapping[str, Any]
Statement: TypeAlias = tuple[str, Mapping[str, Any]]
"""The name of a statement and its values."""
Work: TypeAlias = Literal["serve", "worker"]
"""What a process does, which takes a role of its own."""
_Connection: TypeAlias = psycopg.AsyncConnection[DictRow]

WAIT_S = 2.0
"""How long a call waits for a connection to become free."""
DEADLINE_S = 2.5
"""What a transaction may take, the wait for a connection included: whoever waits for an answer has it within 3 s."""

_log = logging.getLogger(__name__)


class Transaction:
    """Statements of one transaction, each by its name. Objects (dicts) are passed as jsonb, lists as arrays.

    Values become literals of the text, written by psycopg: only so are several statements one message, which is sent,
    passed on and answered at once. Between two messages Postgres sees an idle transaction, and ends one that hangs.
    """

    def __init__(self, connection: _Connection, tenant: str) -> None:
        self._cursor = psycopg.AsyncClientCursor(connection)
        self._unsent = ["BEGIN", self._text("session.tenant", {"tenant": tenant})]
        self.id: str | None = None  # known once `begun` was asked for
        self.over = False

    async def send(self, name: str, /, **values: Any) -> None:
        """Execute a statement whose result nobody needs, together with the next one whose result is asked for."""
        self._unsent.append(self._text(name, values))

    async def all(self, name: str, /, **values: Any) -> list[Row]:
        """Every row."""
        (rows,) = await self.many([(name, values)])
        return rows

    async def one(self, name: str, /, **values: Any) -> Row | None:
        """The first row, if there is one."""
        rows = await self.all(name, **values)
        return rows[0] if rows else None

    async def many(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """Every row of each statement, in one round trip."""
        return await self._many(statements)

    async def last(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """Every row of each statement, and COMMIT, in one round trip.

        After statements that only read, or may be made again by whoever was not answered: a COMMIT that was lost is
        no CommitLost here.
        """
        return await self._many(statements, "COMMIT")

    async def _many(self, statements: Sequence[Statement], *end: str) -> list[list[Row]]:
        skipped = len(self._unsent)
        self._unsent += [self._text(name, values) for name, values in statements]
        self._unsent += end
        await self._exchange()
        self.over = bool(end)
        found: list[list[Row]] = []
        for number in range(skipped, skipped + len(statements)):
            await self._cursor.set_result(number)
            found.append(list(await self._cursor.fetchall()))
        return found

    async def begun(self, *statements: Statement) -> tuple[datetime, list[list[Row]]]:
        """What the transaction has for now, and every row of each statement, in one round trip.

        From here on the transaction has a name, `id`, by which `Database.ended` finds out about it.
        """
        (begun,), *rows = await self.many([("session.begun", {}), *statements])
        self.id = begun["id"]
        return begun["now"], rows

    async def commit(self) -> None:
        """Execute what was not sent yet, and COMMIT."""
        self._unsent.append("COMMIT")
        await self._exchange()
        await self._cursor.set_result(-1)
        # Postgres answers ROLLBACK where a statement had failed before.
        if self._cursor.statusmessage != "COMMIT":
            raise AosError("internal_error", "a statement of the transaction failed unnoticed")

    def _text(self, name: str, values: Mapping[str, Any]) -> str:
        return self._cursor.mogrify(sql(name), values)

    async def _exchange(self) -> None:
        message, self._unsent = ";\n".join(self._unsent), []
        await self._cursor.execute(message)


class Database:
    """The pool of one process. `async with Database.open(url, size) as database`."""

    def __init__(self, pool: AsyncConnectionPool[_Connection], deadline_s: float) -> None:
        self._pool = pool
        self._deadline_s = deadline_s
        self._checks: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: Secret, size: int, *, deadline_s: float = DEADLINE_S
    ) -> AsyncIterator["Database"]:
        """A pool of at most `size` connections. Postgres need not be there yet.

        A transaction that takes longer than `deadline_s` is cut off.
        """
        pool = AsyncConnectionPool(
            url,
            connection_class=psycopg.AsyncConnection[DictRow],
            min_size=min(2, size),
            max_size=size,
            timeout=WAIT_S,
            reconnect_timeout=WAIT_S,  # then the next call tries anew, instead of waiting ever longer
            kwargs={
                "autocommit": True,  # BEGIN and COMMIT go out with what stands between them
                "prepare_threshold": None,
                "row_factory": dict_row,
                "context": _adapters(),
                "connect_timeout": 2,
                "application_name": "aos-server",
            },
            open=False,
        )
        await pool.open(wait=False)
        try:
            yield cls(pool, deadline_s)
        finally:
            await pool.close()

    @asynccontextmanager
    async def transaction(self, tenant: str | None = None) -> AsyncIterator[Transaction]:
        """One transaction that sees the rows of `tenant`; without one, what the role may see without.

        It commits at the end of the block and is rolled back by an exception. Raises AosError(unavailable) where
        Postgres is down, full or hangs, CommitLost where it can't be told whether it came to commit.
        """
        async with self._connected() as connection, _committing(connection, tenant or "") as transaction:
            yield transaction

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Connection]:
        """A connection of the pool, as long as a transaction may take; errors of Postgres are what they mean."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._deadline_s
        with translated():
            async with self._pool.connection() as connection:
                watch = loop.call_at(deadline, _cut, connection)
                try:
                    yield connection
                except psycopg.OperationalError:
                    self._check_others()
                    raise
                except psycopg.errors.ReadOnlySqlTransaction:
                    await connection.close()  # the next one may lead to where changes are made now
                    raise
                finally:
                    watch.cancel()

    async def execute(self, statement: str, values: Mapping[str, Any]) -> list[Row]:
        """Every row of one statement that another library has written, in a transaction of its own.

        Raises AosError(unavailable): then it may have been executed all the same.
        """
        async with self._connected() as connection:
            cursor = await connection.execute(statement, values)
            return list(await cursor.fetchall()) if cursor.description else []

    async def read(self, *statements: Statement, tenant: str | None = None) -> list[list[Row]]:
        """Every row of each statement, in a transaction of one round trip. For statements that only read.

        Raises AosError(unavailable).
        """
        async with self.transaction(tenant) as transaction:
            return await transaction.last(statements)

    async def ready(self) -> None:
        """Return if Postgres answers, takes changes and serves this code.

        Raises AosError: unavailable, schema_outdated.
        """
        try:
            async with self.transaction() as transaction:
                found = await transaction.one("session.version")
        except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
            found = None
        version, serves = (found["version"], found["serves"]) if found else ("", "")
        require(version, serves)
        if found and found["read_only"]:
            raise unavailable("the database takes no changes for now")

    async def ended(self, transaction_id: str) -> bool:
        """Whether a transaction, whose connection was lost, is over. Then what it wrote is there, or never will be."""
        try:
            ((found,),) = await self.read(("session.ended", {"id": transaction_id}))
        except psycopg.errors.InvalidParameterValue:
            return True  # an id yet to come: Postgres crashed and has forgotten it
        return bool(found["ended"])

    async def excess(self, work: Work) -> list[str]:
        """Rights that the role has and may not have, or lacks, for that work.

        With them a fault in the server could hide itself, or show one tenant to another.
        """
        (rows,) = await self.read(("session.excess", {"work": work}))
        return [row["excess"] for row in rows]

    def _check_others(self) -> None:
        """Where one connection was lost, look after the others in the pool before a call meets them."""
        if not self._checks:
            task = asyncio.create_task(self._pool.check())
            self._checks.add(task)
            task.add_done_callback(self._checks.discard)


class CommitLost(AosError):
    """The connection was lost at COMMIT. `transaction_id` is Postgres' name of the transaction, if it was asked for."""

    effect = "unknown"

    def __init__(self, transaction_id: str | None) -> None:
        super().__init__(
            "unavailable",
            "the connection to the database was lost at the very end: whether the change was made is not known",
            fix="Call again with the same Idempotency-Key: what was done is not done twice.",
            retry_after_s=RETRY_AFTER_S,
        )
        self.transaction_id = transaction_id


async def knock(url: Secret) -> None:
    """Connect once, in 2 s at most. Raises AosError(unavailable), in Postgres' own words where it refuses.

    Raises InputError(invalid_config) where `DATABASE_URL`, which it is from, is no address.
    """
    with reached("DATABASE_URL"):
        async with await psycopg.AsyncConnection.connect(url, prepare_threshold=None, connect_timeout=2):
            pass


@asynccontextmanager
async def _committing(connection: _Connection, tenant: str) -> AsyncIterator[Transaction]:
    transaction = Transaction(connection, tenant)
    yield transaction
    try:
        if not transaction.over:
            await transaction.commit()
    except psycopg.OperationalError as error:
        if error.sqlstate is None:
            raise CommitLost(transaction.id) from error
        raise


def _cut(connection: _Connection) -> None:
    """Close the socket under a connection whose server does not answer: what waits on it fails at once."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as twin:
        twin.shutdown(socket.SHUT_RDWR)
    _log.warning("a transaction took too long and was cut off")


def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(psycopg.adapters)
    adapters.register_dumper(dict, JsonbDumper)
    return adapters
