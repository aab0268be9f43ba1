"""Real places for keys, started as processes: OpenBao as Vault, moto as AWS."""

import itertools
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import httpx

from aos_server.keystores import open_backend
from aos_server.keystores.backend import Backend
from aos_server.settings import read

ROOT_TOKEN = "root-of-the-tests"
_SCRIPTS = Path(sys.executable).parent
_mounts = itertools.count()


class Place(NamedTuple):
    """Where keys are, as the environment of a process names it."""

    kind: str
    environment: dict[str, str]

    def open(self, **changed: str) -> Backend:
        return open_backend(read({**self.environment, **changed}, "keys").keys)

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """`aos-server keys …` as a process."""
        command = [sys.executable, "-m", "aos_server", "keys", *words, "--backend", self.kind]
        environment = {"PATH": os.environ["PATH"], **self.environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


class Vault:
    """A server whose data is in memory."""

    def __init__(self, url: str, log: Path) -> None:
        self.url = url
        self._log = log

    def seal(self) -> None:
        """From now on it knows nothing."""
        self.call("POST", "sys/seal")

    def unseal(self) -> None:
        """It knows again what it knew."""
        found = re.search(r"Unseal Key: (\S+)", self._log.read_text())
        assert found
        self.call("POST", "sys/unseal", key=found[1])

    def call(self, method: str, path: str, **body: object) -> httpx.Response:
        """Its API, as root."""
        headers = {"X-Vault-Token": ROOT_TOKEN}
        answer = httpx.request(method, f"{self.url}/v1/{path}", json=body or None, headers=headers)
        assert answer.is_success, answer.text
        return answer

    def place(self) -> Place:
        """An engine of its own."""
        mount = f"kv{next(_mounts)}"
        self.call("POST", f"sys/mounts/{mount}", type="kv", options={"version": "2"})
        deadline = time.monotonic() + 10
        while (
            "upgrading"
            in httpx.get(  # an engine takes a moment until it is ready
                f"{self.url}/v1/{mount}/metadata/?list=true", headers={"X-Vault-Token": ROOT_TOKEN}
            ).text.lower()
        ):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return Place(
            "vault",
            {
                "AOS_WEBHOOK_KEYS": "vault",
                "VAULT_ADDR": self.url,
                "VAULT_TOKEN": ROOT_TOKEN,
                "AOS_VAULT_MOUNT": mount,
            },
        )


def ssm(url: str) -> Place:
    """SSM at that address; who calls `open` in this process needs the environment, too."""
    aws = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests"}
    return Place("ssm", {"AOS_WEBHOOK_KEYS": "ssm", "AWS_REGION": "eu-central-1", **aws})


@contextmanager
def vault_server() -> Iterator[Vault]:
    port = _free(2)  # it takes the next one, too
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        words = ["bao", "server", "-dev", f"-dev-root-token-id={ROOT_TOKEN}", "-dev-no-store-token"]
        words.append(f"-dev-listen-address=127.0.0.1:{port}")
        with log.open("w") as said, _serving(words, port, "/v1/sys/health", said) as url:
            yield Vault(url, log)


@contextmanager
def ssm_server() -> Iterator[str]:
    port = _free(1)
    with _serving(["moto_server", "-H", "127.0.0.1", "-p", str(port)], port, "/moto-api/") as url:
        _load_ssm(url)
        yield url


def _load_ssm(url: str) -> None:
    """Ask for the first time, which loads the service: a busy machine takes longer for it than clients wait."""
    scope = "Credential=tests/20260101/eu-central-1/ssm/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 {scope}",
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AmazonSSM.DescribeParameters",
    }
    httpx.post(url, headers=headers, content=b"{}", timeout=60).raise_for_status()


@contextmanager
def _serving(words: list[str], port: int, ready: str, said: IO[str] | None = None) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    command = [str(_SCRIPTS / words[0]), *words[1:]]
    with subprocess.Popen(command, stdout=said or subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, f"{words[0]} did not start"
            assert time.monotonic() < deadline, f"{words[0]} is not ready"
            try:
                if httpx.get(url + ready).is_success:
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        yield url
        process.kill()


def _free(count: int) -> int:
    """The first of `count` ports in a row that are free."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                for n in range(1, count):
                    with socket.socket() as other:
                        other.bind(("127.0.0.1", port + n))
            except (OSError, OverflowError):
                continue
            return port
