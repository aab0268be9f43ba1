"""The outbox: whatever happens to workers, every message is delivered, always with the one id it has."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import pytest

from aos_server.db.pool import Database
from aos_server.jobs.outbox import deliver_due
from aos_server.services.outbox import Again, Claimed, Delivered, Failed, Outcome, claim, settle
from tests.cli.schemas import faults
from tests.services.processes import wait_for

T = TypeVar("T")
# A worker whose sink writes down what it is given; argv: URL, file.
WORKER = """
import asyncio, sys
from pathlib import Path
from aos_server.db.pool import Database
from aos_server.jobs.outbox import deliver_due
from aos_server.services.outbox import Delivered

async def sink(message):
    with Path(sys.argv[2]).open("a") as out:
        out.write(f"{message.id}\\n")
    await asyncio.sleep(0.01)
    return Delivered()

async def main():
    async with Database.open(sys.argv[1], 4) as database:
        while True:
            if not await deliver_due(database, sink, limit=5, lease_s=2):
                await asyncio.sleep(0.05)

asyncio.run(main())
"""


def fill(base, number: int) -> None:
    base.server.execute(
        "INSERT INTO outbox (id, tenant_id, topic, payload, audit_id) SELECT gen_random_uuid(), 'acme', 't', '{}', "
        f"gen_random_uuid() FROM generate_series(1, {number})",
        base.name,
    )


def run(base, act: Callable[[Database], Awaitable[T]]) -> T:
    async def main() -> T:
        async with Database.open(base.pooled("aos_worker"), 4) as database:
            return await act(database)

    return asyncio.run(main())


def states(base) -> dict[str, int]:
    return dict(base.rows("SELECT state, count(*) FROM outbox GROUP BY state"))


def test_three_workers_of_whom_some_are_killed_lose_nothing_and_make_no_second_id(base, tmp_path):
    number = 300
    fill(base, number)
    out = tmp_path / "delivered"
    out.touch()
    words = [sys.executable, "-c", WORKER, base.pooled("aos_worker"), str(out)]
    workers = [subprocess.Popen(words) for _ in range(3)]
    chance = random.Random(7)

    def delivered_more_than(goal: int) -> bool:
        return len(out.read_text().splitlines()) > goal

    try:
        for goal in (40, 120, 200):
            wait_for(partial(delivered_more_than, goal), f"{goal} deliveries")
            place = chance.randrange(3)
            workers[place].send_signal(signal.SIGKILL)
            workers[place].wait()
            workers[place] = subprocess.Popen(words)
        wait_for(lambda: states(base) == {"delivered": number}, "everything is delivered", 40)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    delivered = Counter(out.read_text().splitlines())
    assert set(delivered) == {str(row[0]) for row in base.rows("SELECT id FROM outbox")}
    # A worker that dies between delivering and saying so has at most its one batch delivered again.
    assert sum(delivered.values()) - number <= 3 * 5


def test_while_nobody_dies_nothing_is_delivered_twice(base):
    fill(base, 60)
    seen: Counter[str] = Counter()

    async def sink(message: Claimed) -> Outcome:
        seen[str(message.id)] += 1
        return Delivered()

    async def act(database: Database) -> None:
        async def work() -> None:
            while await deliver_due(database, sink, limit=5):
                pass

        await asyncio.gather(*(work() for _ in range(3)))

    run(base, act)
    assert len(seen) == 60
    assert set(seen.values()) == {1}


def test_who_has_lost_the_claim_has_no_say(base):
    fill(base, 1)

    async def act(database: Database) -> None:
        (first,) = await claim(database, lease_s=0.05)
        await asyncio.sleep(0.1)
        (second,) = await claim(database)
        assert (first.id, second.fence) == (second.id, first.fence + 1)
        for late in (Failed("late"), Again(0, "late"), Delivered()):
            assert not await settle(database, first, late)
        assert await settle(database, second, Delivered())
        assert not await settle(database, second, Delivered())
        assert await claim(database) == []

    run(base, act)
    assert states(base) == {"delivered": 1}


def test_what_is_tried_again_waits_and_keeps_its_id(base):
    fill(base, 1)

    async def act(database: Database) -> None:
        (first,) = await claim(database)
        assert await settle(database, first, Again(0.2, "503"))
        assert await claim(database) == []
        await asyncio.sleep(0.3)
        (second,) = await claim(database)
        assert (second.id, second.attempt, second.sequence) == (first.id, 2, first.sequence)

    run(base, act)


def test_a_sink_that_fails_or_hangs_stops_nobody(base):
    fill(base, 3)
    calls = iter(("raise", "hang", "deliver"))

    async def sink(message: Claimed) -> Outcome:
        match next(calls):
            case "raise":
                raise ValueError("secret")
            case "hang":
                await asyncio.sleep(60)
        return Delivered()

    assert run(base, lambda database: deliver_due(database, sink, lease_s=1)) == 3
    assert states(base) == {"delivered": 1, "waiting": 2}
    errors = base.rows("SELECT last_error FROM outbox WHERE state = 'waiting' ORDER BY 1")
    assert errors == [("TimeoutError",), ("ValueError",)]


@pytest.fixture
def worker(base, tmp_path):
    """`aos-server worker` as a process."""
    environment = {
        **os.environ,
        "DATABASE_URL": base.pooled("aos_worker"),
        "AOS_AUDIT_KEY_PATH": str(tmp_path / "audit.key"),
        "AOS_AUDIT_CHECKPOINTS_PATH": str(tmp_path / "checkpoints"),
    }
    words = [sys.executable, "-m", "aos_server", "worker", "--json"]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_the_worker_sequences_within_a_second_and_ends_when_told(base, worker):
    add = "INSERT INTO audit VALUES (gen_random_uuid(), 'acme', now(), 'iss', 'ann', 'act', 'x')"
    leaves = "SELECT count(*) FROM audit_leaves"
    base.server.execute(add, base.name)
    fill(base, 1)
    base.server.execute(
        "INSERT INTO idempotency_keys VALUES ('acme', 'iss', 'ann', 'k', 'd', 200, '{}', now() - interval '2 days')",
        base.name,
    )
    wait_for(lambda: base.rows(leaves) == [(1,)], "the worker has begun")
    base.server.execute(add, base.name)
    wait_for(lambda: base.rows(leaves) == [(2,)], "the second row is sequenced", 5)
    wait_for(lambda: base.rows("SELECT 1 FROM idempotency_keys") == [], "an old key is forgotten")
    # Nobody receives messages yet: they wait, with all their attempts.
    assert base.rows("SELECT state, attempts FROM outbox") == [("waiting", 0)]
    worker.send_signal(signal.SIGTERM)
    out, err = worker.communicate(timeout=10)
    assert (worker.returncode, err) == (0, b"")
    document = json.loads(out)
    assert (document["status"], faults(document)) == ("ended", [])
