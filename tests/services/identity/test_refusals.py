"""Whoever is known and not let in leaves one row in the audit log, at every address, and nothing else."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from aos_server.identity.authenticate import Credentials
from aos_server.identity.caller import ACTS, Caller, Principal
from tests.server.http.world import People
from tests.services.db.rows import ROWS
from tests.services.identity.everything import everything

STATED = {
    "skill_id": "fs_read",
    "resource_id": "fs_read",
    "run_id": "r1",
    "webhook_id": f"wh_{'a' * 16}",
    "version": "1",
    "name": "20261126-120000-full",
}
BODIES: dict[str, dict[str, Any]] = {
    "review": {"outcome": "justified", "reason": "x"},
    "activate": {"if_active": f"sha256:{'0' * 64}", "why": "x"},
}
MACHINE = Caller(Principal("test", "pipeline"), "acme", "machine", scopes=frozenset(ACTS))
NOBODY_ASKED = Caller(Principal("test", "colleague"), "acme", "human", (), 3, True)


class Known(People):
    """Everybody but who made things: somebody of each level, and a machine that may do all that machines may."""

    async def identify(self, given: Credentials, *, live: bool) -> Caller:
        known = {"pipeline": MACHINE, "colleague": NOBODY_ASKED}
        return known.get(str(given.token)) or await super().identify(given, live=live)


@pytest.fixture
def url(base, tmp_path) -> Iterator[str]:
    with everything(base, Known(), tmp_path) as found:
        yield found


def told(base) -> int:
    return int(base.rows("SELECT count(*) FROM audit WHERE action LIKE '%.refused'")[0][0])


def test_every_403_is_in_the_audit_log_once(base, url):
    request = str(uuid4())
    base.server.execute(ROWS.format(t="acme", k="a" * 16, u=request), base.name)
    ((entry,),), ((delivery,),) = base.rows("SELECT id FROM audit"), base.rows("SELECT id FROM deliveries")
    things = {**STATED, "request_id": request, "entry_id": str(entry), "delivery_id": str(delivery)}
    refused = set[str]()
    with httpx.Client(base_url=url, timeout=30) as client:
        paths = client.get("/openapi.json").json()["paths"]
        for who in ("reader", "robot", "colleague", "pipeline"):
            for path, methods in paths.items():
                for method, operation in methods.items():
                    body = BODIES.get(path.rpartition("/")[2], {}) if "requestBody" in operation else None
                    before, address = told(base), path.format(**things)
                    answer = client.request(
                        method, address, json=body, headers={"Authorization": f"Bearer {who}"}
                    )
                    rows = told(base) - before
                    if answer.status_code == 403:
                        refused.add(f"{who} {method.upper()} {path}")
                        assert rows == 1, (who, method, path)
                    assert rows <= 1, (who, method, path)  # a decision that comes too late is told as well
    assert {
        "colleague GET /api/v1/webhooks/{webhook_id}/secret",
        "colleague DELETE /api/v1/webhooks/{webhook_id}",
        "colleague POST /api/v1/webhooks/deliveries/{delivery_id}/redeliver",
        "pipeline POST /api/v1/policy/versions/{version}/activate",
        "pipeline POST /api/v1/policy/requests/{request_id}/approve",
        "reader POST /api/v1/policy/requests/{request_id}/approve",
    } <= refused
