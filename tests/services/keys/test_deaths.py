"""A server that is killed between a rotation's intent and its outcome: a worker tells how it ended, and goes on."""

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from aos_server.cli.host import host_caller
from aos_server.db.pool import Database
from aos_server.keystores.changes import carry_out, load, rotate
from aos_server.keystores.file import FileBackend
from aos_server.services.service_keys import StoredKeys
from tests.server.processes import aos_server
from tests.services.conftest import Base
from tests.services.processes import wait_for
from tests.services.serving.settings import of_worker

OPEN = "SELECT count(*) FROM key_changes WHERE ended_at IS NULL"


@contextmanager
def nobody_writes(folder: Path) -> Iterator[None]:
    """The lock that every process takes which changes keys."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def operator_key(base: Base) -> str:
    async def act() -> str:
        async with Database.open(base.pooled("aos_app"), 1) as database:
            return (await StoredKeys(database).create(host_caller("acme"), "", frozenset({"operate"}))).text

    return asyncio.run(act())


@pytest.fixture
def backend(tmp_path: Path) -> FileBackend:
    """A key that is two days old."""
    backend = FileBackend(tmp_path / "keys")
    carry_out(backend, rotate(backend, datetime.now(UTC) - timedelta(days=2), timedelta(0)))
    return backend


def kill_amid_a_rotation(base: Base, folder: Path, env: dict[str, str], *, done: bool) -> None:
    """Once the intent is committed; where `done`, once the new key is there, and before that is committed."""
    with aos_server("serve", env=env) as served:

        def ask() -> None:
            with suppress(httpx.HTTPError):
                headers = {"X-AOS-Key": operator_key(base)}
                httpx.post(f"{served.url}/api/v1/keys/rotate", json={}, headers=headers, timeout=30)

        asking = threading.Thread(target=ask)
        with psycopg.connect(base.url("root")) as other:
            with nobody_writes(folder):
                asking.start()
                wait_for(lambda: base.rows(OPEN) == [(1,)], "the intent is committed")
                if done:
                    other.execute("SELECT FROM key_changes FOR UPDATE")
                else:
                    served.end(signal.SIGKILL)
            if done:
                wait_for(lambda: load(FileBackend(folder))[0].get("v2") is not None, "the new key is there")
                served.end(signal.SIGKILL)
        asking.join()


@pytest.mark.parametrize("done", [False, True])
def test_a_worker_tells_how_it_ended_and_rotates_a_key_that_is_old(
    base, redis_server, backend, tmp_path, done
):
    env = {
        "DATABASE_URL": base.pooled("aos_app"),
        "REDIS_URL": f"redis://127.0.0.1:{redis_server.port}/0",
        "AOS_OIDC_ISSUER": "https://login.example.com",
        "AOS_OIDC_AUDIENCE": "aos",
        "AOS_PORT": "0",
        "WEBHOOK_KEYS_PATH": str(tmp_path / "keys"),
        "AOS_OPERATING_TENANT": "acme",
    }
    kill_amid_a_rotation(base, tmp_path / "keys", env, done=done)
    assert [one.name for one in load(backend)[0].versions] == (["v1", "v2"] if done else ["v1"])
    assert base.rows(OPEN) == [(1,)]
    base.server.execute("UPDATE key_changes SET began_at = now() - interval '4 min'", base.name)
    worker_env = {
        **of_worker(base, tmp_path),
        "AOS_WEBHOOK_KEY_DAYS": "1",
        "AOS_OPERATING_TENANT": "acme",
    }
    told = (
        "SELECT tenant_id, subject, action, details ->> 'done' FROM audit WHERE subject = 'keys' ORDER BY at"
    )
    # What was not done is due; where it was, two keys sign.
    further = [] if done else ["rotation_begun", "rotated"]
    expected = [
        ("acme", "keys", "webhook_key.rotation_found", str(done).lower()),
        *(("acme", "keys", f"webhook_key.{verb}", None) for verb in further),
    ]
    with subprocess.Popen([sys.executable, "-m", "aos_server", "worker"], env=worker_env) as worker:
        try:
            wait_for(lambda: base.rows(told) == expected, "it is told", 40)
        finally:
            worker.terminate()
    assert base.rows(OPEN) == [(0,)]
    assert [one.name for one in load(backend)[0].versions] == ["v1", "v2"]
    assert base.rows("SELECT topic, payload ->> 'version' FROM outbox") == [("webhook_key.rotated", "v2")]
