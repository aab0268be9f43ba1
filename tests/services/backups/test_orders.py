"""Backups over the API: asked for by owners of the operating tenant, made by a worker, told to who asks."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.routing import Router

from aos.errors import InputError
from aos_server.app import application
from aos_server.db.pool import Database
from aos_server.http.handlers.backups import BackupCalls
from aos_server.http.routes.backups import backups
from aos_server.services.backups.duty import Duty, see
from aos_server.services.backups.folder import Folder
from aos_server.services.backups.orders import lately
from aos_server.services.backups.retention import Rule
from tests.cli.schemas import faults
from tests.server.http.world import NO_RUNS
from tests.server.serve import serving
from tests.services.backups.backing import Backed
from tests.services.keys.making import new_keys
from tests.services.processes import free_port, wait_for
from tests.services.serving.settings import of_worker
from tests.services.staff import Staff, by

AT = "/api/v1/backups"
NEVER = "0 0 29 2 *"


def server(base) -> Any:
    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        async with Database.open(base.pooled("aos_app"), 2) as database:
            outer.default = application(Staff(), runs=NO_RUNS, database=database, operating_tenant="acme")
            yield

    outer = Router(lifespan=lifespan, redirect_slashes=False)
    return outer


@pytest.fixture
def client(backed: Backed) -> Iterator[httpx.Client]:
    headers = by("owner")
    with (
        serving(server(backed.base)) as url,
        httpx.Client(base_url=url, headers=headers, timeout=30) as client,
    ):
        yield client


def duty(backed: Backed, schedule: str = NEVER) -> Duty:
    return Duty(backed.site, schedule, Rule(7, 4), "acme")


def works(backed: Backed, act: Any) -> Any:
    """As the worker's role."""

    async def main() -> Any:
        async with Database.open(backed.base.url("aos_worker"), 2, deadline_s=8) as database:
            return await act(database)

    return asyncio.run(main())


def test_what_is_asked_for_is_done_by_a_worker_and_told(backed, client):
    assert client.post(AT, json={}).status_code == 503  # no worker looks after backups
    works(backed, lambda database: see(duty(backed), database))
    key = {"Idempotency-Key": "k1"}
    asked = client.post(AT, json={}, headers=key)
    assert asked.status_code == 202
    assert client.post(AT, json={}, headers=key).json() == asked.json()
    name = asked.json()["name"]
    assert (asked.json()["state"], asked.json()["order"]["ended_at"]) == ("waiting", None)
    second = client.post(AT, json={})
    assert (second.status_code, second.json()["code"]) == (409, "backup_running")
    assert "asked for at 20" in second.json()["detail"]

    assert works(backed, duty(backed).act) == 1
    shown = client.get(f"{AT}/{name}").json()
    assert faults(shown) == []
    assert (shown["state"], shown["order"]["code"], shown["audit"]["size"]) == ("good", None, 22)
    assert client.get(AT).json()["last_good"] == name
    dump = backed.path / name / "database.dump"
    dump.write_bytes(bytes(len(dump.read_bytes())))
    assert client.post(f"{AT}/{name}/verify", json={}).status_code == 202
    assert works(backed, duty(backed).act) == 2  # and one is due, since there is no good one now
    told = client.get(AT).json()
    assert faults(told) == []
    assert [(one["name"] == name, one["state"]) for one in told["backups"]] == [
        (False, "good"),
        (True, "bad"),
    ]
    assert told["last_good"] == told["backups"][0]["name"]
    assert client.get(f"{AT}/20200101T000000Z-000000").json()["code"] == "backup_not_found"
    said = "SELECT action, subject, details ->> 'state' FROM audit WHERE action LIKE 'backup.%' ORDER BY at"
    assert backed.base.rows(said) == [
        ("backup.create_asked", "owner", None),
        ("backup.created", "backups", "good"),
        ("backup.verify_asked", "owner", None),
        ("backup.verified", "backups", "bad"),
        ("backup.created", "backups", "good"),
    ]
    assert "backup_orders" not in backed.base.unaudited()


def test_of_a_crowd_that_asks_at_once_one_is_let_in(backed, client):
    works(backed, lambda database: see(duty(backed), database))
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: client.post(AT, json={}).status_code, range(8)))
    assert sorted(answers) == [202] + [409] * 7
    assert backed.base.rows("SELECT count(*) FROM backup_orders") == [(1,)]


def test_an_order_that_fails_ends_and_says_why(backed, client):
    works(backed, lambda database: see(duty(backed), database))
    name = client.post(AT, json={}).json()["name"]
    weak = duty(backed)._replace(site=backed.site._replace(url=backed.base.url("aos_app")))
    with pytest.raises(InputError):  # of the one that is due
        works(backed, weak.act)
    shown = client.get(f"{AT}/{name}").json()
    assert (shown["state"], shown["order"]["code"]) == ("failed", "invalid_config")
    assert "role" not in str(shown)  # whose it is, and where, is in the log
    assert client.post(AT, json={}).status_code == 202


def test_only_owners_of_the_operating_tenant_ask_and_see(backed, client):
    served = {(one.method, one.path) for one in backups(AT, BackupCalls(None))}
    one = f"{AT}/{{name}}"
    assert served == {("GET", AT), ("POST", AT), ("GET", one), ("POST", f"{one}/verify")}
    for method, path in served:
        for name in ("manager", "colleague", "elsewhere", "stranger"):
            asked: dict[str, Any] = {"json": {}} if method == "POST" else {}
            answer = client.request(method, path.format(name="x"), headers=by(name), **asked)
            assert (answer.status_code, answer.json()["code"]) == (403, "authorization_denied")


def test_one_is_due_once_each_time_and_old_ones_go(backed):
    hourly = duty(backed, "0 * * * *")._replace(rule=Rule(1, 0, timedelta(0)))
    assert works(backed, lately) is None
    assert works(backed, hourly.act) == 1
    assert works(backed, hourly.act) == 0
    (first,) = backed.here()
    assert works(backed, lately) is True
    before = f"{datetime.now(UTC) - timedelta(hours=30):%Y%m%dT%H%M%SZ}{first[16:]}"
    aged(backed, first, before)
    works(backed, lambda database: see(hourly, database))
    assert works(backed, lately) is False
    assert works(backed, hourly.act) == 1
    assert len(backed.here()) == 1
    assert backed.here() != [before]


def aged(backed: Backed, name: str, before: str) -> None:
    """As if it had been made then."""
    manifest = Folder(backed.path).manifest(name)
    (backed.path / name).rename(backed.path / before)
    at = Folder(backed.path).find(before).started_at
    Folder(backed.path).keep(manifest._replace(name=before, started_at=at, ended_at=at))


@contextmanager
def worker(backed: Backed, tmp_path, **more: str) -> Iterator["subprocess.Popen[bytes]"]:
    settings = {**of_worker(backed.base, tmp_path), **backed.settings, **more}
    words = [sys.executable, "-m", "aos_server", "worker"]
    with subprocess.Popen(words, env=settings, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def test_workers_make_one_backup_between_them_and_do_what_is_asked_for(backed, client, tmp_path):
    new_keys(tmp_path / "keys")
    ports = [str(free_port()), str(free_port())]

    def told() -> list[str]:
        return [httpx.get(f"http://127.0.0.1:{port}/metrics").text for port in ports]

    with (
        worker(backed, tmp_path, AOS_WORKER_PORT=ports[0]),
        worker(backed, tmp_path, AOS_WORKER_PORT=ports[1]),
    ):
        wait_for(lambda: client.get(AT).json()["last_good"] is not None, "a backup is made", 60)
        (name,) = [one["name"] for one in client.get(AT).json()["backups"]]
        words = [
            sys.executable,
            "-m",
            "aos",
            "backup",
            "verify",
            name,
            "--wait",
            "--timeout",
            "60s",
            "--json",
        ]
        env = {
            **os.environ,
            "AOS_BASE_URL": str(client.base_url),
            "AOS_API_KEY": "owner",
            "HOME": str(tmp_path),
        }
        done = subprocess.run(words, env=env, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        document = json.loads(done.stdout)
        assert faults(document) == []
        assert (document["state"], document["order"]["action"]) == ("good", "verify")
        size = (backed.path / name / "database.dump").stat().st_size
        wait_for(
            lambda: any(f"nova_backup_size_bytes {size}.0\n" in text for text in told()), "it is measured"
        )
    assert len(backed.here()) == 1
