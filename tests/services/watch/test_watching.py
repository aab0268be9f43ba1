"""A server and a worker, watched by a real Prometheus with what is shipped; an alert that reaches a real receiver."""

import json
import math
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.fakes.receivers import Receiver, receiving
from tests.server.processes import aos_server
from tests.services.conftest import Base
from tests.services.keys.making import new_keys
from tests.services.oidc.provider import OPAQUE, OpenId
from tests.services.processes import Process, free_port, started
from tests.services.processes import wait_for as wait
from tests.services.serving.settings import in_production, of_worker
from tests.services.watch.promql import RANGE, asked
from tests.services.watch.shipped import DASHBOARDS, rules
from tests.services.watch.watching import Alertmanager, Prometheus
from tests.tools.build_dashboards import files

# Of these there is nothing to see before something happens; what it takes is what the panel is called.
EVENTS = {
    "Why requests failed",
    "Refused for asking too often",
    "Since the last good backup",
    "The key that signs webhooks: old one ends in",
    "Webhooks without the new key, and disabled ones: not accepted",
}
PLAN = [{"skill": "fs_write", "params": {"path": "a.txt", "content": "report"}, "approval": 3}]


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """What takes Prometheus a few looks takes a busy machine longer."""
    wait(condition, what, 120)


class Query(NamedTuple):
    """A query of a panel, and what it is called."""

    name: str
    text: str


def queries() -> list[Query]:
    found = []
    for path in sorted(DASHBOARDS.glob("*.json")):
        for panel in json.loads(path.read_text("utf-8"))["panels"]:
            targets = panel.get("targets", [])
            several = len(targets) > 1
            found += [
                Query(f"{panel['title']}: {one['legendFormat']}" if several else panel["title"], one["expr"])
                for one in targets
            ]
    return found


class Worker:
    """`aos-server worker`, which can be killed and started again."""

    def __init__(self, base: Base, home: Path) -> None:
        new_keys(home / "keys")
        self.port = free_port()
        self._env = {
            **of_worker(base, home),
            "AOS_WORKER_PORT": str(self.port),
            "AOS_WEBHOOK_HOSTS": "127.0.0.1",
        }
        self._log = (home / "log").open("ab")
        self.start()

    def start(self) -> None:
        words = [sys.executable, "-m", "aos_server", "worker"]
        self._process = subprocess.Popen(words, env=self._env, stdout=self._log, stderr=self._log)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        self._log.close()


class World(NamedTuple):
    """What is watched, what watches it, and who is told."""

    base: Base
    url: str
    people: dict[str, httpx.Client]
    worker: Worker
    prometheus: Prometheus
    alertmanager: Alertmanager
    receiver: Receiver


@pytest.fixture(scope="module")
def world(new_base, redis_server: Process, provider: OpenId, tmp_path_factory) -> Iterator[World]:
    base = new_base()
    # A job that somebody did just now: else there were none to see for a minute.
    base.server.execute(
        "WITH done AS (INSERT INTO procrastinate_jobs (queue_name, task_name, status) "
        "VALUES ('messages', 'messages', 'succeeded') RETURNING id) "
        "INSERT INTO procrastinate_events (job_id, type) SELECT id, 'succeeded' FROM done",
        base.name,
    )
    with ExitStack() as stack:
        worker = Worker(base, tmp_path_factory.mktemp("worker"))
        stack.callback(worker.close)
        env = {**in_production(base, redis_server, provider), "AOS_PORT": str(free_port())}
        env["AOS_WEBHOOK_HOSTS"] = "127.0.0.1"
        served = stack.enter_context(aos_server("serve", env=env))
        receiver = stack.enter_context(receiving())
        alertmanager = stack.enter_context(started(lambda home: Alertmanager(home, receiver.url)))
        targets = {
            "server": served.url.removeprefix("http://"),
            "worker": f"127.0.0.1:{worker.port}",
            "alertmanager": f"127.0.0.1:{alertmanager.port}",
        }
        prometheus = stack.enter_context(started(lambda home: Prometheus(home, targets)))
        people = {name: stack.enter_context(client(served.url, provider, name)) for name in ("ann", "bob")}
        yield World(base, served.url, people, worker, prometheus, alertmanager, receiver)


@contextmanager
def client(url: str, provider: OpenId, name: str) -> Iterator[httpx.Client]:
    bearer = {"Authorization": f"Bearer {provider.person(name, OPAQUE)['access_token']}"}
    with httpx.Client(base_url=url, headers=bearer, timeout=60) as found:
        yield found


@pytest.fixture(scope="module")
def loaded(world: World) -> Prometheus:
    """After some work, twice: Prometheus sees what is added to what it knew."""
    hook = {"url": f"{world.receiver.url}/204", "topics": ["*"]}
    made = world.people["bob"].post("/api/v1/webhooks", json=hook)
    assert made.status_code == 201, made.text
    values, told = world.prometheus.values, 'nova_webhook_deliveries_total{result="delivered"}'
    wait_for(lambda: values("sum(up)") == [2.0], "both are watched")
    for number in range(2):
        before = values(f"max({told})")
        work(world, number)
        count = f'nova_approval_decisions_total{{result="consumed",level="3"}} == {number + 1}'
        wait_for(lambda count=count: values(count) != [], "the work is seen")  # type: ignore[misc]
        wait_for(lambda before=before: values(f"max({told})") > before, "and its messages")  # type: ignore[misc]
    wait_for(lambda: len(values("slo:nova_slow:ratio6h >= 0")) == 2, "it is recorded")
    return world.prometheus


def work(world: World, number: int) -> None:
    """What makes every metric move that moves by itself: ask, be asked, decide, run."""
    ann, bob = world.people["ann"], world.people["bob"]
    email = {"to": "a@example.com", "subject": "s", "body": "b"}
    for skill, payload in (("email_send", email), ("test", {}), ("fs_read", {"path": "a.txt"})):
        assert (
            ann.post("/api/v1/policy/eval", json={"skill_id": skill, "payload": payload}).status_code == 200
        )
    assert ann.post("/api/v1/runtime/simulate", json={"plan": PLAN}).status_code == 200
    asks = {"policy_type": "capability", "plan": PLAN, "justification": "to try it"}
    made = ann.post("/api/v1/policy/requests", json=asks)
    assert made.status_code == 201, made.text
    request = f"/api/v1/policy/requests/{made.json()['request_id']}"
    for path, who, body in (
        ("approve", bob, {"reason": "fine"}),
        ("consume", ann, {"digest": made.json()["digest"], "run_id": f"r{number}"}),
    ):
        done = who.post(f"{request}/{path}", json=body)
        assert done.status_code == 200, done.text
    attempt = {"step": "s1", "skill": "fs_write", "outcome": "succeeded", "started_ms": 1, "cost_cents": 2}
    run = {
        "run_id": f"r{number}",
        "status": "succeeded",
        "plan_digest": "sha256:" + "ab" * 32,
        "started_ms": 1,
    }
    assert ann.post("/api/v1/runs", json={**run, "attempts": [attempt]}).status_code == 201


def test_every_metric_and_label_that_a_rule_or_a_panel_names_is_there(loaded: Prometheus) -> None:
    there = loaded.get("series", **{"match[]": '{__name__=~".+"}'})
    named = [Query(rule.name, rule.written["expr"]) for kind in ("alert", "record") for rule in rules(kind)]
    wrong = {
        query.name: flaws
        for query in (*named, *queries())
        if (flaws := [flaw for one in asked(query.text) for flaw in one.among(there)])
    }
    assert wrong == {}


def test_every_rule_is_evaluated_and_says_nothing_of_a_server_that_is_well(loaded: Prometheus) -> None:
    groups = loaded.get("rules")["groups"]
    assert all(group["name"].startswith("m5-") for group in groups)
    found = {rule["name"]: rule for group in groups for rule in group["rules"]}
    assert found.keys() == {rule.name for kind in ("alert", "record") for rule in rules(kind)}
    assert {name: rule["lastError"] for name, rule in found.items() if "lastError" in rule} == {}
    # Jobs that are due once an hour have not been done yet, and nobody has made a backup.
    late = {"AosJobNeverDone", "AosBackupOld"}
    states = {name: rule["state"] for name, rule in found.items() if "state" in rule and name not in late}
    assert {name for name, state in states.items() if state != "inactive"} == {"AosWatchdog"}


def test_every_panel_shows_something(loaded: Prometheus) -> None:
    """But for what nothing has happened for yet."""

    def shows(query: Query) -> bool:
        text = RANGE.sub("5m", query.text).replace("$instance", ".+")
        return any(not math.isnan(value) for value in loaded.values(text))

    for query in queries():
        if query.name not in EVENTS:
            wait_for(lambda query=query: shows(query), query.name)  # type: ignore[misc]
    assert {query.name for query in queries() if not shows(query)} == EVENTS


def test_the_dashboards_are_what_is_written_for_them() -> None:
    made = dict(files())
    assert sorted(DASHBOARDS.glob("*.json")) == sorted(made)
    assert {path.name for path, text in made.items() if path.read_text("utf-8") != text} == set()


def test_each_panel_says_what_it_is_and_leads_to_sections_that_there_are() -> None:
    alerts = {rule.name for rule in rules("alert")}
    for path in DASHBOARDS.glob("*.json"):
        for panel in json.loads(path.read_text("utf-8"))["panels"]:
            if panel["type"] == "row":
                continue
            defaults = panel["fieldConfig"]["defaults"]
            assert len(panel["description"]) > 20, panel["title"]
            assert (defaults["noValue"], bool(defaults["unit"])) == ("no data", True)
            assert {link["url"].partition("#")[2] for link in panel["links"]} <= {
                one.lower() for one in alerts
            }


def told(receiver: Receiver, path: str, name: str) -> list[str]:
    """What came there of an alert: firing, resolved."""
    bodies = [json.loads(one.body) for one in receiver.got if one.path == path]
    return [one["status"] for body in bodies for one in body["alerts"] if one["labels"]["alertname"] == name]


def test_a_worker_that_dies_is_told_and_its_return_after_rules_were_changed_while_prometheus_runs(
    world: World,
) -> None:
    path = world.prometheus.folder / "rules/targets.yml"
    shipped = path.read_text()

    def patience() -> float:
        (rule,) = [
            rule
            for group in world.prometheus.get("rules", type="alert")["groups"]
            for rule in group["rules"]
            if rule["name"] == "AosTargetDown"
        ]
        return float(rule["duration"])

    assert patience() == 120
    path.write_text(re.sub(r"(alert: AosTargetDown\n.*\n +for:) 2m", r"\1 0s", shipped))
    world.prometheus.reload()
    assert patience() == 0
    world.worker.kill()
    wait_for(lambda: "firing" in told(world.receiver, "/204/pager", "AosTargetDown"), "the pager is told")
    wait_for(
        lambda: "firing" in told(world.receiver, "/204/watchdog", "AosWatchdog"), "so is who waits for it"
    )
    world.worker.start()
    wait_for(
        lambda: "resolved" in told(world.receiver, "/204/pager", "AosTargetDown"),
        "the pager is told of the end",
    )
    path.write_text(shipped)
    world.prometheus.send(signal.SIGHUP)
    wait_for(lambda: patience() == 120, "the rules are read again")


def test_what_something_else_explains_is_not_told(world: World) -> None:
    tell = world.alertmanager.tell
    tell({"alertname": "AosDatabaseGone", "severity": "critical", "instance": "s9"})
    tell({"alertname": "AosLoopStalled", "severity": "critical", "loop": "outbox"})
    tell({"alertname": "AosAuditDamaged", "severity": "critical"})
    tell({"alertname": "AosErrorsBurnFast", "slo": "decide"}, {"alertname": "AosErrorsBurn", "slo": "decide"})

    def silenced() -> set[str]:
        alerts = world.alertmanager.api("alerts", active="false", inhibited="true")
        return {one["labels"]["alertname"] for one in alerts if one["status"]["inhibitedBy"]}

    wait_for(
        lambda: silenced() == {"AosLoopStalled", "AosErrorsBurnFast", "AosErrorsBurn"}, "they are silenced"
    )
    wait_for(lambda: "firing" in told(world.receiver, "/204/pager", "AosAuditDamaged"), "others are told")
    assert told(world.receiver, "/204/pager", "AosLoopStalled") == []
    assert told(world.receiver, "/204/tickets", "AosErrorsBurn") == []


def test_what_it_depends_on_is_told_as_it_goes(world: World) -> None:
    """And what the database would have told is unknown then, not what it was."""
    up = 'nova_dependency_up{dependency="database"}'
    waiting = "nova_approval_pending >= 0"
    wait_for(lambda: world.prometheus.values(up) == [1.0], "the database is there")
    assert len(world.prometheus.values(waiting)) == 5
    world.base.pooler.kill()
    try:
        wait_for(lambda: world.prometheus.values(up) == [0.0], "it is gone")
        wait_for(lambda: world.prometheus.values(waiting) == [], "nobody knows how many wait")
        wait_for(lambda: world.prometheus.values("nova_webhook_waiting >= 0") == [], "nor what")
    finally:
        world.base.pooler.start()
    wait_for(lambda: world.prometheus.values(up) == [1.0], "it is there again")
