"""What is the server's is operated from one tenant: the keys that sign webhooks of all."""

from typing import Any

import httpx

from aos_server.http.handlers.keys import KeyCalls
from aos_server.http.routes.keys import keys as key_routes
from aos_server.keystores.changes import load
from tests.server.http.world import told
from tests.server.serve import serving
from tests.services.keys.working import KEYS, working_server
from tests.services.staff import by

EVERY_CALL = (
    *(("GET", path) for path in ("", "/v1", "/verify", "/rehearsal")),
    *(("POST", path) for path in ("/rotate", "/rehearsal", "/v1/retire")),
)


def test_every_address_of_keys_is_tried_here():
    served = {(one.method, one.path.replace("{version}", "v1")) for one in key_routes(KEYS, KeyCalls(None))}
    assert served == {(method, KEYS + path) for method, path in EVERY_CALL}


def refusals(client: httpx.Client, name: str) -> list[str | None]:
    """What somebody is told at each address; None: they are let in."""
    found = []
    for method, path in EVERY_CALL:
        body: dict[str, Any] | None = {"dry_run": True} if path == "/rotate" else {}
        answer = client.request(method, KEYS + path, json=None if method == "GET" else body, headers=by(name))
        found.append(told(answer)["fix"] if answer.status_code == 403 else None)
    return found


def test_who_operates_another_tenant_does_not_operate_the_server(client, base, folder):
    assert None not in refusals(client, "elsewhere")
    assert [one.name for one in load(folder)[0].versions] == ["v1"]
    kept = base.rows("SELECT DISTINCT tenant_id, action FROM audit")
    assert kept == [("evil", "access.refused")]
    assert client.get(KEYS).status_code == 200


def test_where_no_tenant_is_named_there_must_be_no_other(base, folder):
    with serving(working_server(base, folder, "")) as url, httpx.Client(base_url=url, timeout=30) as client:
        hook = {"url": "http://127.0.0.1:9/", "topics": ["webhook_key.*"]}
        for name in ("manager", "elsewhere"):
            assert client.get(KEYS, headers=by(name)).status_code == 200
        assert client.post("/api/v1/webhooks", json=hook, headers=by("manager")).status_code == 201
        assert client.get(KEYS, headers=by("manager")).status_code == 200
        assert all("AOS_OPERATING_TENANT" in str(fix) for fix in refusals(client, "elsewhere"))
        assert client.post("/api/v1/webhooks", json=hook, headers=by("elsewhere")).status_code == 201
        assert None not in refusals(client, "manager")
    assert [one.name for one in load(folder)[0].versions] == ["v1"]


def test_every_tenant_is_told_that_its_secrets_have_changed_and_nothing_else(client, base):
    for name in ("manager", "elsewhere", "elsewhere"):
        assert client.post(
            "/api/v1/webhooks", json={"url": "http://127.0.0.1:9/"}, headers=by(name)
        ).is_success
    assert client.post(f"{KEYS}/rotate", json={}).status_code == 200
    sent = base.rows(
        "SELECT tenant_id, topic, payload::text FROM outbox WHERE topic LIKE 'webhook_key.%' ORDER BY 1"
    )
    assert sent == [(tenant, "webhook_key.rotated", '{"version": "v2"}') for tenant in ("acme", "evil")]
