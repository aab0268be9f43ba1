"""The client, the OpenAPI document and the published routes agree: nothing is served that can't be asked for."""

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from aos.sdk.calls import Calls
from aos.sdk.core import Call

OPENAPI = json.loads((Path(__file__).parents[2] / "docs/openapi.json").read_text("utf-8"))
SERVED = {
    (method.upper(), path): operation
    for path, methods in OPENAPI["paths"].items()
    for method, operation in methods.items()
}
NOT_FOR_CLIENTS = {
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
}  # Prometheus reads one, generators the other

# What clients were promised.
PUBLISHED = {
    ("GET", "/health"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("POST", "/api/v1/runtime/simulate"),
    ("POST", "/api/v1/runtime/query"),
    ("GET", "/api/v1/runtime/capabilities"),
    ("GET", "/api/v1/runtime/skills"),
    ("GET", "/api/v1/runtime/skills/{skill_id}"),
    ("GET", "/api/v1/runtime/resource-contract/{resource_id}"),
    ("POST", "/api/v1/policy/eval"),
    ("POST", "/api/v1/runs"),
    ("GET", "/api/v1/runs"),
    ("GET", "/api/v1/runs/{run_id}"),
}


class Recorded(Calls[Call]):
    """A client that gives back what it would send."""

    def send(self, call: Call) -> Call:
        return call


METHODS = [
    name for name, _ in inspect.getmembers(Calls, inspect.isfunction) if name != "send" and name[0] != "_"
]


def asked(method: str) -> tuple[Call, tuple[str, str]]:
    """The call with every argument given, and the route it is for."""
    function = getattr(Recorded(), method)
    arguments = {name: f"<{name}>" for name in inspect.signature(function).parameters}
    call: Call = function(**arguments)
    path = re.sub(r"%3C(\w+)%3E", r"{\1}", call.path)
    return call, (call.method, path)


ROUTES = {asked(method)[1]: method for method in METHODS}


def test_everything_served_can_be_asked_for_and_the_other_way_round() -> None:
    assert set(SERVED) - NOT_FOR_CLIENTS == set(ROUTES)
    assert set(ROUTES) >= PUBLISHED


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_call_takes_what_its_route_takes(route: tuple[str, str]) -> None:
    call, _ = asked(ROUTES[route])
    operation: dict[str, Any] = SERVED[route]
    queried = {each["name"] for each in operation["parameters"] if each["in"] == "query"}
    assert set(call.query) == queried
    if "requestBody" not in operation:
        assert call.body is None
        return
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    model = OPENAPI["components"]["schemas"][reference.rpartition("/")[2]]
    if isinstance(call.body, dict):  # a record is passed on whole, as what stands for it here
        assert set(call.body) == set(model["properties"])
