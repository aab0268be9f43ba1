"""`aos webhooks`: from an address to a message that its receiver has verified."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.process import Finished, aos, clean, command
from tests.cli.schemas import faults
from tests.server.processes import aos_server


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with aos_server("dev", "--port", "0", env={"AOS_WEBHOOK_HOSTS": "127.0.0.1"}) as served:
        yield served.url


@pytest.fixture
def env(url: str, tmp_path: Path) -> dict[str, str]:
    return {"AOS_BASE_URL": url, "AOS_KEYRING": "off", "XDG_CONFIG_HOME": str(tmp_path)}


@contextmanager
def listening(*words: str, env: dict[str, str], stdin: bytes = b"") -> Iterator[tuple[str, Any]]:
    """`aos webhooks listen` on a free port: its address, and the process."""
    with subprocess.Popen(
        command("webhooks", "listen", "--port", "0", *words),
        env={**clean(None), **env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stderr is not None
            process.stdin.write(stdin)
            process.stdin.close()
            said = process.stderr.readline().decode()
            found = re.match(r"listening at (\S+?)(?:,|;)", said)
            assert found, said
            yield found[1], process
        finally:
            process.kill()


def hooks(env: dict[str, str], *words: str, status: int = 0) -> dict[str, Any]:
    done = aos("webhooks", *words, "--json", env=env)
    assert (done.status, faults(done.document)) == (status, []), done
    return done.document


def line(process: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(process.stdout.readline())
    assert faults(document) == []
    return document


def test_a_message_goes_from_the_server_to_a_receiver_that_verifies_it(env: dict[str, str], url: str) -> None:
    made = hooks(env, "add", "http://127.0.0.1:9/", "--topic", "webhook.*", "--description", "ours")
    webhook = made["webhook_id"]
    with listening("--webhook", webhook, "--count", "2", env=env) as (address, process):
        moved = httpx.patch(f"{url}/api/v1/webhooks/{webhook}", json={"url": f"{address}hook"})
        assert moved.status_code == 200, moved.text
        test = hooks(env, "test", webhook)
        arrived = line(process)
        assert (arrived["verified"], arrived["message_id"]) == (True, test["message_id"])
        assert (arrived["path"], arrived["message"]["type"]) == ("/hook", "webhook.test")
        forged = httpx.post(address, content=b"{}", headers={"webhook-id": "x"})
        assert forged.status_code == 400
        assert (line(process)["code"], process.wait(30)) == ("webhook_malformed", 3)
    shown = hooks(env, "deliveries", test["delivery_id"])
    assert [one["status"] for one in shown["log"]] == [204]
    (listed,) = hooks(env, "deliveries", webhook, "--state", "delivered")["deliveries"]
    assert listed["delivery_id"] == test["delivery_id"]
    assert hooks(env, "disable", webhook)["state"] == "disabled"
    assert hooks(env, "redeliver", test["delivery_id"], status=9)["code"] == "webhook_conflict"
    assert hooks(env, "enable", webhook)["state"] == "active"
    assert hooks(env, "redeliver", test["delivery_id"])["state"] == "waiting"
    assert hooks(env, "show", webhook)["topics"] == ["webhook.*"]
    assert webhook in [one["webhook_id"] for one in hooks(env, "list")["webhooks"]]
    assert hooks(env, "remove", webhook)["state"] == "removed"
    assert hooks(env, "show", webhook, status=2)["code"] == "not_found"


def test_people_see_it_within_80_columns(env: dict[str, str]) -> None:
    webhook = hooks(env, "add", f"http://127.0.0.1:9/{'long' * 40}")["webhook_id"]
    delivery = hooks(env, "test", webhook)["delivery_id"]

    def text(*words: str) -> str:
        done: Finished = aos("webhooks", *words, env=env)
        assert done.status == 0, done
        assert max(map(len, done.text.splitlines())) <= 80
        return done.text

    assert webhook in text("list")
    assert "active" in text("show", webhook)
    assert delivery in text("deliveries", webhook)
    assert "webhook.test" in text("deliveries", delivery)
    secret = hooks(env, "secret", webhook)["secrets"][0]["secret"]
    assert secret in text("secret", webhook)
    assert "deliveries" in text("test", webhook)
    assert "disabled" in text("disable", webhook)


def test_a_receiver_takes_its_secrets_from_a_file_and_refuses_what_is_none(tmp_path: Path) -> None:
    secret = "whsec_" + "A" * 32
    with listening("--secret", "-", "--count", "1", env={}, stdin=secret.encode()) as (address, process):
        assert httpx.post(address, content=b"x" * 70_000).status_code == 413
        assert httpx.post(address, content=b"{}").status_code == 400
        assert line(process)["verified"] is False
    with listening("--count", "1", env={}) as (address, process):
        assert httpx.post(address, content=b"\xff").status_code == 204
        arrived = line(process)
        assert (arrived["verified"], arrived["message"]) == (None, "�")
    for content, code in ((b"whsec_short", "bad_value"), (b"", "bad_value"), (b"\xff", "unreadable")):
        path = tmp_path / "secrets"
        path.write_bytes(content)
        done = aos("webhooks", "listen", "--secret", str(path), "--json")
        assert (done.status, done.document["code"]) == (2, code)
        assert content.decode("latin-1") not in done.document["detail"] or not content
