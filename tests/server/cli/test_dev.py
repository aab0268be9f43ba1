"""`aos-server dev`: nothing to install, ready in seconds, and what is typed at it behaves as people know it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from aos.errors import AosError
from aos.mcp.setup import Purse, Runs, Setup
from aos.mcp.tool import Call
from aos.mcp.tools import tools_of
from tests.cli.process import DEMO
from tests.cli.schemas import faults
from tests.server.processes import Served, aos_server, running, sockets

RECORD = {
    "run_id": "r1",
    "status": "succeeded",
    "plan_digest": "sha256:" + "cd" * 32,
    "started_ms": 1,
    "attempts": [
        {"step": "s1", "skill": "fs_read", "outcome": "succeeded", "started_ms": 1, "cost_cents": 2}
    ],
}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def dev() -> Iterator[Served]:
    with aos_server("dev", "--port", "0") as served:
        yield served


@pytest.fixture(scope="module")
def client(dev: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=dev.url, timeout=60) as client:
        yield client


def test_health_and_metrics(client: httpx.Client) -> None:
    assert client.get("/health").json()["status"] == "healthy"
    assert client.get("/health").json()["checks"] == {"database": "ok", "auth": "ok"}
    assert [client.get(path).status_code for path in ("/livez", "/readyz")] == [200, 200]
    assert "nova_policy" in client.get("/metrics").text


def test_simulate_query_and_capabilities_without_any_credentials(client: httpx.Client) -> None:
    body = f'{{"plan": {DEMO.read_text()}, "budget_cents": 100}}'
    found = client.post("/api/v1/runtime/simulate", content=body, headers=JSON).json()
    assert (found["feasible"], found["estimated_cost_cents"], found["estimated_duration_ms"]) == (
        True,
        0,
        810,
    )
    assert "TIMEOUT" in {risk["risk_type"] for risk in found["risks"]}
    asked = {"query_type": "allowed_skills", "params": {}}
    assert client.post("/api/v1/runtime/query", json=asked).json()["result"]["count"] == 7
    can = client.get("/api/v1/runtime/capabilities").json()
    assert can["count"] == 7
    assert can["permissions"] == ["read", "evaluate", "create", "decide"]


def test_the_loop_of_seventy_meets_the_limit_after_sixty(client: httpx.Client) -> None:
    body = '{"skill_id":"test","tenant_id":"rate_test","payload":{}}'
    statuses = [client.post("/api/v1/policy/eval", content=body, headers=JSON).status_code for _ in range(70)]
    assert statuses[:60] == [200] * 60
    assert 429 in statuses[60:]
    assert set(statuses[60:]) <= {200, 429}


def test_every_sample_person_has_a_token(dev: Served, client: httpx.Client) -> None:
    tokens = dict(re.findall(r"^([A-Z0-9_]+)=(\S+)$", dev.said, re.MULTILINE))
    assert set(tokens) == {"LOW_LEVEL_USER", "DEV", "USER123", "MANAGER1", "OWNER1"}
    may = {
        name: client.get("/api/v1/runtime/capabilities", headers={"Authorization": f"Bearer {token}"}).json()
        for name, token in tokens.items()
    }
    assert {can["tenant_id"] for can in may.values()} == {"default"}
    assert may["LOW_LEVEL_USER"]["permissions"] == ["read", "evaluate"]
    bad = client.get("/api/v1/runtime/capabilities", headers={"Authorization": "Bearer x.y.z"})
    assert (bad.status_code, bad.json()["code"]) == (401, "unauthenticated")


ASKED = {
    "policy_type": "cost",
    "skill_id": "test_skill",
    "tenant_id": "test_tenant",
    "requested_by": "user123",
    "justification": "Testing RBAC flow",
}


def requested(client: httpx.Client, **changed: object) -> str:
    """The address of a request that was made."""
    answer = client.post("/api/v1/policy/requests", json=ASKED | changed)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def test_a_request_is_made_and_approved_as_people_type_it(client: httpx.Client) -> None:
    at = requested(client)
    low = client.post(f"{at}/approve", json={"approver_id": "low_level_user", "level": 5})
    assert (low.status_code, low.json()["code"]) == (403, "authorization_denied")
    own = client.post(f"{at}/approve", json={"approver_id": "user123", "level": 2})
    assert (own.status_code, own.json()["code"]) == (403, "authorization_denied")
    done = client.post(f"{at}/approve", json={"approver_id": "manager1", "level": 4})
    assert (done.status_code, done.json()["status"]) == (200, "approved")
    again = client.post(f"{at}/approve", json={"approver_id": "owner1"})
    assert (again.status_code, again.json()["code"]) == (409, "already_decided")
    found = client.get(at).json()
    assert [(one["approver_id"], one["level"]) for one in found["decisions"]] == [("manager1", 4)]
    assert (found["tenant_id"], found["forecast"], found["unknowns"][0]["pointer"]) == (
        "test_tenant",
        None,
        "/forecast",
    )
    used = client.post(f"{at}/consume", json={"requested_by": "user123"})
    assert used.json()["status"] == "consumed", used.text


def test_an_agent_asks_over_mcp_and_a_person_decides(
    dev: Served, client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))  # nobody is logged in
    runs = Runs(Purse(Decimal(5)), workspace=tmp_path)
    setup = Setup(server=dev.url, agent="billing-bot", runs=runs, ledger=tmp_path / "ledger.db")
    tools = tools_of(setup)
    plan = [{"skill": "fs_write", "params": {"path": "report.txt", "content": "x"}, "approval": 3}]
    arguments = {"plan": plan, "justification": "the monthly report"}
    asked = tools["request_approval"].work(setup, arguments, Call())
    told, name = asked.document, asked.document["request_id"]
    assert faults(dict(told)) == []
    assert (told["status"], told["exit_code"], told["agent_id"]) == ("pending", 8, "billing-bot")
    assert f"A person decides with `aos approve {name}`" in asked.text
    approved = {"plan": plan, "approval": name}
    with pytest.raises(AosError) as early:
        tools["run_plan"].work(setup, approved, Call())
    assert early.value.code == "approval_pending"
    decided = client.post(f"/api/v1/policy/requests/{name}/approve", json={"approver_id": "owner1"})
    assert decided.status_code == 200, decided.text
    stands = tools["request_status"].work(setup, {"request_id": name}, Call())
    assert (stands.document["exit_code"], stands.text.splitlines()[0]) == (0, f"APPROVED  request {name}")
    with pytest.raises(AosError) as missing:
        tools["request_status"].work(setup, {"request_id": "nothing"}, Call())
    assert missing.value.code == "not_found"
    done = tools["run_plan"].work(setup, approved, Call()).document
    assert (done["status"], (tmp_path / "report.txt").read_text()) == ("succeeded", "x")
    with pytest.raises(AosError) as again:
        tools["run_plan"].work(setup, approved, Call())
    assert again.value.code == "already_consumed"
    assert runs.purse.left_cents == 5


def test_a_token_is_who_decides_whatever_the_body_says(dev: Served, client: httpx.Client) -> None:
    manager, owner = (
        {"Authorization": f"Bearer {re.search(rf'^{name}=(.+)$', dev.said, re.MULTILINE)[1]}"}  # type: ignore[index]
        for name in ("MANAGER1", "OWNER1")
    )
    at = requested(client, tenant_id="default", required_level=4)
    digest = client.get(at).json()["digest"]
    for claimed in ({"approver_id": "owner1"}, {"tenant_id": "test_tenant"}):
        answer = client.post(f"{at}/approve", json=claimed, headers=manager)
        assert (answer.status_code, answer.json()["code"]) == (403, "authorization_denied")
    entries = client.get("/api/v1/audit", params={"object": at.rpartition("/")[2]}).json()["entries"]
    assert [(one["action"], one["subject"]) for one in entries][:2] == [("access.refused", "manager1")] * 2
    keyed = manager | {"Idempotency-Key": "once"}
    votes = [client.post(f"{at}/approve", json={"digest": digest}, headers=keyed).json() for _ in range(2)]
    assert votes[0] == votes[1]
    assert (votes[0]["status"], votes[0]["approvals"]) == ("pending", 1)
    other = client.post(f"{at}/approve", json={}, headers=keyed)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert client.post(f"{at}/approve", json={}, headers=owner).json()["status"] == "approved"


def test_only_who_asked_withdraws_a_request(client: httpx.Client) -> None:
    at = requested(client)
    other = client.post(f"{at}/cancel", json={"requested_by": "owner1"})
    assert (other.status_code, other.json()["code"]) == (403, "authorization_denied")
    own = client.post(f"{at}/cancel", json={"requested_by": "user123", "reason": "no longer needed"})
    assert (own.status_code, own.json()["status"]) == (200, "cancelled")
    assert client.post(f"{at}/consume", json={"requested_by": "user123"}).json()["code"] == "not_approved"


def test_level_5_is_audited_and_so_is_who_was_refused(client: httpx.Client) -> None:
    at = requested(client, required_level=5, tenant_id="audited")
    assert client.post(f"{at}/approve", json={"approver_id": "low_level_user", "level": 5}).status_code == 403
    assert client.post(f"{at}/approve", json={"approver_id": "manager1", "level": 5}).status_code == 403
    assert client.post(f"{at}/approve", json={"approver_id": "owner1", "level": 5}).status_code == 200
    about = {"tenant_id": "audited", "object": at.rpartition("/")[2]}
    entries = client.get("/api/v1/audit", params=about).json()["entries"]
    assert [(one["action"], one["subject"], one["details"].get("level")) for one in entries] == [
        ("request.voted", "owner1", 5),
        ("request.approve.refused", "manager1", None),
        ("access.refused", "low_level_user", 5),
        ("request.created", "user123", None),
    ]


@pytest.mark.parametrize(
    ("changed", "status", "pointer"),
    [
        ({"status": "approved"}, 422, "/status"),
        ({"approver_id": "owner1"}, 422, "/approver_id"),
        ({"requester": {"subject": "owner1"}}, 422, "/requester"),
        ({"level": 1}, 422, "/level"),
        ({"min_approvals": 0}, 422, "/min_approvals"),
        ({"expires_in_seconds": 59}, 422, "/expires_in_seconds"),
        ({"expires_in_seconds": 604_801}, 422, "/expires_in_seconds"),
        ({"justification": "é" * 2049}, 422, "/justification"),
        ({"justification": "a\x00b"}, 422, "/justification"),
        ({"payload": {"a": "\x00"}}, 422, ""),
        ({"policy_type": "money"}, 422, "/policy_type"),
        ({"plan": []}, 422, ""),
    ],
)
def test_what_a_request_may_not_say_is_refused(
    client: httpx.Client, changed: dict[str, object], status: int, pointer: str
) -> None:
    answer = client.post("/api/v1/policy/requests", json=ASKED | changed)
    assert answer.status_code == status, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    "changed",
    [
        {"expires_in_seconds": 60},
        {"expires_in_seconds": 604_800, "escalate_after_seconds": 604_800},
        {"justification": "é" * 2048},
        {"skill_id": "s" * 128, "tenant_id": "t" * 64},
    ],
)
def test_a_request_may_go_to_the_limit(client: httpx.Client, changed: dict[str, object]) -> None:
    requested(client, **changed)


def test_a_decision_has_so_many_bytes_and_not_one_more(client: httpx.Client) -> None:
    at = requested(client)
    body = json.dumps({"approver_id": "owner1"}).ljust(16_385)
    assert client.post(f"{at}/approve", content=body, headers=JSON).status_code == 413
    assert client.post(f"{at}/approve", content=body[:-1], headers=JSON).json()["status"] == "approved"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"approver_id": "owner1", "status": "approved"}, 422),
        ({"approver_id": "owner1", "requested_by": "owner1"}, 422),
        ({"approver_id": "owner1", "level": 6}, 422),
        ({"approver_id": "owner1", "level": True}, 422),
        ({"approver_id": "owner1", "digest": "sha256:x"}, 422),
        ({"approver_id": "owner1", "digest": "sha256:" + "0" * 64}, 409),
        ({"approver_id": "owner1", "tenant_id": "other"}, 404),
        ({"approver_id": "owner1", "break_glass": True}, 422),
        ({"approver_id": "USER123", "level": 2}, 403),
        ({"approver_id": "owner1", "reason": "x" * 17_000}, 413),
    ],
)
def test_what_a_decision_may_not_say_is_refused(
    client: httpx.Client, body: dict[str, object], status: int
) -> None:
    at = requested(client)
    answer = client.post(f"{at}/approve", json=body)
    assert answer.status_code == status, answer.text
    assert client.get(at).json()["status"] == "pending"


def test_a_tenant_that_can_not_be_is_said_before_anybody_is_believed(client: httpx.Client) -> None:
    rules = {"files": {"a.cedar": "permit (principal, action, resource);"}, "message": "x"}
    said = client.post("/api/v1/policy/versions", json={**rules, "tenant_id": "\u00b1"})
    assert (said.status_code, said.json()["errors"][0]["pointer"]) == (422, "/tenant_id")


def test_what_approvals_count_is_in_the_metrics(client: httpx.Client) -> None:
    requested(client)
    waiting = re.compile(r'^nova_approval_pending\{level="3"\} [1-9]', re.MULTILINE)
    text, until = "", time.monotonic() + 20
    while not waiting.search(text) and time.monotonic() < until:  # they are counted once a second
        time.sleep(0.1)
        text = client.get("/metrics").text
    assert waiting.search(text)
    assert 'nova_approval_decisions_total{level="3",result="approved"}' in text
    assert "nova_approval_break_glass_total 0.0" in text


def test_foreign_pages_and_names_are_refused(client: httpx.Client) -> None:
    for headers in ({"Host": "rebound.example"}, {"Origin": "https://evil.example"}):
        assert client.get("/api/v1/runtime/skills", headers=headers).json()["code"] == "foreign_host"


def test_it_listens_to_this_machine_alone(dev: Served) -> None:
    listening = sockets(dev.process.pid)
    assert {address.partition(":")[0] for address in listening} == {"0100007F"}  # 127.0.0.1
    assert len(listening) == 2


def test_it_leaves_nothing_behind() -> None:
    with aos_server("dev", "--port", "0") as served:
        assert running(f"aos-dev-{served.process.pid}-")
        assert served.end(signal.SIGINT) == 130
    assert left_by(served.process.pid) == []


def left_by(pid: int) -> list[object]:
    """Processes and folders of the server with that number."""
    ours = f"aos-dev-{pid}-"
    return [*running(ours), *Path(tempfile.gettempdir()).glob(f"{ours}*")]


def test_even_killed_it_leaves_no_postgres_and_no_folder() -> None:
    with aos_server("dev", "--port", "0") as served:
        assert running(f"aos-dev-{served.process.pid}-")
        served.end(signal.SIGKILL)
    wait_for(lambda: left_by(served.process.pid) == [], "its Postgres and its folder are gone", 10)


def test_in_json_it_says_one_object_and_the_audit_log_is_sequenced_and_sound() -> None:
    words = [sys.executable, "-m", "aos_server", "dev", "--port", "0", "--json"]
    env = {"PATH": os.environ["PATH"], "RBAC_ENABLED": "false"}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdout is not None
        document = json.loads(process.stdout.readline())
        assert faults(document) == []
        assert (document["schema"], document["database"]["kept_in"]) == ("aos.dev/1", None)
        assert {person["level"] for person in document["people"]} == {1, 2, 4, 5}
        token = next(person["token"] for person in document["people"] if person["level"] == 1)
        with httpx.Client(base_url=document["url"], timeout=60) as client:
            # RBAC_ENABLED=false: everybody may do everything, but tokens are still verified.
            with_token = client.get("/api/v1/whoami", headers={"Authorization": f"Bearer {token}"}).json()
            assert (with_token["subject"], with_token["level"]) == ("low_level_user", 5)
            nobody = client.get("/api/v1/whoami", params={}).json()
            assert (nobody["subject"], nobody["level"]) == ("dev", 5)
            broken = client.get("/api/v1/whoami", headers={"Authorization": f"Bearer {token}x"})
            assert broken.status_code == 401
            assert client.post("/api/v1/runs", json=RECORD).status_code == 201
            wait_for(lambda: _checked(client) == ("sound", 1), "the worker has signed a checkpoint", 10)
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=40)
    assert rest == ""
    assert token not in errors
    assert process.returncode == 143
    assert left_by(process.pid) == []


def wait_for(condition: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.1)


def _checked(client: httpx.Client) -> tuple[str, int]:
    found = client.post("/api/v1/audit/verify", json={}).json()
    return found["status"], found["size"]


def test_what_is_kept_is_there_again() -> None:
    """Not in a folder of pytest's: the Postgres of root is another user, who may not enter those."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for _ in range(2):
            with aos_server("dev", "--port", "0", "--data", f"{folder}/kept") as served:
                assert f"kept in {folder}" in served.said
                assert httpx.get(f"{served.url}/readyz").status_code == 200
        assert running(folder) == []


def test_a_port_that_is_taken_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "aos_server", "dev", "--port", port],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 2
    assert "port_taken" in done.stderr
    assert "Traceback" not in done.stderr


def test_webhooks_may_lead_to_this_machine(client: httpx.Client) -> None:
    for url, status in (("http://127.0.0.1:9/", 201), ("http://10.1.2.3/", 422)):
        found = client.post("/api/v1/webhooks", json={"url": url})
        assert found.status_code == status, found.text
