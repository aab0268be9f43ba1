"""Many people at one approval request at once, through two servers: `python -m tests.races.histories --count 10000`.

Each request is a history: what 6 to 12 people asked of it, when, and what they were answered. All of it must have been
possible one after the other (`tests.races.linear`), by rules that are written down a second time (`approving`).
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg

from aos_server.db.pool import Database
from aos_server.services.requests.timeouts import expire_due
from aos_server.settings import Secret
from tests.races.approving import PEOPLE_NEEDED, Answer, Asked, Asks, after, opened
from tests.races.linear import Call, linearizable
from tests.races.server import ISSUER, PATIENCE_S, TENANT
from tests.services.processes import migrated, pooled

TOGETHER = 16  # histories that go on at once
CONNECTIONS = 24  # to each server
ACTS = {"approve": 50, "reject": 8, "escalate": 12, "break": 4, "cancel": 3, "consume": 5, "read": 8}
DIGEST, STALE = "sha256:" + "0" * 64, "sha256:" + "1" * 64
UNFORESEEN = json.dumps(
    {"plan": {"aos_plan": "1", "steps": []}, "inputs": {}, "digests": {}, "policy": {}, "forecast": None,
     "envelope": None, "unknowns": []}
)  # fmt: skip
ADD = f"""WITH made AS (
    INSERT INTO requests (id, tenant_id, status, required_level, min_approvals, policy_type, requester_issuer,
        requester_subject, justification, digest, uses, expires_at, audit_id)
    VALUES (%(id)s, '{TENANT}', 'pending', %(level)s, %(needed)s, 'cost', '{ISSUER}', %(requester)s, '', '{DIGEST}',
        %(uses)s, now() + %(open_s)s * interval '1 s', gen_random_uuid())
    RETURNING id, expires_at)
INSERT INTO request_documents SELECT id, '{TENANT}', %(document)s, gen_random_uuid() FROM made
RETURNING (SELECT extract(epoch FROM expires_at)::float8 FROM made)"""


class History(NamedTuple):
    """A request and every call about it."""

    asks: Asks
    calls: Sequence[Call]

    @property
    def holds(self) -> bool:
        return linearizable(self.calls, opened(self.asks), partial(after, self.asks))

    def __str__(self) -> str:
        start = min(call.begun for call in self.calls)
        lines = [
            f"{(call.begun - start) * 1000:8.2f} {(call.ended - start) * 1000:8.2f}  {call.asked}  {call.answer}"
            for call in sorted(self.calls)
        ]
        return "\n".join([f"{self.asks}, {(self.asks.expires_at - start) * 1000:.2f} ms", *lines])


class Server:
    """Connections that stay open, each for one call at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def __aenter__(self) -> "Server":
        for _ in range(CONNECTIONS):
            self._free.put_nowait(await asyncio.open_connection("127.0.0.1", self._port))
        return self

    async def __aexit__(self, *error: object) -> None:
        while not self._free.empty():
            _, writer = self._free.get_nowait()
            writer.close()
            await writer.wait_closed()

    async def ask(self, request: str, asked: Asked) -> Call:
        """Ask it, and note when."""
        connection = await self._free.get()
        reader, writer = connection
        begun = time.time()
        writer.write(_message(request, asked))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        document = json.loads(await reader.readexactly(length))
        call = Call(begun, time.time(), asked, _answer(document))
        self._free.put_nowait(connection)
        return call


def _message(request: str, asked: Asked) -> bytes:
    """The request of HTTP."""
    act = {"break": "approve"}.get(asked.act, asked.act)
    body: dict[str, Any] = {}
    if asked.act in ("approve", "reject", "break", "consume"):
        body["digest"] = STALE if asked.stale else DIGEST
    if asked.act == "break":
        body |= {"break_glass": True, "reason": "it burns"}
    text = b"" if act == "read" else json.dumps(body).encode()
    path = f"/api/v1/policy/requests/{request}" + ("" if act == "read" else f"/{act}")
    lines = [
        f"{'GET' if act == 'read' else 'POST'} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {asked.who}.{asked.held}",
        "Content-Type: application/json",
        f"Content-Length: {len(text)}",
        *([f"Idempotency-Key: {asked.key}"] if asked.key else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + text


def _answer(document: dict[str, Any]) -> Answer:
    if "code" in document:
        assert document["effect"] == "none", document
        return Answer(document["code"])
    return Answer("", *(document[name] for name in ("status", "required_level", "approvals", "used")))


async def history(servers: Sequence[Server], people: psycopg.AsyncConnection, dice: random.Random) -> History:
    """One request and what people do with it, until the last of them has been answered."""
    request, asker = str(uuid4()), f"p{uuid4().hex[:12]}"
    level, uses = dice.choice([2, 3, 4, 4, 5]), dice.choice([1, 1, 2])
    open_s = dice.uniform(0.005, 0.2) if dice.random() < 0.25 else 3600
    made = {"id": request, "level": level, "needed": PEOPLE_NEEDED[level], "requester": asker, "uses": uses}
    found = await (await people.execute(ADD, {**made, "open_s": open_s, "document": UNFORESEEN})).fetchone()
    assert found is not None

    async def act(asked: Asked) -> list[Call]:
        await asyncio.sleep(dice.uniform(0, 0.05))
        many = 2 if asked.key and dice.random() < 0.5 else 1  # clicked twice
        return list(await asyncio.gather(*(dice.choice(servers).ask(request, asked) for _ in range(many))))

    async def person(number: int) -> list[Call]:
        who, held = (f"{asker}-{number}", dice.choice([2, 3, 4, 5, 5])) if number else (asker, 5)
        calls: list[Call] = []
        for _ in range(dice.choice([1, 2, 2])):
            acts = ACTS if number else {"consume": 60, "cancel": 12, "approve": 10, "read": 18}
            (chosen,) = dice.choices(list(acts), list(acts.values()))
            key = uuid4().hex if chosen != "read" and dice.random() < 0.4 else None
            calls += await act(Asked(chosen, who, held, key, dice.random() < 0.04))
        return calls

    crowd = await asyncio.gather(*map(person, range(dice.randint(6, 12))))
    last = await servers[0].ask(request, Asked("read", "x", 2))
    return History(
        Asks(asker, level, uses, float(found[0])), [*(call for calls in crowd for call in calls), last]
    )


async def histories(ports: Sequence[int], owner: str, worker: Secret, count: int, seed: int) -> list[History]:
    """So many of them, while a worker lets expire what is overdue."""
    dice, done = random.Random(seed), list[History]()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.open(worker, 2, deadline_s=PATIENCE_S))
        servers = [await stack.enter_async_context(Server(port)) for port in ports]
        over = asyncio.Event()

        async def sweep() -> None:
            while not over.is_set():
                await expire_due(database)
                await asyncio.sleep(0.05)

        async def some() -> None:
            async with await psycopg.AsyncConnection.connect(owner, autocommit=True) as people:
                while len(done) < count:
                    done.append(await history(servers, people, dice))

        sweeping = asyncio.create_task(sweep())
        await asyncio.gather(*(some() for _ in range(TOGETHER)))
        over.set()
        await sweeping
    return done


@contextmanager
def serving(database_url: str) -> Iterator[int]:
    """A server process; its port."""
    words = [sys.executable, "-m", "tests.races.server", database_url]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def told(done: Sequence[History]) -> str:
    """How many there were, and what came of them: a history in which nothing happens shows nothing."""
    ends = Counter(history.calls[-1].answer.status for history in done)
    codes = Counter(call.answer.code for history in done for call in history.calls)
    calls = sum(codes.values())
    shown = ", ".join(f"{count:,} {name}" for name, count in ends.most_common())
    refused = ", ".join(f"{count:,} {code}" for code, count in codes.most_common() if code)
    return f"{len(done):,} histories of {calls:,} calls: {shown}\nrefused: {refused}"


def main() -> int:
    """Make them, check them, print one that can't have been. Returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with migrated("races") as postgres, pooled(postgres) as pooler, ExitStack() as stack:
        url = partial(postgres.url, database="races", port=pooler.port)
        ports = [stack.enter_context(serving(url("aos_app"))) for _ in range(2)]
        worker = Secret(url("aos_worker"))
        done = asyncio.run(histories(ports, postgres.url("root", "races"), worker, asked.count, asked.seed))
    wrong = [history for history in done if not history.holds]
    print(told(done))
    print(f"not possible one after the other: {len(wrong)}", *wrong[:1], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
