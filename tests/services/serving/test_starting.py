"""`aos-server serve` starts where `check` would let it, and says everything at once where it does not."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from aos.errors import InputError
from aos_server.cli.serving.starting import fit, look
from aos_server.db.migrate import head
from aos_server.stub.app import create_stub
from aos_server.stub.provider import StubProvider
from tests.server.processes import aos_server
from tests.server.serve import serving
from tests.services.conftest import Base
from tests.services.keys.making import new_keys
from tests.services.processes import children_of, listens, wait_for
from tests.services.serving.settings import SERVE, of_worker


def refusal(command: str, **environment: str) -> tuple[int, dict[str, Any]]:
    words = [sys.executable, "-m", "aos_server", command, "--json"]
    clean = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run(words, env=clean, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    document: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, document


@pytest.mark.parametrize("command", ["serve", "check"])
def test_settings_and_database_are_listed_together(base, command):
    base.server.execute("DROP TABLE alembic_version", base.name)
    status, document = refusal(command, DATABASE_URL=base.url("root"))
    assert (status, document["code"]) == (2, "invalid_config")
    details = " ".join(error["detail"] for error in document["errors"])
    for said in (
        "REDIS_URL",
        "AOS_OIDC_ISSUER",
        "is a superuser",
        "changes the audit log",
        "the schema is empty",
    ):
        assert said in details


def test_a_role_with_rights_too_many_serves_nobody(base):
    base.server.execute("GRANT UPDATE ON audit TO aos_app", base.name)
    status, document = refusal("serve", **SERVE, DATABASE_URL=base.pooled("aos_app"))
    assert (status, document["code"]) == (2, "unsafe_setting")
    assert "changes the audit log" in document["detail"]


def test_nobody_does_the_others_work(base, tmp_path):
    paths = {f"AOS_AUDIT_{name}_PATH": str(tmp_path / name) for name in ("KEY", "CHECKPOINTS")}
    with pytest.raises(InputError) as caught:
        fit({**SERVE, "DATABASE_URL": base.pooled("aos_worker")}, "serve")
    assert (caught.value.code, "sees every tenant" in str(caught.value.findings)) == ("unsafe_setting", True)
    status, document = refusal("worker", **paths, DATABASE_URL=base.pooled("aos_app"))
    assert (status, document["code"]) == (2, "unsafe_setting")


def test_whom_the_database_refuses_is_told_why(base):
    for wrong in (
        base.url("aos_app").replace("-pw", "-px"),
        base.url("aos_app").replace("aos_app:", "aos_ap:"),
    ):
        _, seen = look({**SERVE, "DATABASE_URL": wrong}, "serve")
        assert "password authentication failed" in seen.down
        assert "127.0.0.1" not in seen.down


def test_a_key_that_verifies_nothing_is_a_setting_that_is_wrong():
    key = {"AOS_AUDIT_PUBLIC_KEY": "aos.audit+00000000+AQ"}
    with pytest.raises(InputError) as caught:
        look({**SERVE, **key, "DATABASE_URL": "postgresql://aos_app:x@127.0.0.1:1/aos"}, "serve")
    assert [finding.pointer for finding in caught.value.findings] == ["/AOS_AUDIT_PUBLIC_KEY"]


@pytest.mark.parametrize("version", ["0001", "9999"])
def test_a_schema_of_another_version_is_not_served(base, version):
    base.server.execute(
        f"UPDATE alembic_version SET version_num = '{version}', serves = '{version}'", base.name
    )
    status, document = refusal("serve", **SERVE, DATABASE_URL=base.pooled("aos_app"))
    assert (status, document["code"]) == (3, "schema_outdated")
    assert version in document["detail"]
    assert head() in document["detail"]


@pytest.mark.parametrize("hung", [False, True])
def test_a_database_that_is_down_or_hangs_stops_no_restart(hung):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1] if hung else 1
        url = f"postgresql://aos_app:hunter2@127.0.0.1:{port}/aos"
        began = time.monotonic()
        with aos_server("serve", env={**SERVE, "DATABASE_URL": url}) as served:
            assert time.monotonic() - began < 15
            assert "until it answers, requests get 503" in served.said
            assert "hunter2" not in served.said
            assert httpx.get(f"{served.url}/readyz", timeout=20).json()["code"] == "not_ready"


def test_who_started_in_an_outage_is_ready_only_when_all_is_as_it_must_be(base: Base) -> None:
    base.pooler.kill()
    base.server.execute("GRANT DELETE ON audit TO aos_app", base.name)
    issuer = StubProvider("")
    try:
        with ExitStack() as stack:
            issuer.url = stack.enter_context(serving(create_stub(issuer, "k")))
            env = {**SERVE, "DATABASE_URL": base.pooled("aos_app"), "AOS_OIDC_ISSUER": issuer.url}
            served = stack.enter_context(aos_server("serve", env=env))
            base.pooler.start()

            def ready() -> bool:
                return httpx.get(f"{served.url}/readyz", timeout=20).status_code == 200

            def refused() -> bool:
                """Not ready, though Postgres has told it of the role."""
                asked = "SELECT 1 FROM pg_stat_activity WHERE usename = 'aos_app' AND query ~ 'excess FROM pg_roles'"
                return not ready() and base.rows(f"{asked} AND datname = current_database()") == [(1,)]

            wait_for(refused, "it has looked at the role", 10)
            base.server.execute("REVOKE DELETE ON audit FROM aos_app", base.name)
            wait_for(ready, "it is ready", 10)
    finally:
        if not listens(base.pooler.port):
            base.pooler.start()


def test_who_is_killed_leaves_no_process_and_after_the_next_start_no_folder(tmp_path):
    env = {**SERVE, "DATABASE_URL": "postgresql://aos_app:x@127.0.0.1:1/aos", "TMPDIR": str(tmp_path)}
    left = set[str]()
    for _ in range(2):
        with aos_server("serve", "--processes", "2", env=env) as served:
            folders = {path.name for path in tmp_path.glob("aos-metrics-*")}
            assert len(folders - left) == len(folders) == 1
            left = folders
            children = children_of(served.process.pid)
            assert len(children) > 2  # those that serve, and multiprocessing's own
            served.end(signal.SIGKILL)
            for child in children:
                wait_for(partial(_is_gone, child), "its processes are gone", 40)
            assert not listens(int(served.url.rpartition(":")[2]))


def _is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_a_worker_waits_for_a_database_that_is_down_at_its_start(base: Base, tmp_path: Path) -> None:
    new_keys(tmp_path / "keys")
    base.server.execute(
        "INSERT INTO audit VALUES (gen_random_uuid(), 'acme', now(), 'i', 's', 'a', 'x')", base.name
    )
    words, env = [sys.executable, "-m", "aos_server", "worker", "--json"], of_worker(base, tmp_path)
    base.pooler.kill()
    try:
        with (tmp_path / "log").open("w+") as log, subprocess.Popen(words, env=env, stderr=log) as worker:
            wait_for(lambda: "asking again in 1 s" in (tmp_path / "log").read_text(), "it asks again")
            base.pooler.start()
            wait_for(lambda: base.rows("SELECT count(*) FROM audit_leaves") == [(1,)], "it works", 15)
            worker.terminate()
            assert worker.wait(30) == 0
            base.pooler.kill()
            with subprocess.Popen(words, env=env, stderr=log) as other:
                said = log.tell()
                wait_for(lambda: "asking" in (tmp_path / "log").read_text()[said:], "it asks")
                other.terminate()
                assert other.wait(30) == 0
    finally:
        if not listens(base.pooler.port):
            base.pooler.start()
