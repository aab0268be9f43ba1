"""`aos-server dev`: nothing to install, ready in seconds, and what is typed at it behaves as people know it."""

import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.process import DEMO
from tests.server.processes import Served, aos_server, running, sockets

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
    assert client.get("/health").json()["checks"] == {"database": "ok"}
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


def test_foreign_pages_and_names_are_refused(client: httpx.Client) -> None:
    for headers in ({"Host": "rebound.example"}, {"Origin": "https://evil.example"}):
        assert client.get("/api/v1/runtime/skills", headers=headers).json()["code"] == "foreign_host"


def test_it_listens_to_this_machine_alone(dev: Served) -> None:
    listening = sockets(dev.process.pid)
    assert {address.partition(":")[0] for address in listening} == {"0100007F"}  # 127.0.0.1
    assert len(listening) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_leaves_nothing_behind(number: signal.Signals) -> None:
    with aos_server("dev", "--port", "0") as served:
        ours = f"aos-dev-{served.process.pid}-"
        assert len(running(ours)) >= 1
        assert served.end(number) == 128 + number
    assert running(ours) == []
    assert list(Path(tempfile.gettempdir()).glob(f"{ours}*")) == []


def test_what_is_kept_is_there_again(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for _ in range(2):
        with aos_server("dev", "--port", "0", "--data", str(tmp_path / "kept")) as served:
            assert f"kept in {tmp_path}" in served.said
            assert httpx.get(f"{served.url}/readyz").status_code == 200
    assert running(str(tmp_path)) == []


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
