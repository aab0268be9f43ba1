"""What was acknowledged is there, once, whoever was killed meanwhile."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime

import psycopg
import pytest

from aos.errors import AosError
from aos_server.db.migrate import migrate
from aos_server.db.pool import Database, Row
from aos_server.identity.caller import Caller, Principal
from aos_server.services.changes import Effect, Entry, Message, change
from aos_server.services.idempotency import Key
from aos_server.settings import Secret
from tests.services.processes import Process, pooled

CALLER = Caller(Principal("https://login.example", "ann"), "acme", "human")


def spend(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
    statement = ("tenants.spend", {"agent": "", "cents": 1, "unpriced": 0})
    return Effect([statement], Entry("spend", "acme"), 201, {"at": now.isoformat()}, [Message("spent", {})])


@pytest.fixture
def own_pooler(own_postgres) -> Iterator[Process]:
    """A PgBouncer before the cluster of the test, with a migrated database "aos"."""
    own_postgres.create("aos")
    own_postgres.set_passwords()
    migrate(Secret(own_postgres.url("aos_owner", "aos")))
    own_postgres.execute("INSERT INTO tenants VALUES ('acme')", "aos")
    with pooled(own_postgres) as pooler:
        yield pooler


def test_an_acknowledged_write_survives_kill_9_and_a_repeated_one_is_made_once(own_postgres, own_pooler):
    acknowledged: dict[str, str] = {}
    failures: list[str] = []
    over = asyncio.Event()

    async def client(database: Database, number: int) -> None:
        """Write, and repeat with the same key until there is an answer."""
        turn = 0
        while not over.is_set():
            turn += 1
            key = Key(f"{number}-{turn}", b"d")
            while key.text not in acknowledged:
                try:
                    given = await change(database, CALLER, [], spend, key)
                except AosError as error:
                    failures.append(error.code)
                    await asyncio.sleep(0.05)
                else:
                    acknowledged[key.text] = given.body["at"]

    async def chaos() -> None:
        for victim in (own_pooler, own_postgres, own_pooler, own_postgres):
            await asyncio.sleep(0.7)
            await asyncio.to_thread(victim.kill)
            await asyncio.to_thread(victim.start)
        await asyncio.sleep(0.7)
        over.set()

    async def main() -> None:
        url = Secret(own_postgres.url("aos_app", "aos", own_pooler.port))
        async with Database.open(url, 6, deadline_s=3) as database:
            await asyncio.wait_for(asyncio.gather(chaos(), *(client(database, n) for n in range(6))), 60)

    asyncio.run(main())
    assert set(failures) <= {"unavailable", "request_in_progress"}
    assert failures
    with psycopg.connect(own_postgres.url("root", "aos")) as connection:
        kept: dict[str, str] = dict(
            connection.execute("SELECT key, answer->>'at' FROM idempotency_keys").fetchall()
        )
        counts = connection.execute(
            "SELECT (SELECT spent_cents::int FROM budgets), (SELECT count(*) FROM audit), (SELECT count(*) FROM outbox)"
        ).fetchone()
    assert kept == acknowledged
    assert counts == (len(acknowledged),) * 3
