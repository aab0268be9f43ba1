"""Another tenant's things look like things that are not there, at every address, and nothing happens to them."""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.services.db.rows import ROWS, TENANT_TABLES
from tests.services.identity.everything import everything
from tests.services.staff import Staff, by

OF_NOBODY = (
    "skill_id",
    "resource_id",
    "name",
)  # what the catalog describes, and backups, which are the server's
BODIES = {
    "review": {"outcome": "justified", "reason": "x"},
    "activate": {"if_active": f"sha256:{'0' * 64}"},
}


@pytest.fixture
def client(base, tmp_path) -> Iterator[httpx.Client]:
    """Somebody of level 5 in the tenant `evil`."""
    with (
        everything(base, Staff(), tmp_path) as url,
        httpx.Client(base_url=url, headers=by("stranger"), timeout=30) as client,
    ):
        yield client


def calls(client: httpx.Client) -> Iterator[tuple[str, str, str, dict[str, Any] | None]]:
    """Method, path, the name of its parameter, and a body: all that is about one thing of a tenant."""
    paths = client.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        names = re.findall(r"\{(\w+)\}", path)
        if path.startswith("/api/v1/keys") or not names or names[0] in OF_NOBODY:
            continue
        for method, operation in methods.items():
            body = BODIES.get(path.rpartition("/")[2], {}) if "requestBody" in operation else None
            yield method.upper(), path, names[0], body


def kept(base) -> list[tuple[object, ...]]:
    of_acme = (
        f"SELECT '{table}', md5(string_agg(x::text, '|' ORDER BY x::text)) FROM {table} x WHERE tenant_id = 'acme'"
        for table in TENANT_TABLES
    )
    return [row for query in of_acme for row in base.rows(query)]


def test_a_thing_of_another_tenant_is_a_thing_that_is_not_there(client, base):
    request, key = str(uuid4()), "a" * 16
    base.server.execute(ROWS.format(t="acme", k=key, u=request), base.name)
    ((entry,),), ((delivery,),) = base.rows("SELECT id FROM audit"), base.rows("SELECT id FROM deliveries")
    missing = {"run_id": "r2", "webhook_id": f"wh_{'b' * 16}", "version": "7"}
    theirs = {"run_id": "r1", "webhook_id": f"wh_{key}", "version": "1"} | {
        "request_id": request,
        "delivery_id": str(delivery),
        "entry_id": str(entry),
    }
    before, tried = kept(base), 0
    for method, path, name, body in calls(client):
        told = []
        for one in (theirs[name], missing.get(name) or str(uuid4())):
            answer = client.request(method, path.format(**{name: one}), json=body)
            document = answer.json()
            del document["instance"]
            assert one in document["detail"] or one not in answer.text
            document["detail"] = document["detail"].replace(f'"{one}"', "…")
            told.append((answer.status_code, json.dumps(document)))
        assert told[0] == told[1], (method, path)
        assert told[0][0] == 404, (method, path, told)
        tried += 1
    assert tried >= 20
    assert kept(base) == before
