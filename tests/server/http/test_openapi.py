"""Routes, models, the OpenAPI document and what is really answered: one and the same."""

import json
from typing import Any

import httpx
import jsonschema_rs
import pytest

from aos.errors import CODES
from tests.server.http.world import STEP
from tests.tools.build_openapi import PAGE, described, page

CONTRACT = {
    "/api/v1/whoami": {"GET"},  # the contract is silent on it
    "/.well-known/oauth-protected-resource": {"GET"},  # RFC 9728
    "/health": {"GET"},
    "/livez": {"GET"},
    "/readyz": {"GET"},
    "/metrics": {"GET"},
    "/api/v1/runtime/simulate": {"POST"},
    "/api/v1/runtime/query": {"POST"},
    "/api/v1/runtime/capabilities": {"GET"},
    "/api/v1/runtime/skills": {"GET"},
    "/api/v1/runtime/skills/{skill_id}": {"GET"},
    "/api/v1/runtime/resource-contract/{resource_id}": {"GET"},
    "/api/v1/policy/eval": {"POST"},
    "/api/v1/policy/versions": {"GET", "POST"},  # on these five, too
    "/api/v1/policy/versions/{version}": {"GET"},
    "/api/v1/policy/versions/{version}/activate": {"POST"},
    "/api/v1/policy/active": {"GET"},
    "/api/v1/policy/replay": {"POST"},
    "/api/v1/policy/requests": {"GET", "POST"},
    "/api/v1/policy/requests/{request_id}": {"GET"},
    **{
        f"/api/v1/policy/requests/{{request_id}}/{act}": {"POST"}
        for act in ("approve", "reject", "escalate", "cancel", "consume", "review")
    },
    "/api/v1/runs": {"GET", "POST"},
    "/api/v1/runs/{run_id}": {"GET"},
    "/api/v1/audit": {"GET"},
    "/api/v1/audit/{entry_id}": {"GET"},
    "/api/v1/audit/verify": {"POST"},
    "/api/v1/backups": {"GET", "POST"},
    "/api/v1/backups/{name}": {"GET"},
    "/api/v1/backups/{name}/verify": {"POST"},
    "/api/v1/keys": {"GET"},
    "/api/v1/keys/rotate": {"POST"},
    "/api/v1/keys/rehearsal": {"GET", "POST"},
    "/api/v1/keys/verify": {"GET"},
    "/api/v1/keys/{version}": {"GET"},
    "/api/v1/keys/{version}/retire": {"POST"},
    "/api/v1/archive": {"GET", "POST"},
    "/api/v1/webhooks": {"GET", "POST"},
    "/api/v1/webhooks/deliveries/{delivery_id}": {"GET"},
    "/api/v1/webhooks/deliveries/{delivery_id}/redeliver": {"POST"},
    "/api/v1/webhooks/{webhook_id}": {"GET", "PATCH", "DELETE"},
    "/api/v1/webhooks/{webhook_id}/secret": {"GET"},
    "/api/v1/webhooks/{webhook_id}/test": {"POST"},
    "/api/v1/webhooks/{webhook_id}/deliveries": {"GET"},
    "/api/v1/webhooks/{webhook_id}/disable": {"POST"},
    "/api/v1/webhooks/{webhook_id}/enable": {"POST"},
}


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python -m tests.tools.build_openapi`"


def test_it_is_what_the_server_gives(client: httpx.Client) -> None:
    assert client.get("/openapi.json").json() == json.loads(page())


def test_every_route_of_the_contract_is_served_and_no_other() -> None:
    served: dict[str, set[str]] = {}
    for endpoint in described():
        served.setdefault(endpoint.path, set()).add(endpoint.method)
    assert served == CONTRACT


def test_names_are_unique_and_codes_exist() -> None:
    names = [endpoint.handler.__name__ for endpoint in described()]
    assert len(set(names)) == len(names)
    assert [code for endpoint in described() for code in endpoint.problems if code not in CODES] == []


@pytest.mark.parametrize("path", ["/api/v1/runs", "/api/v1/policy/versions"])
def test_the_answer_about_what_was_there_already_is_described_as_well(path: str) -> None:
    responses = json.loads(page())["paths"][path]["post"]["responses"]
    assert responses["200"] == responses["201"]


REQUESTS: list[tuple[str, str, Any]] = [
    ("GET", "/health", None),
    ("GET", "/livez", None),
    ("GET", "/readyz", None),
    ("GET", "/api/v1/runtime/capabilities", None),
    ("GET", "/api/v1/runtime/skills", None),
    ("GET", "/api/v1/runtime/skills/{skill_id}", None),
    ("GET", "/api/v1/runtime/resource-contract/{resource_id}", None),
    ("POST", "/api/v1/runtime/simulate", {"plan": [STEP]}),
    ("POST", "/api/v1/runtime/simulate", {"plan": []}),
    ("POST", "/api/v1/runtime/simulate", {}),
    ("POST", "/api/v1/runtime/query", {"query_type": "allowed_skills"}),
    ("POST", "/api/v1/policy/eval", {"skill_id": "fs_read", "payload": {"path": "a"}}),
    ("POST", "/api/v1/policy/eval", {"skill_id": "test", "payload": {}}),
    ("POST", "/api/v1/policy/eval", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_an_answer_fits_its_description(client: httpx.Client, method: str, path: str, body: Any) -> None:
    address = path.format(skill_id="llm_invoke", resource_id="llm")
    answer = client.request(method, address, json=body)
    whole = json.loads(page())
    responses = whole["paths"][path][method.lower()]["responses"]
    (schema,) = responses[str(answer.status_code)]["content"].values()
    within = {**schema["schema"], "components": whole["components"]}
    jsonschema_rs.validator_for(within).validate(answer.json())


def test_of_5xx_an_endpoint_has_503_alone() -> None:
    """A fault of our own is 500, which nothing is described with."""
    given = {
        status
        for path in json.loads(page())["paths"].values()
        for one in path.values()
        for status in one["responses"]
    }
    assert {status for status in given if status.startswith("5")} == {"503"}


def test_metrics_are_prometheus_text(client: httpx.Client) -> None:
    client.get("/health")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "nova_policy_decisions_total" in answer.text
    assert 'nova_http_requests_total{method="GET",route="/health",status="200"}' in answer.text
    for line in answer.text.splitlines():
        assert line.startswith(("# HELP nova_", "# TYPE nova_", "nova_"))
