"""Every error is a problem, and says what is wrong, all of it, and where."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from aos.errors import InputError
from aos_server.http.bodies import read_query
from tests.server.http.world import STEP, asking, told
from tests.tools.build_openapi import described

SIMULATE = "/api/v1/runtime/simulate"
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        (b"", "malformed", 422),
        (b"{", "malformed", 422),
        (b'{"plan": [], "plan": []}', "duplicate_key", 422),
        (b'{"plan": NaN}', "number_out_of_range", 422),
        (b'{"plan": 1e400}', "number_out_of_range", 422),
        (b'{"plan": ' + b"9" * 5000 + b"}", "number_out_of_range", 422),
        (b'{"plan": "\\ud800"}', "not_utf8", 422),
        (b'{"plan": ' + b"[" * 40 + b"]" * 40 + b"}", "too_deep", 422),
        (b"[" * 100_000, "too_deep", 422),
        ('{"plan": []}'.encode("utf-16"), "not_utf8", 422),
        (b'\xef\xbb\xbf{"plan": []}', "not_utf8", 422),
        (b"[]", "wrong_type", 422),
        (b'{"plan": 5}', "wrong_type", 422),
        (b'{"plan": [], "budget_cents": true}', "wrong_type", 422),
        (b'{"plan": [], "budget_cents": "5"}', "wrong_type", 422),
        (b'{"plan": [], "budget_cents": -1}', "bad_value", 422),
        (b'{"plan": [], "budget_cents": 0.12345678}', "bad_value", 422),
        (b'{"plan": [], "seed": 1.5}', "wrong_type", 422),
        (b'{"plan": [], "agent_id": "a b"}', "bad_value", 422),
    ],
)
def test_a_body_that_is_wrong(client: httpx.Client, body: bytes, code: str, status: int) -> None:
    problem = told(client.post(SIMULATE, content=body, headers=JSON))
    assert (problem["status"], problem["code"]) == (status, "invalid_request")
    assert code in {error["code"] for error in problem["errors"]}


def test_everything_wrong_is_said_at_once(client: httpx.Client) -> None:
    asked = {"plan": [], "budget": 5, "samples": 10, "confidence": 2, "deadline_ms": "soon"}
    problem = told(client.post(SIMULATE, json=asked))
    assert {(error["pointer"], error["code"]) for error in problem["errors"]} == {
        ("/budget", "unknown_key"),
        ("/samples", "bad_value"),
        ("/confidence", "bad_value"),
        ("/deadline_ms", "wrong_type"),
    }
    (unknown,) = [error for error in problem["errors"] if error["code"] == "unknown_key"]
    assert unknown["suggestion"] == "budget_cents"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        [("Content-Type", "text/plain"), ("Content-Type", "application/json")],
        [
            ("Content-Type", "application/json"),
            ("Content-Encoding", "gzip"),
            ("Content-Encoding", "identity"),
        ],
        {},
    ],
)
def test_only_json_as_it_stands_is_taken(client: httpx.Client, headers: Any) -> None:
    problem = told(client.post(SIMULATE, content=b'{"plan": []}', headers=headers))
    assert (problem["status"], problem["code"]) == (415, "unsupported_media_type")


def test_a_body_without_a_length_is_cut_off_at_the_limit(client: httpx.Client) -> None:
    chunks = (b" " * 65_536 for _ in range(100))
    problem = told(client.post(SIMULATE, content=chunks, headers=JSON))
    assert (problem["status"], problem["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("agent=a", "unknown_key"),
        ("agent_id=a&agent_id=b", "duplicate_key"),
        ("agent_id=a%20b", "bad_value"),
        ("agent_id=%ff", "malformed"),
        ("agent_id", "malformed"),
        ("agent_id=" + "a" * 5000, "malformed"),
    ],
)
def test_a_query_string_that_is_wrong(client: httpx.Client, query: str, code: str) -> None:
    problem = told(client.get(f"/api/v1/runtime/capabilities?{query}"))
    assert (problem["status"], [error["code"] for error in problem["errors"]]) == (422, [code])


ODD = {
    "integer": ("1_0", " 10", "+10", "010", "10.0", "1e1", "\u0661\u0660", "\uff11", "-1", ""),
    "boolean": ("1", "yes", "on", "TRUE", "t", "true ", ""),
}


def test_numbers_and_flags_of_every_query_are_written_in_one_way() -> None:
    seen = set()
    for endpoint in described():
        for name, schema in endpoint.query.model_json_schema()["properties"].items():
            kinds = {kind.get("type") for kind in schema.get("anyOf", [schema])}
            for kind in kinds & ODD.keys():
                seen.add((endpoint.path, name))
                for text in ODD[kind]:
                    with pytest.raises(InputError) as refused:
                        read_query(urlencode({name: text}).encode(), endpoint.query)
                    assert [(f.pointer, f.code) for f in refused.value.findings] == [
                        (f"/{name}", "wrong_type")
                    ]
                good = {"integer": "3", "boolean": "true"}[kind]
                assert getattr(read_query(f"{name}={good}".encode(), endpoint.query), name) == json.loads(
                    good
                )
    assert ("/api/v1/runs", "limit") in seen
    assert ("/api/v1/policy/requests", "waiting") in seen


def test_what_is_not_there_and_what_is_not_allowed(client: httpx.Client) -> None:
    assert told(client.get("/nothing"))["code"] == "not_found"
    assert told(client.get("/health/"))["code"] == "not_found"
    answer = client.delete(SIMULATE)
    assert (told(answer)["code"], answer.headers["allow"]) == ("method_not_allowed", "POST")
    assert client.put("/health").headers["allow"] == "GET, HEAD"
    assert (client.head("/health").status_code, client.head("/health").content) == (200, b"")


def test_who_is_nobody_and_who_may_not() -> None:
    with asking(token=None) as client:
        answer = client.get("/api/v1/runtime/capabilities")
        assert (told(answer)["code"], answer.headers["www-authenticate"]) == ("unauthenticated", "Bearer")
        assert client.get("/health").status_code == 200
        robot = {"Authorization": "Bearer robot"}
        asked = {"plan": [STEP]}
        assert told(client.post(SIMULATE, json=asked, headers=robot))["code"] == "authorization_denied"
        assert client.get("/api/v1/runtime/capabilities", headers=robot).json()["permissions"] == ["read"]


def test_another_tenant_in_the_request_grants_nothing(client: httpx.Client) -> None:
    asked = {"plan": [STEP], "tenant_id": "other"}
    assert told(client.post(SIMULATE, json=asked))["code"] == "authorization_denied"
    other = client.get("/api/v1/runtime/capabilities", params={"tenant_id": "other"})
    assert told(other)["code"] == "authorization_denied"
    assert client.get("/api/v1/runtime/capabilities", params={"tenant_id": "acme"}).status_code == 200


def test_a_trusting_server_believes_names_but_no_bad_token() -> None:
    with asking(token=None, trusting=True) as client:
        found = client.get("/api/v1/runtime/capabilities", params={"tenant_id": "t1"}).json()
        assert found["tenant_id"] == "t1"
        assert client.get("/api/v1/runtime/capabilities").json()["tenant_id"] == "default"
        bad = client.get("/api/v1/runtime/capabilities", headers={"Authorization": "Bearer x"})
        assert told(bad)["code"] == "unauthenticated"


def test_foreign_names_are_refused() -> None:
    with asking(hosts=("127.0.0.1",)) as client:
        for own in ({}, {"Origin": "http://127.0.0.1:9"}):
            assert client.get("/health", headers=own).status_code == 200
        for name in ("evil.example", "127.0.0.1.evil.example", "[", ""):
            assert told(client.get("/health", headers={"Host": name}))["code"] == "foreign_host"
        for page in ("https://evil.example", "null", "http://["):
            assert told(client.get("/health", headers={"Origin": page}))["code"] == "foreign_host"
        for probe in ("/livez", "/readyz"):
            assert client.get(probe, headers={"Host": "10.0.0.7:8000"}).status_code == 200
