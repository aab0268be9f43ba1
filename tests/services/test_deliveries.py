"""Deliveries: whatever happens to workers and receivers, each message arrives, always with the one id it has."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psycopg
import pytest

from aos.runtime.guards.network import Network
from aos.webhooks import verify
from aos_server.db.pool import Database
from aos_server.jobs.deliveries import PER_HOST, Deliverer, Pace
from aos_server.jobs.posting import post
from aos_server.keystores.keyring import Keyring
from aos_server.metrics import DELIVERIES
from aos_server.services.webhooks.queue import End, Try, claim, forget, release, settle, spread
from aos_server.services.webhooks.targets import network_of
from tests.cli.schemas import faults
from tests.fakes.receivers import Receiver, receiving
from tests.races.deliveries import soak
from tests.services.processes import free_port, wait_for
from tests.services.test_webhooks import new_keys

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
        task = asyncio.create_task(Deliverer(database, NEAR, keys, send, pace).run(stop))
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


def test_workers_that_are_killed_lose_nothing_and_sign_with_a_live_key(new_base, tmp_path):
    base = new_base()
    found = soak(base.server, base.name, tmp_path, events=150, workers=3, kills=2, rotations=1)
    assert found.wrong == []
    assert (found.events, found.killed, found.rotated) == (150, 2, 1)


def test_a_message_is_signed_numbered_and_the_same_over_all_tries(base, keys, receiver):
    answers = iter(["/500", "/reset", "/204", "/204"])
    receiver.choose = lambda _: next(answers)
    webhook(base, f"{receiver.url}/choose", legacy_signature="true")
    tell(base, 1, payload='{"run_id": "r1"}')
    deliver(base, keys, ALL_ENDED)
    tell(base, 1, payload='{"run_id": "r2"}')
    deliver(base, keys, ALL_ENDED)
    assert len(receiver.got) == 4
    for one in receiver.got:
        verify(one.headers, one.body, keys.secrets(name(0), datetime.now(UTC)), datetime.now(UTC))
        assert one.headers["x-webhook-key-version"] == "v1"
    assert len({(one.headers["webhook-id"], one.body) for one in receiver.got[:3]}) == 1
    assert [json.loads(one.body)["sequence"] for one in receiver.got[2:]] == [1, 2]
    log = base.rows("SELECT status, code FROM delivery_attempts ORDER BY id")
    assert log == [(500, "HTTP_5XX"), (None, "CONNECTION"), (204, None), (204, None)]


def test_who_has_lost_the_claim_has_no_say(base):
    webhook(base, "https://a.example")
    tell(base)

    async def act(database: Database) -> None:
        await spread(database)
        (first,) = await claimed(database, lease_s=0.05)
        await asyncio.sleep(0.1)
        (second,) = await claimed(database)
        assert (first.id, second.fence) == (second.id, first.fence + 1)
        for late in (
            End(first, Try(1, code="LATE"), None),
            End(first, Try(1, code="LATE"), 0),
            End(first, Try(1), 0),
        ):
            assert await settle(database, [late]) == set()
        await release(database, [first])
        assert await claimed(database) == []
        assert await settle(database, [End(second, Try(1, 204), None)]) == {second.id}
        assert await settle(database, [End(second, Try(1, 204), None)]) == set()
        assert await claimed(database) == []

    run(base, act)
    assert states(base) == {"delivered": 1}
    assert base.rows("SELECT code FROM delivery_attempts") == [(None,)]


def test_what_somebody_else_is_claiming_is_passed_over_and_not_waited_for(base):
    webhook(base, "https://a.example")
    tell(base, 3)

    async def act(database: Database) -> None:
        await spread(database)
        with psycopg.connect(base.url("root")) as other:
            other.execute("SELECT 1 FROM deliveries ORDER BY sequence LIMIT 1 FOR UPDATE")
            found = await claimed(database)
        assert [one.sequence for one in found] == [2, 3]
        assert await claimed(database) != []

    run(base, act)


def test_what_is_given_back_has_lost_no_try(base):
    webhook(base, "https://a.example")
    tell(base)

    async def act(database: Database) -> None:
        await spread(database)
        await release(database, await claimed(database))
        (again,) = await claimed(database)
        assert again.tries == 0
        assert await settle(database, [End(again, Try(1, 500, "HTTP_5XX"), 0.2)]) == {again.id}
        assert await claimed(database) == []
        await asyncio.sleep(0.3)
        (later,) = await claimed(database)
        assert (later.tries, later.message, later.sequence) == (1, again.message, 1)

    run(base, act)


def test_messages_become_deliveries_once_for_those_that_want_them(base):
    wanted = {0: "'{*}'", 1: "'{run.*,x.y}'", 2: "'{run.ended}'", 3: "'{other.*}'", 4: "'{run.begun}'"}
    for number, topics in wanted.items():
        webhook(base, "https://a.example", number, topics=topics)
    webhook(base, "https://a.example", 5, request_id="'r1'")
    base.server.execute(f"UPDATE webhooks SET tenant_id = 'evil' WHERE id = '{name(4)}'", base.name)
    tell(base, 20)
    tell(base, 1, "request.approved", '{"request_id": "r1"}')
    tell(base, 1, "request.approved", '{"request_id": "r2"}')

    async def act(database: Database) -> int:
        return sum(await asyncio.gather(*(spread(database, limit=7) for _ in range(3)))) + sum(
            [await spread(database, limit=7) for _ in range(4)]
        )

    assert run(base, act) == 22
    found = dict(base.rows("SELECT webhook_id, count(*) FROM deliveries GROUP BY webhook_id"))
    assert found == {name(0): 22, name(1): 20, name(2): 20, name(5): 1}
    assert (
        base.rows(
            "SELECT webhook_id FROM deliveries GROUP BY webhook_id "
            "HAVING count(*) <> max(sequence) OR min(sequence) <> 1"
        )
        == []
    )
    assert base.rows(
        "SELECT count(*) FROM (SELECT o.sequence - lag(o.sequence) OVER (PARTITION BY webhook_id ORDER BY d.sequence) "
        "AS step FROM deliveries d JOIN outbox o ON o.id = message_id) s WHERE step <= 0"
    ) == [(0,)]


def test_410_disables_and_what_else_waits_is_kept(base, keys, receiver):
    webhook(base, f"{receiver.url}/410")
    webhook(base, "https://127.0.0.2/", 1, topics="'{webhook.disabled}'")
    tell(base, 3)
    deliver(base, keys, "SELECT count(*) FROM webhooks WHERE disabled_reason = 'gone'")
    assert len(receiver.got) == 1
    assert base.rows("SELECT action, issuer, object FROM audit") == [
        ("webhook.disabled", "urn:aos:host", name(0)),
    ]
    tell(base, 1)
    assert base.rows("SELECT topic, payload FROM outbox WHERE topic LIKE 'webhook%'") == [
        ("webhook.disabled", {"webhook_id": name(0), "reason": "gone"})
    ]
    before = len(receiver.got)
    deliver(
        base, keys, f"SELECT count(*) FROM delivery_attempts WHERE code = 'ADDRESS_REFUSED' OR {before} < 0"
    )
    assert len(receiver.got) == before
    assert states(base)["waiting"] >= 3


def test_who_is_gone_is_asked_once(base, keys, receiver):
    """The next round of a webhook waits until it is disabled."""
    for number in range(20):
        webhook(base, f"{receiver.url}/410", number)
    tell(base, 3)
    deliver(base, keys, "SELECT count(*) = 20 FROM webhooks WHERE disabled_reason = 'gone'")
    assert len(receiver.got) == 20


@pytest.mark.parametrize("lately", [False, True])
def test_a_message_that_never_arrives_disables_unless_another_did_lately(base, keys, receiver, lately):
    before = DELIVERIES.labels("failed")._value.get()
    webhook(base, f"{receiver.url}/choose")
    if lately:
        receiver.choose = lambda _: "/204"
        tell(base)
        deliver(base, keys, ALL_ENDED)
    receiver.choose = lambda _: "/500"
    tell(base)
    deliver(base, keys, "SELECT count(*) FROM deliveries WHERE state = 'failed'")
    assert base.rows("SELECT count(*) FROM delivery_attempts WHERE status = 500") == [(10,)]
    assert base.rows("SELECT disabled_reason FROM webhooks") == [(None if lately else "failing",)]
    assert DELIVERIES.labels("failed")._value.get() == before + 1


def test_a_receiver_that_hangs_keeps_nobody_waiting(base, keys, receiver):
    """Neither at another host nor at the same one: it holds one of the four connections, whatever waits for it."""
    webhook(base, f"{receiver.url}/hang")
    webhook(base, f"{receiver.url}/204", 1)
    tell(base, 30)
    hanging, most = 0, 0

    async def send(network: Network, url: str, headers: Mapping[str, str], body: bytes) -> Try:
        nonlocal hanging, most
        if not url.endswith("/hang"):
            return await post(network, url, headers, body)
        hanging += 1
        most = max(most, hanging)
        tried = await post(network, url, headers, body, 0.5)
        hanging -= 1
        return tried

    deliver(base, keys, "SELECT count(*) FILTER (WHERE status = 204) = 30 AND count(*) >= 32 FROM delivery_attempts",
            send=send)  # fmt: skip
    (late,) = base.rows(
        f"SELECT max(ended_at - created_at) < '5 s' FROM deliveries WHERE webhook_id = '{name(1)}'"
    )
    assert (late, most) == ((True,), 1)


def test_a_fault_of_ours_costs_no_other_webhook_its_messages(base, keys, receiver, caplog):
    """Here a try says that it took longer than a column can hold."""
    webhook(base, f"{receiver.url}/204?odd")
    webhook(base, f"{receiver.url}/204", 1)
    tell(base, 5)

    async def send(network: Network, url: str, headers: Mapping[str, str], body: bytes) -> Try:
        tried = await post(network, url, headers, body)
        return tried._replace(ms=2**40) if "odd" in url else tried

    deliver(base, keys, "SELECT count(*) = 5 FROM deliveries WHERE state = 'delivered'", send=send)
    assert base.rows("SELECT DISTINCT webhook_id FROM deliveries WHERE state = 'delivered'") == [(name(1),)]
    assert f"a round of {name(0)} failed" in caplog.text


def test_at_most_four_at_once_reach_a_host(base, keys, receiver):
    for number in range(3):
        webhook(base, f"{receiver.url}/wait", number)
    tell(base, 10)
    now, most = 0, 0

    async def send(network: Network, url: str, headers: Mapping[str, str], body: bytes) -> Try:
        nonlocal now, most
        now += 1
        most = max(most, now)
        try:
            return await post(network, url, headers, body)
        finally:
            now -= 1

    deliver(base, keys, ALL_ENDED, send=send)
    assert (len(receiver.got), most) == (30, PER_HOST)


def test_each_delivery_passes_the_guard(base, keys, receiver):
    """An address that was allowed once, or that came into the database in another way, is not reached."""
    port = receiver.url.rpartition(":")[2]
    urls = [
        f"http://localhost:{port}/",
        f"https://127.0.0.2:{port}/",
        f"https://localhost:{port}/",
        "https://10.0.0.1/",
    ]
    for number, url in enumerate(urls):
        webhook(base, url, number)
    tell(base)
    deliver(base, keys, f"SELECT count(*) >= {len(urls)} FROM delivery_attempts", pace=Pace())
    assert receiver.got == []
    assert base.rows("SELECT DISTINCT code FROM delivery_attempts") == [("ADDRESS_REFUSED",)]
    assert base.rows(
        "SELECT count(*) FROM deliveries WHERE due_at BETWEEN now() AND now() + interval '6 s'"
    ) == [(4,)]


def test_a_fault_of_ours_stops_nobody(base, keys, receiver):
    webhook(base, f"{receiver.url}/204")
    webhook(base, f"{receiver.url}/200", 1)
    tell(base)

    async def send(network: Network, url: str, headers: Mapping[str, str], body: bytes) -> Try:
        if url.endswith("/204"):
            raise ValueError("secret")
        return await post(network, url, headers, body)

    deliver(base, keys, "SELECT count(*) = 2 FROM delivery_attempts", send=send, pace=Pace())
    assert base.rows("SELECT code, detail FROM delivery_attempts ORDER BY code") == [
        *[("INTERNAL", "the server failed"), (None, None)]
    ]


def test_what_is_older_than_30_days_is_forgotten(base):
    webhook(base, "https://a.example")
    webhook(base, "https://a.example", 1, request_id="'r1'", created_at="now() - interval '41 days'")
    tell(base, 2)

    async def act(database: Database) -> tuple[int, int]:
        await spread(database)
        (_, second) = await claimed(database)
        await settle(database, [End(second, Try(1, 204), None)])
        base.server.execute(
            f"UPDATE outbox SET created_at = now() - interval '31 days' WHERE id = '{second.message}'",
            base.name,
        )
        return await forget(database), await forget(database)

    assert run(base, act) == (2, 0)
    counts = "SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM deliveries), (SELECT count(*) FROM webhooks)"
    assert base.rows(counts) == [(1, 1, 1)]


@pytest.fixture
def worker(new_base, tmp_path: Path, receiver) -> Iterator[tuple[Any, "subprocess.Popen[bytes]", int]]:
    """`aos-server worker` as a process."""
    base = new_base()
    new_keys(tmp_path / "keys")
    environment = {
        "PATH": "/usr/bin",
        "DATABASE_URL": base.pooled("aos_worker"),
        "AOS_AUDIT_KEY_PATH": str(tmp_path / "audit.key"),
        "AOS_AUDIT_CHECKPOINTS_PATH": str(tmp_path / "checkpoints"),
        "WEBHOOK_KEYS_PATH": str(tmp_path / "keys"),
        "AOS_WEBHOOK_HOSTS": "127.0.0.1",
        "AOS_WORKER_PORT": str(port := free_port()),
    }
    words = [sys.executable, "-m", "aos_server", "worker", "--json"]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    yield base, process, port
    process.kill()
    process.communicate()


def test_the_worker_delivers_sequences_within_a_second_and_ends_when_told(worker, receiver):
    base, process, port = worker
    add = "INSERT INTO audit VALUES (gen_random_uuid(), 'acme', now(), 'iss', 'ann', 'act', 'x')"
    leaves = "SELECT count(*) FROM audit_leaves"
    webhook(base, f"{receiver.url}/204")
    base.server.execute(add, base.name)
    base.server.execute(
        "INSERT INTO idempotency_keys VALUES ('acme', 'iss', 'ann', 'k', 'd', 200, '{}', now() - interval '2 days')",
        base.name,
    )
    tell(base)
    wait_for(lambda: base.rows(leaves) == [(1,)], "the worker has begun")
    base.server.execute(add, base.name)
    wait_for(lambda: base.rows(leaves) == [(2,)], "the second row is sequenced", 5)
    wait_for(lambda: base.rows("SELECT 1 FROM idempotency_keys") == [], "an old key is forgotten")
    wait_for(lambda: states(base) == {"delivered": 1}, "the message is delivered")
    told = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    assert 'nova_webhook_deliveries_total{result="delivered"} 1.0' in told
    assert "nova_webhook_oldest_undelivered_seconds" in told
    assert "nova_webhook_key_live 1.0" in told
    assert "nova_webhook_key_backend_up 1.0" in told
    assert re.search(r"^nova_webhook_key_age_seconds [0-9.]+$", told, re.MULTILINE)
    assert 'nova_webhook_key_rotations_total{result="done"} 0.0' in told
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    (said,) = err.splitlines()
    assert b"AOS_WEBHOOK_HOSTS" in said
    document = json.loads(out)
    assert (document["status"], faults(document)) == ("ended", [])


def test_a_worker_without_a_key_does_not_start(base, tmp_path):
    environment = {
        "PATH": "/usr/bin",
        "DATABASE_URL": base.pooled("aos_worker"),
        "AOS_AUDIT_KEY_PATH": str(tmp_path / "audit.key"),
        "AOS_AUDIT_CHECKPOINTS_PATH": str(tmp_path / "checkpoints"),
        "WEBHOOK_KEYS_PATH": str(tmp_path / "keys"),
    }
    words = [sys.executable, "-m", "aos_server", "worker", "--json"]
    done = subprocess.run(words, env=environment, capture_output=True, timeout=30)
    assert done.returncode == 2
    assert json.loads(done.stdout)["code"] == "key_missing"
