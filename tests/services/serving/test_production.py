"""Production as it is run: two servers, PgBouncer in transaction mode, Redis, a real OpenID provider; and kill -9."""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from aos.domain.skills.distributions import Constant
from aos.domain.skills.skill import CallCost, Figure, Provenance
from aos.wire.catalogs.descriptors import dump_skill
from aos.wire.catalogs.read import default_catalog
from tests.server.http.world import STEP, told
from tests.server.processes import Served, aos_server, running
from tests.services.conftest import Base
from tests.services.oidc.provider import OPAQUE, OpenId
from tests.services.processes import Process, free_port, wait_for
from tests.services.serving.settings import in_production

DIGEST = "sha256:" + "cd" * 32
Asking = Callable[[Served], httpx.Client]
EVAL = {"skill_id": "test", "payload": {}}


class World(NamedTuple):
    """What two servers share, and a person's token."""

    env: dict[str, str]
    base: Base
    redis: Process
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture
def world(base: Base, redis_server: Process, provider: OpenId) -> World:
    env = {**in_production(base, redis_server, provider), "AOS_RATE_CREATE_RPM": "1000000"}
    return World(env, base, redis_server, provider.person("ada", OPAQUE)["access_token"])


@pytest.fixture
def two(world: World) -> Iterator[tuple[Served, Served]]:
    with serve(world) as one, serve(world) as other:
        yield one, other


def serve(world: World, port: int | None = None, *words: str, **env: str) -> Any:
    return aos_server("serve", *words, env={**world.env, "AOS_PORT": str(port or free_port()), **env})


@pytest.fixture
def asking(world: World) -> Iterator[Asking]:
    """Makes clients of a server, with the person's token."""
    with ExitStack() as stack:

        def client(served: Served) -> httpx.Client:
            return stack.enter_context(httpx.Client(base_url=served.url, headers=world.bearer, timeout=40))

        yield client


def record(run: str) -> dict[str, Any]:
    attempt = {"step": "s1", "skill": "fs_read", "outcome": "succeeded", "started_ms": 1, "cost_cents": 2}
    run_of = {"run_id": run, "status": "succeeded", "plan_digest": DIGEST, "started_ms": 1}
    return {**run_of, "attempts": [attempt]}


def test_two_servers_are_one(two: tuple[Served, Served], asking: Asking) -> None:
    clients = [asking(served) for served in two]
    for path in ("/livez", "/readyz", "/health"):
        assert [asked.get(path).json()["status"] for asked in clients] == ["healthy", "healthy"]
    forecasts = [asked.post("/api/v1/runtime/simulate", json={"plan": [STEP]}).content for asked in clients]
    assert forecasts[0] == forecasts[1]
    assert b'"feasible":true' in forecasts[0]
    assert clients[0].post("/api/v1/runs", json=record("r1")).status_code == 201
    assert clients[1].post("/api/v1/runs", json=record("r1")).status_code == 200
    question = {"query_type": "remaining_budget_cents"}
    assert clients[1].post("/api/v1/runtime/query", json=question).json()["result"]["spent_cents"] == 2
    assert clients[1].get("/api/v1/runtime/capabilities").json()["tenant_id"] == "acme"
    turns = itertools.islice(itertools.cycle(clients), 70)
    statuses = [one.post("/api/v1/policy/eval", json=EVAL).status_code for one in turns]
    # The simulations and the question counted, too; and one a second comes back.
    assert 50 <= statuses.count(200) <= 66
    assert statuses.count(429) >= 4


def test_what_changes_is_decided_by_at_once_on_both(
    world: World, two: tuple[Served, Served], asking: Asking, tmp_path: Path
) -> None:
    """Each call is another one, so that only what was remembered of those like it could be old."""
    clients, paths = [asking(served) for served in two], itertools.count()

    def post(asked: httpx.Client, path: str, body: Any) -> Any:
        for _ in range(50):
            answer = asked.post(f"/api/v1/policy/{path}", json=body)
            if answer.status_code not in (429, 503):  # those before have asked a lot, or the machine is busy
                break
            time.sleep(float(answer.headers["retry-after"]))
        assert answer.is_success, answer.text
        return answer.json()

    def decides(skill: str = "fs_read", **more: Any) -> set[tuple[str, str | None]]:
        found = set()
        for asked in clients:
            call = {"skill_id": skill, "payload": {"path": f"{next(paths)}.txt", **more}}
            told = post(asked, "eval", call)
            found.add((told["decision"], told["violations"][0]["code"] if told["violations"] else None))
        return found

    def tenant(*words: str) -> None:
        command = [sys.executable, "-m", "aos_server", "tenant", "acme", *words]
        subprocess.run(command, env={**os.environ, **world.env}, check=True, stdout=subprocess.DEVNULL)

    def activate(version: int, before: str) -> str:
        body = {"if_active": before, "why": "a test"}
        return str(post(clients[0], f"versions/{version}/activate", body)["policy_digest"])

    allowed, denied = {("allow", None)}, {("deny", "permission_denied")}
    ships = clients[0].get("/api/v1/policy/active").json()["policy_digest"]
    assert [decides(), decides("fs_write", content="x")] == [
        allowed,
        {("requires_approval", "approval_required")},
    ]
    pushed = post(clients[0], "versions", {"files": {"a.cedar": "forbid (principal, action, resource);"}})
    active = activate(pushed["version"], ships)
    assert decides() == denied
    activate(0, active)
    assert decides() == allowed
    tenant("--forbid", "fs_read")
    assert decides() == denied
    tenant("--allow", "fs_read")
    assert decides() == allowed
    dear = CallCost(Figure(Constant(3), Provenance("declared")))
    skill = default_catalog().skills["fs_read"]._replace(cost=dear)
    catalog = tmp_path / "catalog.json"
    catalog.write_text(json.dumps({"aos_catalog": "1", "skills": {skill.id: dump_skill(skill)}}))
    tenant("--budget", "2")
    assert decides() == allowed
    tenant("--catalog", str(catalog))
    assert decides() == {("deny", "budget_insufficient")}
    tenant("--budget", "3")
    assert decides() == allowed


def test_from_the_line_of_a_request_one_finds_what_it_did(
    world: World, two: tuple[Served, Served], asking: Asking
) -> None:
    asked = asking(two[0])
    answers = [
        asked.post("/api/v1/runs", json=record("r9")),
        asked.get("/api/v1/runs", params={"tenant_id": "x"}),
    ]
    lines: dict[str, Any] = {}

    def logged() -> bool:
        told = (json.loads(line) for line in two[0].log)
        lines.update({line["request_id"]: line for line in told if line["event"] == "request"})
        return lines.keys() >= {answer.headers["x-request-id"] for answer in answers}

    wait_for(logged, "both are in the log")
    mine = [lines[answer.headers["x-request-id"]] for answer in answers]
    assert [(line["code"], line["subject"]) for line in mine] == [
        (None, "ada"),
        ("authorization_denied", "ada"),
    ]
    entries = {str(entry): action for entry, action in world.base.rows("SELECT id::text, action FROM audit")}
    assert [entries[line["audit"]] for line in mine] == ["run.recorded", "access.refused"]


def test_nobody_gets_in_without_a_token_of_this_provider(world: World, two: tuple[Served, Served]) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"X-AOS-Key": "aos_x"}):
        answer = httpx.post(
            f"{two[0].url}/api/v1/policy/eval", json={**EVAL, "requested_by": "ada"}, headers=headers
        )
        assert (told(answer)["code"], answer.status_code) == ("unauthenticated", 401)
    claimed = httpx.post(
        f"{two[0].url}/api/v1/policy/eval", json={**EVAL, "tenant_id": "other"}, headers=world.bearer
    )
    assert told(claimed)["code"] == "authorization_denied"


def test_what_was_acknowledged_survives_the_death_of_each_server(world: World) -> None:
    ports = [free_port(), free_port()]
    acknowledged, stop = set[str](), threading.Event()

    def upload(name: str) -> None:
        for n in itertools.count():
            if stop.is_set():
                return
            run = f"{name}-{n}"
            for port in itertools.cycle(ports):
                with suppress(httpx.HTTPError):
                    url = f"http://127.0.0.1:{port}/api/v1/runs"
                    if httpx.post(url, json=record(run), headers=world.bearer, timeout=10).status_code < 300:
                        acknowledged.add(run)
                        break
                if stop.is_set():
                    return

    with serve(world, ports[0]) as one, serve(world, ports[1]) as other:
        threads = [threading.Thread(target=upload, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(acknowledged) > 20, "runs are uploaded")
        for served, port in ((one, ports[0]), (other, ports[1])):
            served.end(signal.SIGKILL)
            with serve(world, port):
                before = len(acknowledged)
                wait_for(lambda before=before: len(acknowledged) > before + 20, "uploads go on")  # type: ignore[misc]
        stop.set()
        for thread in threads:
            thread.join()
    rows = world.base.rows("SELECT id FROM runs")
    kept = {str(row[0]) for row in rows}
    assert acknowledged <= kept
    # Each is counted once, also those whose answer got lost and that were uploaded again.
    assert world.base.rows("SELECT spent_cents FROM budgets WHERE agent_id = ''") == [(2 * len(kept),)]
    audited = world.base.rows(
        "SELECT count(*), count(DISTINCT object) FROM audit WHERE action = 'run.recorded'"
    )
    assert audited == [(len(kept), len(kept))]


def test_what_is_gone_is_said_and_what_is_back_is_used(
    world: World, two: tuple[Served, Served], asking: Asking
) -> None:
    asked = asking(two[0])
    assert asked.post("/api/v1/policy/eval", json=EVAL).status_code == 200
    world.base.pooler.kill()
    began = time.monotonic()
    problem = told(asked.post("/api/v1/policy/eval", json=EVAL))
    assert (problem["code"], problem["status"]) == ("unavailable", 503)
    assert time.monotonic() - began < 10
    assert told(asked.get("/readyz"))["code"] == "not_ready"
    assert asked.get("/livez").status_code == 200
    assert asked.get("/health").json()["status"] == "unhealthy"
    world.base.pooler.start()
    wait_for(lambda: asked.post("/api/v1/policy/eval", json=EVAL).status_code == 200, "it recovers", 20)
    world.redis.kill()
    try:
        assert asked.post("/api/v1/policy/eval", json=EVAL).status_code == 200
        wait_for(lambda: asked.get("/health").json()["status"] == "degraded", "it is missed", 5)
        checks = {"database": "ok", "auth": "ok", "redis": "gone"}
        assert asked.get("/health").json()["checks"] == checks
        assert asked.get("/readyz").status_code == 200
    finally:
        world.redis.start()


def test_while_nobody_can_say_who_may_decide_it_is_not_ready(
    world: World, provider: OpenId, asking: Asking
) -> None:
    with serve(world, AUTH_SERVICE_TIMEOUT="0.5") as served:
        asked = asking(served)
        wait_for(lambda: asked.get("/readyz").status_code == 200, "it is ready")
        provider.send(signal.SIGSTOP)
        try:
            wait_for(lambda: asked.get("/readyz").status_code == 503, "it is not ready", 5)
            assert told(asked.get("/readyz"))["detail"] == "not ready: auth"
            assert told(asked.post("/api/v1/policy/eval", json=EVAL))["code"] == "auth_unavailable"
        finally:
            provider.send(signal.SIGCONT)
        wait_for(lambda: asked.get("/readyz").status_code == 200, "it recovers", 5)


def test_while_postgres_hangs_every_class_is_refused_within_three_seconds(
    world: World, two: tuple[Served, Served], asking: Asking
) -> None:
    asked = asking(two[0])
    calls: dict[str, Callable[[], httpx.Response]] = {
        "create": lambda: asked.post("/api/v1/runs", json=record("hung")),
        "evaluate": lambda: asked.post("/api/v1/policy/eval", json=EVAL),
        "read": lambda: asked.get("/api/v1/runs"),
        "read audit": lambda: asked.get("/api/v1/audit"),
        "health": lambda: asked.get("/readyz"),
    }
    assert asked.post("/api/v1/policy/eval", json=EVAL).status_code == 200
    world.base.server.send(signal.SIGSTOP)
    try:
        for name, call in calls.items():
            began = time.monotonic()
            problem = told(call())
            assert time.monotonic() - began < 10, name
            expected = "not_ready" if name == "health" else "unavailable"
            assert (problem["code"], problem["status"], problem["effect"]) == (expected, 503, "none"), name
        assert asked.get("/livez").status_code == 200
    finally:
        world.base.server.send(signal.SIGCONT)
    wait_for(lambda: asked.post("/api/v1/policy/eval", json=EVAL).status_code == 200, "it recovers", 20)
    assert world.base.rows("SELECT 1 FROM runs WHERE id = 'hung'") == []


def test_the_end_waits_for_what_is_being_answered(world: World, asking: Asking) -> None:
    answers: list[httpx.Response] = []
    slow = {"plan": [STEP] * 100, "samples": 40_000, "alternatives": True}
    with serve(world) as served:
        asked = asking(served)
        thread = threading.Thread(
            target=lambda: answers.append(asked.post("/api/v1/runtime/simulate", json=slow))
        )
        thread.start()

        def both() -> bool:
            """The plan and this very question are being answered."""
            lines = asking(served).get("/metrics").text.splitlines()
            (line,) = [line for line in lines if line.startswith("nova_http_requests_in_flight ")]
            return float(line.split()[1]) == 2

        wait_for(both, "the plan is being answered")
        assert served.end() == 128 + signal.SIGTERM
        thread.join()
    assert answers[0].status_code == 200


def test_several_processes_share_a_port_and_one_that_dies_is_replaced(world: World, asking: Asking) -> None:
    with serve(world, None, "--processes", "2") as served:
        wait_for(lambda: len(_serving(served)) == 2, "two processes serve")
        victim = _serving(served)[0]
        subprocess.run(["kill", "-9", str(victim)], check=True)
        replaced = lambda: len(_serving(served)) == 2 and victim not in _serving(served)  # noqa: E731
        wait_for(replaced, "it is replaced", 30)
        for _ in range(20):
            with httpx.Client(base_url=served.url, headers=world.bearer) as fresh:
                wait_for(lambda fresh=fresh: _ok(fresh), "it answers", 20)  # type: ignore[misc]
        lines = asking(served).get("/metrics").text.splitlines()
        counts = [
            line for line in lines if line.startswith("nova_http_requests_total") and '"/livez"' in line
        ]
        assert sum(float(line.split()[1]) for line in counts) >= 20
        assert "nova_webhook_key_backend_up NaN" in lines  # a worker would know


def _ok(asked: httpx.Client) -> bool:
    try:
        return asked.get("/livez").status_code == 200
    except httpx.HTTPError:
        return False


def _serving(served: Served) -> list[int]:
    """The processes that answer: children of the one that was started, as multiprocessing spawns them."""
    children = set(running("multiprocessing.spawn"))
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(served.process.pid)], capture_output=True, text=True
    )
    return sorted(pid for pid in map(int, found.stdout.split()) if pid in children)


def test_nothing_starts_without_its_settings() -> None:
    words = [sys.executable, "-m", "aos_server", "serve", "--json"]
    done = subprocess.run(words, capture_output=True, env={}, timeout=60)
    for name in (b"DATABASE_URL", b"REDIS_URL", b"AOS_OIDC_ISSUER"):
        assert name in done.stdout
    assert done.returncode == 2
