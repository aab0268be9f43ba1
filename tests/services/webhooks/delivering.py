"""What tests of deliveries share: webhooks and messages straight in the database, and somebody who delivers them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from aos_server.db.pool import Database
from aos_server.jobs.deliveries import Deliverer, Pace
from aos_server.jobs.posting import post
from aos_server.keystores.keyring import Keyring
from aos_server.services.webhooks.queue import claim, spread
from aos_server.services.webhooks.targets import network_of
from tests.fakes.receivers import Receiver, receiving
from tests.services.keys.making import new_keys

T = TypeVar("T")
QUICK = Pace(delays_s=(0.0,) * 9)
NEAR = network_of(("127.0.0.1",))


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> Keyring:
    return Keyring(new_keys(tmp_path_factory.mktemp("keys") / "k"), datetime.now(UTC))


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def shared(new_base):
    """A database for tests that each empty it first."""
    return new_base()


@pytest.fixture
def base(shared, receiver):
    shared.server.execute("TRUNCATE outbox, webhooks, audit CASCADE", shared.name)
    del receiver.got[:]
    return shared


def name(number: int) -> str:
    return f"wh_aaaaaaaaaaaaaaa{chr(97 + number)}"


def webhook(base, url: str, number: int = 0, **more: str) -> str:
    """A webhook, straight into the database: no check has seen its address."""
    columns = {"topics": "'{*}'", **more}
    base.server.execute(
        f"INSERT INTO webhooks (id, tenant_id, url, created_issuer, created_by, audit_id, {', '.join(columns)}) "
        f"VALUES ('{name(number)}', 'acme', '{url}', 'i', 's', gen_random_uuid(), {', '.join(columns.values())})",
        base.name,
    )
    return name(number)


def tell(base, number: int = 1, topic: str = "run.ended", payload: str = "{}") -> None:
    base.server.execute(
        "INSERT INTO outbox (id, tenant_id, topic, payload, audit_id) SELECT gen_random_uuid(), 'acme', "
        f"'{topic}', '{payload}', gen_random_uuid() FROM generate_series(1, {number})",
        base.name,
    )


PUBLIC_URL = "https://aos.example"


def run(base, act: Callable[[Database], Awaitable[T]]) -> T:
    async def main() -> T:
        async with Database.open(base.pooled("aos_worker"), 4) as database:
            return await act(database)

    return asyncio.run(main())


def deliver(
    base, keys: Keyring, until: str, *, send: Any = post, pace: Pace = QUICK, seconds: float = 10
) -> None:
    """Spread and deliver until the query counts something."""

    async def act(database: Database) -> None:
        stop = asyncio.Event()
        while await spread(database):
            pass
        task = asyncio.create_task(Deliverer(database, NEAR, keys, send, pace, PUBLIC_URL).run(stop))
        ends = time.monotonic() + seconds
        try:
            while not base.rows(until)[0][0]:
                assert time.monotonic() < ends, base.rows("SELECT state, tries FROM deliveries")
                assert not task.done()
                await asyncio.sleep(0.02)
        finally:
            stop.set()
            await task

    run(base, act)


ALL_ENDED = "SELECT count(*) FILTER (WHERE state = 'waiting') = 0 FROM deliveries"


def states(base) -> dict[str, int]:
    return dict(base.rows("SELECT state, count(*) FROM deliveries GROUP BY state"))


def claimed(database: Database, **more: Any) -> Awaitable[Any]:
    return claim(database, **{"webhooks": 10, "each": 10, **more})
