"""Receivers that are gone, hang or fail: they keep only themselves waiting, and nobody for ever."""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping

import pytest

from aos.runtime.guards.network import Network
from aos_server.db.pool import Database
from aos_server.jobs.deliveries import PER_HOST, Pace
from aos_server.jobs.posting import post
from aos_server.metrics import DELIVERIES
from aos_server.services.webhooks.queue import Try, spread
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


def test_each_try_that_does_not_arrive_is_a_line_of_the_log(base, keys, receiver, caplog):
    caplog.set_level(logging.INFO, "aos_server.jobs.deliveries")
    webhook(base, f"{receiver.url}/204")
    webhook(base, f"{receiver.url}/410", 1)
    tell(base)
    deliver(base, keys, ALL_ENDED)
    (line,) = [record for record in caplog.records if record.message == "delivery"]
    assert (line.webhook, line.tenant, line.result) == (name(1), "acme", "failed")
    assert (line.code, line.status) == ("GONE", 410)
    assert (str(line.delivery),) == base.rows("SELECT id::text FROM deliveries WHERE state = 'failed'")[0]


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


def crowd(base, urls: str) -> None:
    """160 webhooks, every fourth of them of a second tenant, with a message for each."""
    base.server.execute(
        "INSERT INTO webhooks (id, tenant_id, url, topics, created_issuer, created_by, audit_id) "
        "SELECT 'wh_aaaaaaaaaaaaa' || translate(lpad(n::text, 3, '0'), '0189', 'abcd'), "
        f"CASE n % 4 WHEN 0 THEN 'evil' ELSE 'acme' END, {urls}, '{{*}}', 'i', 's', gen_random_uuid() "
        "FROM generate_series(1, 160) n; "
        "INSERT INTO outbox (id, tenant_id, topic, payload, audit_id) "
        "SELECT gen_random_uuid(), tenant, 'run.ended', '{}', gen_random_uuid() "
        "FROM unnest('{acme,evil}'::text[]) tenant",
        base.name,
    )


def test_a_tenant_whose_receivers_all_hang_leaves_room_for_others(base, keys):
    crowd(base, "CASE n % 4 WHEN 0 THEN 'https://well.example/' ELSE 'https://hang.example/' END")
    well, all_well = 0, asyncio.Event()

    async def send(network: Network, url: str, headers: Mapping[str, str], body: bytes) -> Try:
        nonlocal well
        if "hang" in url:
            try:
                await asyncio.wait_for(all_well.wait(), 8)
            except TimeoutError:
                all_well.set()  # nobody else has to wait as long
                return Try(1, 500, "HTTP_5XX")
            return Try(1, 204)
        well += 1
        if well == 40:
            all_well.set()
        return Try(1, 204)

    deliver(base, keys, ALL_ENDED, send=send)
    assert base.rows("SELECT count(*) FROM delivery_attempts WHERE status = 500") == [(0,)]


def test_a_claim_counts_what_a_tenant_has_already(base):
    crowd(base, "'https://a.example/'")

    async def act(database: Database) -> list[Counter[str]]:
        await spread(database)
        busy: dict[str, str] = {}
        found = []
        for free in (60, 60, 60):
            taken = await claimed(database, webhooks=free, each=1, busy=busy, of_tenant=50)
            busy |= {one.webhook: one.tenant for one in taken}
            found.append(Counter(busy.values()))
        return found

    first, *_, last = run(base, act)
    assert (first.total(), max(first.values()) <= 50) == (60, True)
    assert last == {"acme": 50, "evil": 40}
