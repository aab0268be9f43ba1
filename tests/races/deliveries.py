"""Workers deliver while they are killed, keys rotate and receivers misbehave: `python -m tests.races.deliveries`.

In the end every message has arrived, each with the one id that it has, and each try was signed by the key that was
current when it arrived, or by the one before.
"""

import argparse
import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psycopg

from aos.webhooks import SignatureError, verify
from aos_server.db.pool import Database
from aos_server.jobs.deliveries import Deliverer, Pace
from aos_server.jobs.posting import post
from aos_server.keystores.changes import carry_out, rotate
from aos_server.keystores.file import FileBackend
from aos_server.keystores.keyring import Keyring
from aos_server.keystores.secrets import endpoint_secret
from aos_server.services.webhooks.queue import spread
from aos_server.services.webhooks.targets import network_of
from aos_server.settings import Secret
from tests.fakes.receivers import Message, receiving
from tests.services.processes import Postgres, folder, migrated

PACE = Pace(lease_s=2, last_start_s=1, delays_s=(0.3,) * 9)
TRY_S = 0.4
BAD = ("/500", "/404", "/503-odd", "/redirect", "/reset", "/noise", "/hang", "/drip-head", "/endless")
MOST_BAD = 6
"""How often a receiver refuses one message: there are ten tries."""
WEBHOOKS = [f"wh_aaaaaaaaaaaaaaa{letter}" for letter in "abcdefgh"]


class Outcome(NamedTuple):
    """What came of it; everything but `events`, `tries`, `killed` and `rotated` has to be empty."""

    events: int
    tries: int
    killed: int
    rotated: int
    lost: list[str]
    renamed: list[str]
    unsigned: list[str]
    faults: list[str]

    @property
    def wrong(self) -> list[str]:
        return [*self.lost, *self.renamed, *self.unsigned, *self.faults]


class _Receivers:
    """Whom the workers send to: bad by chance, with what it got and when."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._bad: Counter[str] = Counter()
        self.tries: list[tuple[float, Message]] = []
        self.taken: set[str] = set()

    def choose(self, message: Message) -> str:
        self.tries.append((time.time(), message))
        name = message.headers["webhook-id"]
        if self._rng.random() < 0.3 and self._bad[name] < MOST_BAD:
            self._bad[name] += 1
            return self._rng.choice(BAD)
        self.taken.add(name)
        return "/204"


async def work(url: str, keys: Path) -> None:
    """What a worker does with messages, faster: it is killed, and tries come soon."""
    ring = Keyring(FileBackend(keys, "v1"), datetime.now(UTC))
    stop = asyncio.Event()

    async def spreads(database: Database) -> None:
        while True:
            ring.refresh(datetime.now(UTC))
            if not await spread(database):
                await asyncio.sleep(0.1)

    async with Database.open(Secret(url), 4) as database, asyncio.TaskGroup() as group:
        group.create_task(spreads(database))
        deliverer = Deliverer(database, network_of(("127.0.0.1",)), ring, partial(post, total_s=TRY_S), PACE)
        group.create_task(deliverer.run(stop))


def soak(
    postgres: Postgres, base: str, home: Path, *, events: int, workers: int, kills: int, rotations: int
) -> Outcome:
    """Let them deliver; the database is migrated and empty."""
    rng = random.Random(0)
    receivers, backend = _Receivers(0), FileBackend(home / "keys", "v1")
    carry_out(backend, rotate(backend, datetime.now(UTC), timedelta(0)))
    current = [(0.0, "v1")]  # from when on which key is the current one
    material = {"v1": backend.key("v1")}
    url = postgres.url("aos_worker", base)
    words = [sys.executable, "-m", "tests.races.deliveries", "--work", url, str(home / "keys")]
    killed, made, faults, began = 0, 0, list[str](), time.monotonic()
    with receiving() as receiver, psycopg.connect(postgres.url("root", base), autocommit=True) as connection:
        receiver.choose = receivers.choose
        _prepare(connection, f"{receiver.url}/choose")
        running = [subprocess.Popen(words, stderr=subprocess.PIPE) for _ in range(workers)]
        goal = len(receivers.tries)
        try:
            while made < events or killed < kills or len(current) <= rotations or _waiting(connection):
                if time.monotonic() - began > 900:
                    break
                if made < events:
                    made += _tell(connection, made, min(max(events // 40, 1), events - made))
                if len(current) <= rotations and time.time() - current[-1][0] > 4 and receivers.tries:
                    change = rotate(backend, datetime.now(UTC), timedelta(seconds=3))
                    carry_out(backend, change)
                    assert change.adds is not None
                    current.append((time.time(), change.adds))
                    material[change.adds] = backend.key(change.adds)
                if killed < kills and len(receivers.tries) > goal:
                    place = rng.randrange(workers)
                    running[place].send_signal(signal.SIGKILL)
                    running[place].communicate()
                    running[place] = subprocess.Popen(words, stderr=subprocess.PIPE)
                    killed, goal = killed + 1, len(receivers.tries) + 20
                time.sleep(rng.uniform(0.02, 0.2))
                faults += [one.communicate()[1].decode() for one in running if one.poll() is not None]
                if faults:
                    break
        finally:
            for one in running:
                one.kill()
                one.communicate()
        lost = _lost(connection, receivers.taken)
    return Outcome(
        made,
        len(receivers.tries),
        killed,
        len(current) - 1,
        lost,
        _renamed([message for _, message in receivers.tries]),
        _unsigned(receivers.tries, current, material),
        faults,
    )


def _prepare(connection: "psycopg.Connection[tuple[object, ...]]", url: str) -> None:
    connection.execute("INSERT INTO tenants VALUES ('acme')")
    for webhook in WEBHOOKS:
        connection.execute(
            "INSERT INTO webhooks (id, tenant_id, url, topics, created_issuer, created_by, audit_id) "
            "VALUES (%s, 'acme', %s, %s, 'i', 's', gen_random_uuid())",
            [webhook, url, [f"{webhook[-1]}.*"]],
        )


def _tell(connection: "psycopg.Connection[tuple[object, ...]]", made: int, number: int) -> int:
    connection.execute(
        "INSERT INTO outbox (id, tenant_id, topic, payload, audit_id) SELECT gen_random_uuid(), 'acme', "
        "chr(97 + n %% 8) || '.told', jsonb_build_object('n', n), gen_random_uuid() "
        "FROM generate_series(%s::int, %s::int) n",
        [made, made + number - 1],
    )
    return number


def _waiting(connection: "psycopg.Connection[tuple[object, ...]]") -> bool:
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM outbox WHERE spread_at IS NULL) OR "
        "EXISTS (SELECT FROM deliveries WHERE state = 'waiting')"
    ).fetchone()
    return bool(row and row[0])


def _lost(connection: "psycopg.Connection[tuple[object, ...]]", taken: set[str]) -> list[str]:
    """Messages that nobody has taken, that have no delivery in the right state, or numbers that were left out."""
    told = {str(row[0]) for row in connection.execute("SELECT id FROM outbox")}
    done = {
        str(row[0])
        for row in connection.execute("SELECT message_id FROM deliveries WHERE state = 'delivered'")
    }
    gaps = connection.execute(
        "SELECT webhook_id FROM deliveries GROUP BY webhook_id HAVING max(sequence) <> count(*)"
    ).fetchall()
    return [
        *(f"{one} never arrived" for one in told - taken),
        *(f"{one} is not delivered" for one in told - done),
        *(f"{one} is nobody's" for one in taken - told),
        *(f"{row[0]} has gaps" for row in gaps),
    ]


def _renamed(messages: Sequence[Message]) -> list[str]:
    """Messages that came under two ids, or that said something else when they came again."""
    seen: defaultdict[int, set[tuple[str, bytes]]] = defaultdict(set)
    for one in messages:
        seen[json.loads(one.body)["data"]["n"]].add((one.headers["webhook-id"], one.body))
    return [f"message {number} came as {len(forms)}" for number, forms in seen.items() if len(forms) > 1]


def _unsigned(
    tries: Sequence[tuple[float, Message]], current: Sequence[tuple[float, str]], material: dict[str, bytes]
) -> list[str]:
    """Tries that neither the key verifies that was current when they arrived, nor the one before it."""
    found = []
    for at, message in tries:
        live = [name for since, name in current if since <= at][-2:]
        letter = json.loads(message.body)["type"][0]
        secrets = [endpoint_secret(material[name], f"wh_aaaaaaaaaaaaaaa{letter}") for name in live]
        try:
            verify(message.headers, message.body, secrets, datetime.fromtimestamp(at, UTC))
        except SignatureError as error:
            found.append(f"{message.headers['webhook-id']}: {error.detail}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rotations", type=int, default=5)
    asked = parser.parse_args()
    if asked.work:
        url, keys = asked.work
        asyncio.run(work(url, Path(keys)))
        return
    with migrated("soak") as postgres, folder() as mine:
        began = time.monotonic()
        found = soak(
            postgres,
            "soak",
            mine,
            events=asked.events,
            workers=asked.workers,
            kills=asked.kills,
            rotations=asked.rotations,
        )
        took = time.monotonic() - began
    print(
        f"{found.events:,} events, {asked.workers} workers, {found.killed} kills, {found.rotated} rotations,",
        end=" ",
    )
    print(f"{found.tries:,} tries, {took:.0f} s:")
    print(f"{len(found.lost)} lost, {len(found.renamed)} with another id,", end=" ")
    print(f"{len(found.unsigned)} that no live key verifies, {len(found.faults)} failures")
    print(*found.wrong[:20], sep="\n")
    sys.exit(bool(found.wrong))


if __name__ == "__main__":
    main()
