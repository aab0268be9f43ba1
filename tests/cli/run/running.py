"""What tests of `aos run` share: a service on this machine, and steps that call it."""

import sqlite3
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import Finished, aos, clean, command
from tests.fakes.servers import HttpServer, Part, Received

PRICE = b'{"bitcoin": {"usd": 97000}}'


def ok(body: bytes = PRICE) -> list[Part]:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return [head.encode() + body]


def status(code: int, headers: str = "") -> list[Part]:
    return [f"HTTP/1.1 {code} x\r\nContent-Length: 0\r\n{headers}\r\n".encode()]


HANGS: list[Part] = [30.0]


class Service:
    """Answers each request by the next part of its script, then always well."""

    def __init__(self) -> None:
        self.script: list[list[Part]] = []
        self.server = HttpServer(self._answer)
        self.url = self.server.url

    def _answer(self, _: Received) -> list[Part]:
        return self.script.pop(0) if self.script else ok()

    def count(self, method: str) -> int:
        return sum(request.method == method for request in self.server.received)

    def wait_for(self, requests: int) -> None:
        deadline = time.monotonic() + 20
        while len(self.server.received) < requests:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.server.close()


def get(service: Service, **more: Any) -> dict[str, Any]:
    return {"skill": "http_call", "params": {"url": f"{service.url}/get", "timeout_s": 20}, **more}


def post(service: Service, **more: Any) -> dict[str, Any]:
    params = {"url": f"{service.url}/post", "method": "POST", "timeout_s": 20}
    return {"skill": "http_call", "params": params, **more}


def run(folder: Path, *words: str, **how: Any) -> Finished:
    return aos("run", *words, "--ledger", "ledger.db", "--allow-private", cwd=folder, **how)


def started(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command("run", *words, "--ledger", "ledger.db", "--allow-private", "--json"),
        cwd=folder,
        env=clean(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def codes(document: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """Step and code of each attempt; None is a success, "?" nobody saw."""
    told = [(attempt["step"], attempt["outcome"]) for attempt in document["attempts"]]
    return [(step, "?" if o is None else o["failure"] and o["failure"]["code"]) for step, o in told]


def names_of(folder: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{folder / 'ledger.db'}?mode=ro", uri=True)) as db:
        return [name for (name,) in db.execute("SELECT id FROM runs")]
