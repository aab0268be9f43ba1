"""How large and how long everything may be that a caller sends: at the limit, and one beyond it."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from starlette.routing import Route, Router

from aos.errors import AosError
from aos_server.http.bodies import fitted
from aos_server.http.edge import Edge
from aos_server.http.endpoint import Call, Endpoint, Resource
from aos_server.http.gate import Gate
from aos_server.http.models.audit import AuditQuery
from aos_server.http.models.requests import Approve, CreateRequest, RequestsQuery
from aos_server.http.models.runtime import Query
from aos_server.http.models.webhooks import NewWebhook
from aos_server.identity.authenticate import Credentials
from aos_server.identity.caller import Caller
from aos_server.services.idempotency import key_of
from tests.server.http.world import TOKENS, People, asking, told
from tests.server.serve import serving

SIMULATE = "/api/v1/runtime/simulate"
JSON = {"Content-Type": "application/json"}
REQUEST = "/api/v1/policy/requests/00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("path", "most"),
    [
        *(
            ("/api/v1/runtime/query", 256 * 1024),
            ("/api/v1/webhooks", 256 * 1024),
            ("/api/v1/keys/rotate", 256 * 1024),
        ),
        *((SIMULATE, 1024 * 1024), ("/api/v1/runs", 1024 * 1024), ("/api/v1/policy/requests", 1024 * 1024)),
        *((f"{REQUEST}/{word}", 16 * 1024) for word in ("approve", "reject", "escalate", "review")),
    ],
)
def test_a_body_of_the_limit_is_read_and_one_byte_more_is_not(path: str, most: int) -> None:
    asked = {"nobody_reads": ""}
    with asking("manager", identity=Managers()) as client:
        for size, code in ((most, "invalid_request"), (most + 1, "too_large")):
            body = json.dumps({"nobody_reads": "x" * (size - len(json.dumps(asked)))}).encode()
            assert len(body) == size
            assert told(client.post(path, content=body, headers=JSON))["code"] == code


class Managers(People):
    """Everybody is one."""

    async def identify(self, given: Credentials, *, live: bool) -> Caller:
        return TOKENS["engineer"]._replace(level=4)


@pytest.mark.parametrize(("path", "most"), [("/api/v1/runtime/query", 10_000), (SIMULATE, 200_000)])
def test_a_body_has_so_many_values_and_not_one_more(client: httpx.Client, path: str, most: int) -> None:
    for count, code in ((most, "unknown_key"), (most + 1, "too_large")):
        body = {"nobody_reads": [0] * (count - 2)}  # the object and the list are values, too
        assert code in {error["code"] for error in told(client.post(path, json=body))["errors"]}


ASKED = {"policy_type": "cost", "skill_id": "fs_read"}
HOOK = {"url": "https://a.example"}


@pytest.mark.parametrize(
    ("model", "given", "name", "most", "more"),
    [
        (Approve, {}, "reason", "x" * 4096, "x" * 4097),
        (Approve, {}, "reason", "é" * 2048, "é" * 2048 + "x"),
        (Approve, {}, "approver_id", "x" * 255, "x" * 256),
        (Approve, {}, "tenant_id", "x" * 64, "x" * 65),
        (Approve, {}, "level", 5, 6),
        (Approve, {}, "level", 1, 0),
        (CreateRequest, {"policy_type": "cost"}, "skill_id", "x" * 128, "x" * 129),
        (CreateRequest, ASKED, "agent_id", "x" * 64, "x" * 65),
        (CreateRequest, ASKED, "expires_in_seconds", 60, 59),
        (CreateRequest, ASKED, "expires_in_seconds", 604_800, 604_801),
        (CreateRequest, ASKED, "escalate_after_seconds", 60, 59),
        (CreateRequest, ASKED, "uses", 1000, 1001),
        (CreateRequest, ASKED, "webhook_url", "x" * 2048, "x" * 2049),
        (NewWebhook, {}, "url", "x" * 2048, "x" * 2049),
        (NewWebhook, HOOK, "topics", ["a.b"] * 50, ["a.b"] * 51),
        (NewWebhook, HOOK, "description", "x" * 200, "x" * 201),
        (RequestsQuery, {}, "limit", "200", "201"),
        (RequestsQuery, {}, "limit", "1", "0"),
        (AuditQuery, {}, "limit", "200", "201"),
        (Query, {"query_type": "allowed_skills", "params": {}}, "run_id", "x" * 64, "x" * 65),
    ],
)
def test_a_field_takes_so_much_and_not_one_more(
    model: type[BaseModel], given: dict[str, Any], name: str, most: Any, more: Any
) -> None:
    fitted(model, {**given, name: most}, "body")
    with pytest.raises(AosError) as caught:
        fitted(model, {**given, name: more}, "body")
    assert [finding.pointer.split("/")[1] for finding in caught.value.findings] == [name]


def test_an_answer_that_takes_too_long_is_a_503() -> None:
    async def handler(call: Call) -> bytes:
        await asyncio.sleep(30)
        return b"{}"

    resource = Resource(
        [Endpoint("GET", "/slow", "", handler, None)], Gate(People(), None, trusting=True), 0.05
    )
    with serving(Edge(Router([Route("/slow", resource)]), ())) as url:
        answer = httpx.get(f"{url}/slow", timeout=10)
        assert (told(answer)["code"], answer.status_code) == ("not_computed", 503)
        assert answer.headers["retry-after"] == "5"


def test_a_key_has_255_characters() -> None:
    key_of("k" * 255, "POST", "/", None)
    with pytest.raises(AosError, match="1 to 255"):
        key_of("k" * 256, "POST", "/", None)
