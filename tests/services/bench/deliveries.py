"""How many messages a worker delivers a second to a receiver on this machine, beside a bare loop of httpx.

    python -m tests.services.bench.deliveries

Both send the same bodies to the same receiver, a process of its own that keeps connections open. The worker also
claims, signs, checks the address, connects anew for each message, and writes down what came of it, through PgBouncer.
"""

import asyncio
import multiprocessing
import statistics
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx

from aos_server.db.pool import Database
from aos_server.jobs.deliveries import Deliverer
from aos_server.keystores.keyring import Keyring
from aos_server.services.webhooks.messages import body_of
from aos_server.services.webhooks.queue import spread
from aos_server.services.webhooks.targets import network_of
from aos_server.settings import Secret
from tests.server.serve import serving
from tests.services.keys.making import new_keys
from tests.services.processes import Postgres, folder, migrated, pooled

MESSAGES = 1_000
ROUNDS = 9
BODY = body_of("run.ended", datetime.now(UTC), "acme", 1, {"run_id": "r1"})


async def receiver(scope: Any, receive: Any, send: Any) -> None:
    """Takes everything."""
    assert scope["type"] == "http"
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


def receives(pipe: Connection) -> None:
    """A receiver until the pipe is closed."""
    with serving(receiver, lifespan="off") as url:
        pipe.send(url)
        pipe.poll(None)


def bare(url: str) -> float:
    """Requests a second of httpx alone."""
    with httpx.Client() as client:
        began = time.perf_counter()
        for _ in range(MESSAGES):
            client.post(url, content=BODY)
        return MESSAGES / (time.perf_counter() - began)


async def ours(url: Secret, keys: Keyring, left: Any) -> float:
    """Deliveries a second."""
    async with Database.open(url, 5, deadline_s=30) as database:
        while await spread(database):
            pass
        stop = asyncio.Event()
        began = time.perf_counter()
        task = asyncio.create_task(Deliverer(database, network_of(("127.0.0.1",)), keys).run(stop))
        while await asyncio.to_thread(left):
            await asyncio.sleep(0.05)
        took = time.perf_counter() - began
        stop.set()
        await task
        return MESSAGES / took


def tell(postgres: Postgres) -> None:
    postgres.execute(
        "INSERT INTO outbox (id, tenant_id, topic, payload, audit_id) SELECT gen_random_uuid(), 'acme', 'run.ended', "
        f'\'{{"run_id": "r1"}}\', gen_random_uuid() FROM generate_series(1, {MESSAGES})',
        "bench",
    )


def measured(postgres: Postgres, pooler_port: int, url: str, keys: Keyring) -> tuple[float, float]:
    """One round of both."""
    import psycopg

    tell(postgres)
    with psycopg.connect(postgres.url("root", "bench"), autocommit=True) as connection:

        def left() -> bool:
            row = connection.execute(
                "SELECT EXISTS (SELECT FROM deliveries WHERE state = 'waiting')"
            ).fetchone()
            return bool(row and row[0])

        rate = asyncio.run(ours(Secret(postgres.url("aos_worker", "bench", pooler_port)), keys, left))
    return bare(url), rate


def main() -> None:
    """Print both and their ratio, as medians of rounds that take turns: short ones, as other work comes and goes."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=receives, args=(there,), daemon=True)
    process.start()
    url = here.recv()
    with migrated("bench") as postgres, pooled(postgres) as pooler, folder() as mine:
        keys = Keyring(new_keys(Path(mine) / "keys"), datetime.now(UTC))
        postgres.execute(
            "INSERT INTO webhooks (id, tenant_id, url, topics, created_issuer, created_by, audit_id) "
            f"VALUES ('wh_aaaaaaaaaaaaaaaa', 'acme', '{url}/', '{{*}}', 'i', 's', gen_random_uuid())",
            "bench",
        )
        rounds = [measured(postgres, pooler.port, url, keys) for _ in range(ROUNDS)]
    limit, rate = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(ours / theirs for theirs, ours in rounds)
    print(f"{MESSAGES:,} messages to one receiver on this machine, medians of {ROUNDS}:")
    print(f"  bare httpx, kept connection  {limit:7,.0f} a second")
    print(f"  a worker                     {rate:7,.0f} a second   {ratio:.2f}x")


if __name__ == "__main__":
    main()
