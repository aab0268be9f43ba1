"""Deliveries: whatever happens to workers, each message arrives, always with the one id it has."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from aos.webhooks import verify
from aos_server.db.pool import Database
from aos_server.jobs.deliveries import Pace
from aos_server.keystores.changes import carry_out, rotate
from aos_server.keystores.keyring import Keyring
from aos_server.services.webhooks.queue import End, Try, forget, release, settle, spread
from tests.cli.schemas import faults
from tests.races.deliveries import soak
from tests.services.keys.making import new_keys
from tests.services.processes import free_port, wait_for
from tests.services.serving.settings import of_worker
from tests.services.webhooks.delivering import (
    ALL_ENDED,
    base,
    claimed,
    deliver,
    keys,
    name,
    receiver,
    run,
    shared,
    states,
    tell,
    webhook,
)

__all__ = ["base", "keys", "receiver", "shared"]


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


def test_a_rehearsal_is_signed_with_a_key_that_was_made_a_moment_ago(base, receiver, tmp_path):
    """The worker has not looked for new keys since; nobody but the rehearsal has it look."""
    backend = new_keys(tmp_path / "keys")
    ring = Keyring(backend, datetime.now(UTC))
    carry_out(backend, rotate(backend, datetime.now(UTC), timedelta(hours=1)))
    webhook(base, f"{receiver.url}/204")
    tell(base, topic="webhook.rehearsal", payload='{"key_version": "v2"}')
    deliver(base, ring, ALL_ENDED, pace=Pace())
    assert base.rows("SELECT code FROM delivery_attempts") == [(None,)]
    assert verify(
        receiver.got[0].headers,
        receiver.got[0].body,
        ring.secrets(name(0), datetime.now(UTC))[:1],
        datetime.now(UTC),
    )


def test_a_rehearsal_whose_key_is_nowhere_ends(base, keys, receiver):
    webhook(base, f"{receiver.url}/204")
    tell(base, topic="webhook.rehearsal", payload='{"key_version": "v9"}')
    deliver(base, keys, "SELECT count(*) = 2 FROM delivery_attempts WHERE code = 'KEY_NOT_LOADED'")
    assert receiver.got == []


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


def test_what_is_told_of_a_request_names_the_page_on_which_people_decide(base, keys):
    webhook(base, "http://127.0.0.1:9")
    tell(base, 1, "request.created", '{"request_id": "r1"}')
    tell(base, 1)
    told = {}

    async def send(network: Any, url: str, headers: Any, body: bytes) -> Try:
        document = json.loads(body)
        told[document["type"]] = document["data"]
        return Try(1, 204)

    deliver(base, keys, "SELECT count(*) = 2 FROM deliveries WHERE state = 'delivered'", send=send)
    page = {"request_id": "r1", "inbox_url": "https://aos.example/inbox/r1"}
    assert told == {"request.created": page, "run.ended": {}}


@pytest.fixture
def worker(new_base, tmp_path: Path, receiver) -> Iterator[tuple[Any, "subprocess.Popen[bytes]", int]]:
    """`aos-server worker` as a process."""
    base = new_base()
    new_keys(tmp_path / "keys")
    environment = {
        **of_worker(base, tmp_path),
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
    tell(base)
    wait_for(lambda: base.rows(leaves) == [(1,)], "the worker has begun")
    base.server.execute(add, base.name)
    wait_for(lambda: base.rows(leaves) == [(2,)], "the second row is sequenced")
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
    first, *others = [json.loads(line) for line in err.splitlines()]
    assert "AOS_WEBHOOK_HOSTS" in first["event"]
    assert all(one["level"] == "info" for one in others), others
    assert {"working", "ending"} <= {one["event"] for one in others}
    document = json.loads(out)
    assert (document["status"], faults(document)) == ("ended", [])


def test_a_worker_without_a_key_does_not_start(base, tmp_path):
    words = [sys.executable, "-m", "aos_server", "worker", "--json"]
    done = subprocess.run(words, env=of_worker(base, tmp_path), capture_output=True, timeout=30)
    assert done.returncode == 2
    assert json.loads(done.stdout)["code"] == "key_missing"


def loop(port: int, what: str, name: str) -> float:
    """What a worker tells of one of its loops."""
    told = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    (found,) = re.findall(rf'^nova_worker_{what}{{loop="{name}"}} (\S+)$', told, re.MULTILINE)
    return float(found)


def test_a_loop_that_meets_a_fault_stops_no_other_and_goes_on_once_it_is_mended(worker, receiver):
    base, process, port = worker
    owner = "ALTER TABLE {} RENAME TO {}"
    base.server.execute(owner.format("audit_pending", "elsewhere"), base.name)
    webhook(base, f"{receiver.url}/204")
    tell(base)
    wait_for(lambda: states(base) == {"delivered": 1}, "the message is delivered")
    wait_for(lambda: loop(port, "turns_failed_total", "audit") > 0, "the fault is counted")
    last = loop(port, "last_turn_timestamp_seconds", "audit")
    wait_for(lambda: loop(port, "turns_failed_total", "audit") > 1, "it is met again")
    assert loop(port, "last_turn_timestamp_seconds", "audit") == last
    assert loop(port, "last_turn_timestamp_seconds", "expiry") > last
    base.server.execute(owner.format("elsewhere", "audit_pending"), base.name)
    base.server.execute(
        "INSERT INTO audit VALUES (gen_random_uuid(), 'acme', now(), 'iss', 'ann', 'act', 'x')", base.name
    )
    wait_for(lambda: base.rows("SELECT count(*) FROM audit_leaves") == [(1,)], "the row is sequenced")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert b"audit failed" in err
