"""Run records over HTTP, on a real database: kept once, never lost, never another tenant's."""

import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.server.http.world import told
from tests.server.processes import aos_server

DIGEST = "sha256:" + "ab" * 32


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    env = {"AOS_RATE_CREATE_RPM": "100000", "RATE_LIMIT_DEFAULT_RPM": "100000", "RATE_LIMIT_ENABLED": "false"}
    with (
        aos_server("dev", "--port", "0", env=env) as served,
        httpx.Client(base_url=served.url, timeout=60) as client,
    ):
        yield client


def attempt(step: str, outcome: str = "succeeded", **more: Any) -> dict[str, Any]:
    return {
        "step": step,
        "skill": "http_call",
        "outcome": outcome,
        "started_ms": 1_700_000_000_000,
        "cost_cents": 2,
        "latency_ms": 90,
        **more,
    }


def record(run: str, *attempts: Any, tenant: str = "t1", **more: Any) -> dict[str, Any]:
    return {
        "run_id": run,
        "tenant_id": tenant,
        "status": "succeeded",
        "plan_digest": DIGEST,
        "started_ms": 1_700_000_000_000,
        "attempts": list(attempts),
        **more,
    }


def put(client: httpx.Client, document: dict[str, Any], **headers: str) -> httpx.Response:
    return client.post("/api/v1/runs", json=document, headers=headers)


def get(client: httpx.Client, path: str, tenant: str, **query: str) -> Any:
    return client.get(path, params={"tenant_id": tenant, **query})


def budget(client: httpx.Client, tenant: str, agent: str | None = None) -> Any:
    query = {} if agent is None else {"agent_id": agent}
    asked = {"query_type": "remaining_budget_cents", "tenant_id": tenant, **query}
    return client.post("/api/v1/runtime/query", json=asked).json()["result"]


def test_a_record_is_kept_told_and_counted_once(client: httpx.Client) -> None:
    document = record("r1", attempt("s1"), attempt("s2", cost_cents=0.5), agent_id="a1", tenant="kept")
    first = put(client, document)
    assert (first.status_code, first.json()["cost_cents"]) == (201, 2.5)
    again = put(client, document)
    assert (again.status_code, again.json()) == (200, first.json())
    assert budget(client, "kept")["spent_cents"] == 2.5
    assert budget(client, "kept", "a1")["spent_cents"] == 2.5
    whole = get(client, "/api/v1/runs/r1", "kept").json()
    assert (whole["schema"], whole["agent_id"], len(whole["attempts"])) == ("aos.run-record/1", "a1", 2)
    assert [run["run_id"] for run in get(client, "/api/v1/runs", "kept").json()["runs"]] == ["r1"]


def counted(client: httpx.Client, series: str) -> float:
    (line,) = [line for line in client.get("/metrics").text.splitlines() if line.startswith(f"{series} ")]
    return float(line.split()[1])


def test_what_runs_cost_is_in_the_metrics_once(client: httpx.Client) -> None:
    series = ("nova_run_cost_cents_total", "nova_run_unpriced_attempts_total")
    kept = 'nova_runs_recorded_total{status="succeeded"}'
    before = [counted(client, name) for name in (*series, kept)]
    begun = record("r1", attempt("s1"), attempt("s2", cost_cents=None), status="running", tenant="metrics")
    ended = record("r1", attempt("s1"), attempt("s2", cost_cents=0.5), tenant="metrics")
    for document in (begun, begun, ended, ended):
        assert put(client, document).status_code < 300
    after = [counted(client, name) for name in (*series, kept)]
    assert [late - early for early, late in zip(before, after, strict=True)] == [2.5, 1, 1]


def test_a_record_grows_while_its_run_goes_on_and_never_after(client: httpx.Client) -> None:
    document = record("r1", attempt("s1"), status="running", tenant="grows")
    assert put(client, document).status_code == 201
    more = record("r1", attempt("s1"), attempt("s2", cost_cents=None), tenant="grows")
    assert put(client, more).status_code == 200
    found = budget(client, "grows")
    assert found["spent_cents"] is None  # one attempt has no known cost
    later = record("r1", attempt("s1", cost_cents=1), attempt("s2"), status="running", tenant="knows")
    assert put(client, {**more, "status": "running", "tenant_id": "knows"}).status_code == 201
    assert put(client, later).status_code == 200  # now it has, and the other was less
    assert budget(client, "knows")["spent_cents"] == 3
    changed = told(put(client, record("r1", attempt("s1", cost_cents=1), tenant="grows")))
    assert (changed["code"], changed["status"]) == ("run_conflict", 409)
    assert len(get(client, "/api/v1/runs/r1", "grows").json()["attempts"]) == 2


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_run_that_is_tried_again_is_recorded_anew_and_counted_once(
    client: httpx.Client, status: str
) -> None:
    tenant = f"again-{status}"
    first = record("r1", attempt("s1", "failed"), status=status, tenant=tenant)
    assert put(client, first).status_code == 201
    both = [attempt("s1", "failed"), attempt("s1", attempt=2)]
    assert put(client, record("r1", tries=2, tenant=tenant)).status_code == 409  # what was spent stays spent
    second = record("r1", *both, tries=2, tenant=tenant)
    assert [put(client, second).status_code for _ in range(2)] == [200, 200]
    assert budget(client, tenant)["spent_cents"] == 4
    for later in (first, record("r1", *both, tries=3, tenant=tenant)):  # it has succeeded, and that is that
        assert put(client, later).status_code == 409
    assert get(client, "/api/v1/runs/r1", tenant).json()["tries"] == 2


def test_what_failed_stays_recorded_until_it_is_tried_again(client: httpx.Client) -> None:
    failed = record("r1", attempt("s1", "failed"), status="failed", tenant="stays")
    stopped = record("r2", attempt("s1", "failed"), status="cancelled", tenant="stays")
    assert [put(client, one).status_code for one in (failed, stopped)] == [201, 201]
    assert put(client, record("r1", attempt("s1"), tenant="stays")).status_code == 409
    assert put(client, record("r2", attempt("s1"), tenant="stays")).status_code == 200  # resumed


def test_many_at_once_are_counted_once(client: httpx.Client) -> None:
    document = record("race", attempt("s1"), tenant="race")
    statuses: list[int] = []

    def upload() -> None:
        with httpx.Client(base_url=client.base_url, timeout=60) as own:
            statuses.append(put(own, document).status_code)

    threads = [threading.Thread(target=upload) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(statuses)) == [200, 201]
    assert statuses.count(201) == 1
    assert budget(client, "race")["spent_cents"] == 2


def test_a_key_gives_the_same_answer_and_serves_one_request_only(client: httpx.Client) -> None:
    document = record("r1", attempt("s1"), tenant="keyed")
    key = {"Idempotency-Key": "k1"}
    first = put(client, document, **key)
    again = put(client, document, **key)
    assert again.json() == first.json()
    kept = get(client, "/api/v1/runs/r1", "keyed")
    assert list(again.json())[:2] == list(kept.json())[:2] == ["schema", "aos_version"]
    other = told(put(client, record("r2", tenant="keyed"), **key))
    assert (other["code"], other["status"]) == ("idempotency_mismatch", 422)
    assert told(put(client, document, **{"Idempotency-Key": "a b"}))["status"] == 422
    two = [("Idempotency-Key", "k1"), ("Idempotency-Key", "k2")]
    assert told(client.post("/api/v1/runs", json=document, headers=two))["code"] == "bad_value"


def test_another_tenants_run_is_no_run(client: httpx.Client) -> None:
    put(client, record("secret", attempt("s1"), tenant="mine"))
    missing = told(get(client, "/api/v1/runs/nothing", "theirs"))
    foreign = told(get(client, "/api/v1/runs/secret", "theirs"))
    assert (missing["code"], missing["status"]) == (foreign["code"], foreign["status"]) == ("not_found", 404)
    assert get(client, "/api/v1/runs", "theirs").json()["runs"] == []
    assert put(client, record("secret", attempt("s9"), tenant="theirs")).status_code == 201
    assert get(client, "/api/v1/runs/secret", "mine").json()["attempts"][0]["step"] == "s1"


def test_pages_hold_every_run_once(client: httpx.Client) -> None:
    for i in range(7):
        put(client, record(f"r{i}", started_ms=1_700_000_000_000 + i // 2, tenant="paged"))
    seen, cursor = list[str](), dict[str, str]()
    while True:
        page = get(client, "/api/v1/runs", "paged", limit="3", **cursor).json()
        seen += [run["run_id"] for run in page["runs"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == ["r6", "r5", "r4", "r3", "r2", "r1", "r0"]
    for moment in (
        "2026-01-01",
        "2026-01-01T24:00:01Z",
        "9999-12-31T23:59:59-15:59",
        "0001-01-01T00:00:00+00:01",
    ):
        wrong = urlsafe_b64encode(f"{moment} r1".encode()).decode()
        assert told(get(client, "/api/v1/runs", "paged", cursor=wrong))["code"] == "invalid_request"
    for wrong in ("x", "AAAA"):
        assert told(get(client, "/api/v1/runs", "paged", cursor=wrong))["code"] == "invalid_request"
    far = urlsafe_b64encode(b"2026-01-01T00:00:00+23:59 r1").decode()  # an offset that Postgres does not know
    assert get(client, "/api/v1/runs", "paged", cursor=far).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "done"},
        {"plan_digest": "sha256:x"},
        {"started_ms": -1},
        {"started_ms": 1e300},
        {"ended_ms": 1},
        {"attempts": [attempt("s1", cost_cents=1e12)]},
        {"attempts": [attempt("s1", detail="\x00")]},
        {"forecast": {"a": ["\x00"]}},
        {"name": "\x00"},
        {"run_id": "a/b"},
        {"level": 5},
    ],
)
def test_what_is_wrong_is_refused_and_nothing_kept(client: httpx.Client, wrong: dict[str, Any]) -> None:
    assert told(put(client, {**record("bad", tenant="bad"), **wrong}))["status"] == 422
    assert get(client, "/api/v1/runs", "bad").json()["runs"] == []


def test_questions_are_answered_from_records(client: httpx.Client) -> None:
    def ask(query: str, **params: Any) -> httpx.Response:
        asked = {"query_type": query, "params": params, "tenant_id": "asks"}
        return client.post("/api/v1/runtime/query", json=asked)

    assert ask("what_did_i_try_already").json()["result"]["count"] == 0
    assert told(ask("last_step_outcome"))["code"] == "needs_ledger"
    failed = attempt("s1", "failed", code="TIMEOUT", category="TRANSIENT", retryable=True, cost_cents=None)
    later = attempt("s1", attempt=2, started_ms=1_700_000_001_000)
    put(client, record("r1", failed, later, tenant="asks", steps={"s1": "succeeded"}))
    tried = ask("what_did_i_try_already").json()
    assert [(one["attempt"], one["outcome"]) for one in tried["result"]["attempts"]] == [
        (2, "succeeded"),
        (1, "failed"),
    ]
    assert tried["unknowns"] == [{"pointer": "/result/attempts/1/cost_cents", "reason": "nobody knows"}]
    last = ask("last_step_outcome").json()["result"]
    assert (last["step"], last["outcome"], last["step_outcome"]) == ("s1", "succeeded", "succeeded")
    why = ask("why_did_step_fail", step="s1").json()["result"]
    assert (why["code"], why["similar_past_failures"], why["past_recovery_success_rate"]) == ("TIMEOUT", 1, 1)
    assert why["advice"] == "Try again later, or give the step more time with `timeout_s`."
