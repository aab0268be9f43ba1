"""Webhooks over HTTP: made, changed, disabled and removed by who may, each time with its audit row."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.routing import Router

from aos.errors import AosError
from aos.wire.approvals import request_digest
from aos_server.app import application
from aos_server.db.pool import Database
from aos_server.keystores.backend import Backend
from aos_server.keystores.file import FileBackend
from aos_server.keystores.keyring import Keyring
from aos_server.services.requests import reads
from aos_server.services.requests.create import Asked, Desk, create
from aos_server.services.webhooks.endpoints import Webhooks
from aos_server.services.webhooks.queue import spread
from aos_server.services.webhooks.targets import network_of
from tests.server.http.world import NO_RUNS, told
from tests.server.serve import serving
from tests.services.keys.making import new_keys
from tests.services.requests import requesting
from tests.services.requests.requesting import ANN, READ, ask
from tests.services.staff import Staff, by

API = "/api/v1/webhooks"
HERE = "http://127.0.0.1:9/hook"


def served(
    base, keys: Keyring | None, hosts: tuple[str, ...] = ("127.0.0.1",), keystore: Backend | None = None
) -> Any:
    """The server on a test's database, whose webhooks may lead to `hosts`."""

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        async with Database.open(base.pooled("aos_app"), 4) as database:
            webhooks = Webhooks(database, network_of(hosts))
            outer.default = application(
                Staff(), runs=NO_RUNS, webhooks=webhooks, keys=keys, keystore=keystore
            )
            yield

    outer = Router(lifespan=lifespan, redirect_slashes=False)
    return outer


@pytest.fixture
def ring(tmp_path) -> Keyring:
    return Keyring(new_keys(tmp_path / "keys"), datetime.now(UTC))


@pytest.fixture
def client(base, ring) -> Iterator[httpx.Client]:
    with (
        serving(served(base, ring)) as url,
        httpx.Client(base_url=url, headers={"Authorization": "Bearer engineer"}, timeout=30) as client,
    ):
        yield client


def make(client: httpx.Client, **more: Any) -> dict[str, Any]:
    answer = client.post(API, json={"url": HERE, **more})
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def actions(base) -> list[str]:
    return [action for (action,) in base.rows("SELECT action FROM audit ORDER BY at")]


def test_a_webhook_is_made_changed_disabled_enabled_and_removed_each_time_in_the_audit_log(client, base):
    made = make(client, topics=["run.*", "request.approved"], description="ours")
    at = f"{API}/{made['webhook_id']}"
    assert client.get(at).json() == made
    assert (made["state"], made["created_by"], made["waiting"], made["legacy_signature"]) == (
        *("active", "engineer", 0, False),
    )
    changed = client.patch(at, json={"topics": ["*"], "legacy_signature": True}).json()
    assert (changed["topics"], changed["legacy_signature"], changed["description"]) == (["*"], True, "ours")
    disabled = client.post(f"{at}/disable").json()
    assert (disabled["state"], disabled["disabled_reason"]) == ("disabled", "asked")
    assert told(client.post(f"{at}/test"))["code"] == "webhook_conflict"
    assert client.post(f"{at}/enable").json()["state"] == "active"
    assert client.delete(at).json()["state"] == "removed"
    assert told(client.get(at))["code"] == "not_found"
    assert client.get(API).json()["webhooks"] == []
    assert actions(base) == [
        f"webhook.{verb}" for verb in ("created", "changed", "disabled", "enabled", "removed")
    ]
    assert base.rows("SELECT topic, payload ->> 'reason' FROM outbox") == [("webhook.disabled", "asked")]
    assert base.rows("SELECT count(*) FROM audit WHERE details::text LIKE '%hook%'") == [
        (0,)
    ]  # no path of a URL


def test_what_somebody_made_is_theirs_and_of_level_4(client, base):
    at = f"{API}/{make(client)['webhook_id']}"
    acts = [("PATCH", at, {"description": "x"}), ("POST", f"{at}/disable", None), ("POST", f"{at}/enable", None),
            ("POST", f"{at}/test", None), ("GET", f"{at}/secret", None), ("DELETE", at, None)]  # fmt: skip
    for method, path, body in acts:
        assert told(client.request(method, path, json=body, headers=by("colleague")))["status"] == 403
        assert told(client.request(method, path, json=body, headers=by("reader")))["status"] == 403
        assert told(client.request(method, path, json=body, headers=by("stranger")))["status"] == 404
    words = ("change", "disable", "enable", "test", "show_secret", "remove")
    assert actions(base) == ["webhook.created", *(f"webhook.{word}.refused" for word in words)]
    assert client.get(at, headers=by("reader")).json()["url"] == "http://127.0.0.1:9/…"
    assert client.get(at, headers=by("manager")).json()["url"] == HERE
    for method, path, body in acts:
        assert client.request(method, path, json=body, headers=by("manager")).is_success, path


def test_the_secret_is_that_of_the_keys_and_asking_is_audited(client, base, ring):
    webhook = make(client)["webhook_id"]
    at = f"{API}/{webhook}/secret"
    (only,) = client.get(at).json()["secrets"]
    now = datetime.now(UTC)
    assert (only["secret"], only["key_version"], only["signs_until"]) == (
        *(ring.secrets(webhook, now)[0], "v1", None),
    )
    ring.rotate(now, timedelta(hours=1))
    new, old = client.get(at).json()["secrets"]
    assert (new["key_version"], old["key_version"], old["secret"]) == ("v2", "v1", only["secret"])
    assert old["signs_until"]
    assert actions(base) == ["webhook.created", "webhook.secret_shown", "webhook.secret_shown"]
    assert base.rows("SELECT count(*) FROM audit WHERE details::text LIKE '%whsec%'") == [(0,)]
    with serving(served(base, None)) as url:
        assert told(httpx.get(url + at, headers=by("engineer")))["code"] == "key_missing"


def test_a_server_that_started_without_a_key_finds_the_first_one(base, tmp_path):
    folder = tmp_path / "keys"
    with (
        serving(served(base, None, keystore=FileBackend(folder))) as url,
        httpx.Client(base_url=url, headers=by("engineer"), timeout=30) as client,
    ):
        at = f"{API}/{make(client)['webhook_id']}/secret"
        refused = told(client.get(at))
        assert refused["code"] == "key_missing"
        assert str(folder) not in str(refused)
        new_keys(folder)
        assert [one["key_version"] for one in client.get(at).json()["secrets"]] == ["v1"]


REFUSED = (
    *("https://10.0.0.1/", "https://169.254.169.254/latest", "https://[::1]/", "https://2130706433/", "x"),
    *(
        "https://0x7f.1/",
        "http://8.8.8.8/",
        "ftp://8.8.8.8/",
        "https://",
        "https://a b/",
        "https://u:p@8.8.8.8/",
    ),
    *("https://8.8.8.8/#f", "https://8.8.8.8:0/", "https://localhost/", "https://[::ffff:127.0.0.1]/"),
    *("https://nothing.invalid/", "https://8.8.8.8/\u202e", "https://8.8.8.8/" + "a" * 2040),
)


def test_what_is_not_public_or_no_address_is_refused_at_creation_and_at_change(client, base):
    at, kept = f"{API}/{make(client)['webhook_id']}", ["webhook.created"]
    for url in REFUSED:
        for act, answer in (
            ("create", client.post(API, json={"url": url})),
            ("change", client.patch(at, json={"url": url})),
        ):
            code = told(answer)["code"]
            assert code in ("webhook_refused", "invalid_request"), url
            assert "10.0.0.1 is" not in answer.text
            kept += [f"webhook.{act}.refused"] * (code == "webhook_refused")
    assert actions(base) == kept


def test_what_is_wrong_with_a_body_is_said(client):
    for body, pointer in (
        ({}, ""),
        ({"url": HERE, "topics": ["Run"]}, "/topics/0"),
        ({"url": HERE, "topics": ["run.ended", "*.ended"]}, "/topics/1"),
        ({"url": HERE, "topics": []}, "/topics"),
        ({"url": HERE, "description": "x" * 201}, "/description"),
        ({"url": HERE, "secret": "mine"}, "/secret"),
    ):
        assert [one["pointer"] for one in told(client.post(API, json=body))["errors"]] == [pointer]
    answer = client.post(API, json={"url": HERE, "tenant_id": "evil"})
    assert told(answer)["code"] == "authorization_denied"


def test_the_same_key_makes_one_webhook_and_one_test(client, base):
    key = {"Idempotency-Key": "k1"}
    first, again = (client.post(API, json={"url": HERE}, headers=key) for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    at = f"{API}/{first.json()['webhook_id']}/test"
    one, two = (client.post(at, headers={"Idempotency-Key": "k2"}) for _ in range(2))
    assert (one.status_code, one.json()) == (202, two.json())
    assert base.rows("SELECT (SELECT count(*) FROM webhooks), (SELECT count(*) FROM deliveries)") == [(1, 1)]
    assert told(client.post(API, json={"url": HERE + "2"}, headers=key))["code"] == "idempotency_mismatch"


def test_lists_come_by_pages_and_deliveries_with_their_log(client, base):
    ids = [make(client, description=str(n))["webhook_id"] for n in range(3)]
    page = client.get(API, params={"limit": 2}).json()
    rest = client.get(API, params={"limit": 2, "cursor": page["next"]}).json()
    assert [one["webhook_id"] for one in page["webhooks"] + rest["webhooks"]] == ids[::-1]
    assert rest["next"] is None
    assert client.get(API, headers=by("stranger")).json()["webhooks"] == []

    at = f"{API}/{ids[0]}"
    sent = [client.post(f"{at}/test").json()["delivery_id"] for _ in range(3)]
    base.server.execute(
        "INSERT INTO delivery_attempts (tenant_id, delivery_id, ms, status, code, reply) "
        f"VALUES ('acme', '{sent[0]}', 12, 500, 'HTTP_5XX', 'oops')",
        base.name,
    )
    page = client.get(f"{at}/deliveries", params={"limit": 2}).json()
    rest = client.get(f"{at}/deliveries", params={"limit": 2, "cursor": page["next"]}).json()
    found = page["deliveries"] + rest["deliveries"]
    assert [one["delivery_id"] for one in found] == sent[::-1]
    assert [one["sequence"] for one in found] == [3, 2, 1]
    assert (found[-1]["status"], found[-1]["code"], found[-1]["attempts"]) == (500, "HTTP_5XX", 1)
    assert client.get(f"{at}/deliveries", params={"state": "failed"}).json()["deliveries"] == []
    shown = client.get(f"{API}/deliveries/{sent[0]}").json()
    assert shown["data"] == {"webhook_id": ids[0], "asked_by": "engineer"}
    assert [(one["status"], one["reply"]) for one in shown["log"]] == [(500, "oops")]
    for path in (f"{API}/deliveries/{sent[0]}", f"{at}/deliveries"):
        assert told(client.get(path, headers=by("stranger")))["code"] == "not_found"


def test_a_redelivery_begins_anew_with_the_same_id_and_whoever_tried_has_lost_the_claim(client, base):
    at = f"{API}/{make(client)['webhook_id']}"
    delivery = client.post(f"{at}/test").json()
    base.server.execute(
        "UPDATE deliveries SET state = 'failed', tries = 10, fence = 4, ended_at = now()", base.name
    )
    path = f"{API}/deliveries/{delivery['delivery_id']}/redeliver"
    assert told(client.post(path, headers=by("colleague")))["status"] == 403
    answer = client.post(path)
    assert answer.status_code == 202
    assert (answer.json()["message_id"], answer.json()["state"]) == (delivery["message_id"], "waiting")
    assert base.rows("SELECT state, tries, fence, ended_at FROM deliveries") == [("waiting", 0, 5, None)]
    client.post(f"{at}/disable")
    assert told(client.post(path))["code"] == "webhook_conflict"
    for unknown in (uuid4(), "x"):
        assert told(client.post(f"{API}/deliveries/{unknown}/redeliver"))["code"] == "not_found"


def test_a_tenant_has_no_more_than_a_hundred(client, base):
    base.server.execute(
        "INSERT INTO webhooks (id, tenant_id, url, topics, created_issuer, created_by, audit_id, request_id) "
        "SELECT 'wh_aaaaaaaaaaaaaa' || chr(97 + n / 26) || chr(97 + n % 26), 'acme', 'https://a.example', '{*}', 'i', "
        "'s', gen_random_uuid(), CASE WHEN n = 0 THEN 'r1' END FROM generate_series(0, 99) n",
        base.name,
    )
    make(client)  # the hundredth: the one of a request does not count
    assert told(client.post(API, json={"url": HERE}))["code"] == "webhook_conflict"
    assert "wh_aaaaaaaaaaaaaaaa" not in {
        one["webhook_id"] for one in client.get(API, params={"limit": 200}).json()["webhooks"]
    }


def test_a_request_has_a_webhook_of_its_own_that_gets_what_becomes_of_it(base):
    near = network_of(("127.0.0.1",))

    async def act(desk: Desk) -> tuple[dict[str, Any], str]:
        wired = desk._replace(network=near)
        asked = Asked("cost", READ, skill="fs_read", level=3, webhook_url=HERE)
        made = dict((await create(wired, ANN, asked)).body)
        with pytest.raises(AosError) as caught:
            await create(desk, ANN, asked)
        assert caught.value.code == "webhook_refused"
        assert actions(base) == ["request.created", "request.create.refused"]
        other = await ask(wired)
        assert not (await reads.get(desk.database, "acme", other))["webhook_id"]
        shown = await reads.get(desk.database, "acme", made["request_id"])
        assert shown["webhook_id"] == made["webhook_id"]
        assert request_digest(shown) == made["digest"]
        return made, other

    made, _ = requesting.run(base, act)
    assert base.rows("SELECT id, url, request_id, created_by FROM webhooks") == [
        (made["webhook_id"], HERE, made["request_id"], "ann")
    ]
    assert requesting.worker(base, spread) == 2
    sent = "SELECT webhook_id, topic, payload ->> 'request_id' FROM deliveries JOIN outbox o ON o.id = message_id"
    assert base.rows(sent) == [(made["webhook_id"], "request.created", made["request_id"])]
