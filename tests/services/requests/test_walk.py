"""The walk of docs/approvals.md, as it stands there: each command a process, on a server as in production."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest

from aos.wire.approvals import request_digest
from aos_server.services.requests.create import Desk
from aos_server.services.terms import NewTerms, set_terms
from tests.cli.schemas import faults
from tests.server.processes import Served, aos_server
from tests.services.conftest import Base
from tests.services.oidc.provider import OPAQUE, OpenId
from tests.services.processes import Process, free_port
from tests.services.requests.requesting import person, run
from tests.services.serving.settings import in_production

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/approvals.md").read_text()
LINE = re.compile(r"^(\w+)\$ aos (.+?) +# (\d+)(.*)$", re.MULTILINE)
PLAN = {
    "aos_plan": "1",
    "name": "report",
    "steps": [
        {"id": "save", "skill": "fs_write", "params": {"path": "a.txt", "content": "report"}, "approval": 4}
    ],
}


@pytest.fixture
def served(base: Base, redis_server: Process, provider: OpenId) -> Iterator[Served]:
    env = {**in_production(base, redis_server, provider), "AOS_PORT": str(free_port())}
    with aos_server("serve", env=env) as running:
        yield running


class Person:
    """Somebody with a login of their own, in a folder with both plans."""

    def __init__(self, name: str, home: Path, url: str, token: str) -> None:
        self.home = home / name
        self.home.mkdir()
        self._env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }
        (self.home / "plan.json").write_text(json.dumps(PLAN))
        (self.home / "other.json").write_text(json.dumps(PLAN).replace('"report"}', '"another"}'))
        assert self.types("login", "--server", url, "--token-stdin", text=token).returncode == 0

    def types(self, *words: str, text: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "aos", *words, "--json"],
            cwd=self.home,
            env=self._env,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @contextmanager
    def watching(self, *words: str) -> Iterator[IO[bytes]]:
        """What a command that goes on prints."""
        words = (sys.executable, "-m", "aos", *words)
        process = subprocess.Popen(words, cwd=self.home, env=self._env, stdout=subprocess.PIPE)
        assert process.stdout
        try:
            yield process.stdout
        finally:
            process.terminate()
            process.communicate(timeout=60)

    def at_a_terminal(self, answer: str, *words: str) -> tuple[int, str]:
        """What they see who type this answer, and the exit status."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "aos", *words],
            cwd=self.home,
            env={**self._env, "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"},
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
        )
        os.close(theirs)
        shown = b""
        while not re.search(rb"[,?] [Tt]ype [^\r\n]*: $", shown):  # the question, after all that it is about
            shown += os.read(ours, 4096)
        os.write(ours, f"{answer}\n".encode())
        process.communicate(timeout=60)
        os.close(ours)
        return process.returncode, shown.decode()


def test_the_walk(base: Base, served: Served, provider: OpenId, tmp_path: Path) -> None:
    people = {
        name: Person(name, tmp_path, served.url, provider.person(name, OPAQUE)["access_token"])
        for name in ("ann", "bob", "eve")
    }
    made: dict[str, Any] = {}
    lines = LINE.findall(PAGE)
    assert len(lines) > 20
    for who, command, status, note in lines:
        if "later" in note:
            made["digest"] = pass_a_minute(base, made)
        if "--waiting" in command or "--unreviewed" in command:
            waits = json.loads(people[who].types(*words(command, made)).stdout)["requests"]
            assert [one["request_id"] for one in waits] == [made["request_id"]]
        done = people[who].types(*words(command, made))
        told = json.loads(done.stdout)
        assert told.get("exit_code", 0) == done.returncode == int(status), (command, done.stdout)
        assert faults(told) == []
        if "create" in command:
            made = told
        if "other.json" in command:
            assert [one["pointer"] for one in told["errors"]] == ["/steps/0/params/content"]
    assert (people["ann"].home / "a.txt").read_text() == "report"
    assert base.unaudited() == []
    rows = base.rows("SELECT status, count(*) FROM requests GROUP BY status ORDER BY status")
    assert dict(rows) == {"approved": 1, "cancelled": 1, "consumed": 1, "expired": 1, "rejected": 1}  # type: ignore[arg-type]


def test_somebody_at_a_terminal_types_what_it_takes(served: Served, provider: OpenId, tmp_path: Path) -> None:
    ann, bob = (
        Person(name, tmp_path, served.url, provider.person(name, OPAQUE)["access_token"])
        for name in ("ann", "bob")
    )
    made = json.loads(ann.types("requests", "create", "plan.json", "--why", "\x1b[2JAPPROVED").stdout)
    request, first = made["request_id"], made["digest"].removeprefix("sha256:")[:6]
    assert (bob.at_a_terminal("yes", "approve", request)[0], served.process.poll()) == (3, None)
    status, shown = bob.at_a_terminal(first, "approve", request)
    assert status == 0
    assert "\x1b[2J" not in shown
    assert "│ \\x1b[2JAPPROVED" in shown
    assert "1 step can't be undone: save" in shown

    with bob.watching("requests", "list", "--watch") as lines:
        line = json.loads(lines.readline())
        assert faults(line) == []
        assert (line["request_id"], line["approvals"]) == (request, 1)

    small = [{"skill": "fs_write", "params": {"path": "a", "content": "b"}}]
    for _ in range(2):
        ann.types("requests", "create", "--plan", json.dumps(small), "--why", "small")
    status, shown = bob.at_a_terminal("approve 2", "approve", "--waiting")
    assert (status, "2 requests" in shown) == (0, True)  # those of level 4 are decided one by one
    listed = json.loads(bob.types("requests", "list").stdout)["requests"]
    assert [one["status"] for one in listed] == ["approved", "approved", "pending"]


def test_measured_figures_that_have_drifted_void_an_approval(
    base: Base, served: Served, provider: OpenId, tmp_path: Path
) -> None:
    ann, bob = (
        Person(name, tmp_path, served.url, provider.person(name, OPAQUE)["access_token"])
        for name in ("ann", "bob")
    )
    plan = json.dumps([{"skill": "fs_write", "params": {"path": "a.txt", "content": "b"}}])
    (ann.home / "small.json").write_text(plan)
    made = json.loads(ann.types("requests", "create", "small.json", "--why", "small").stdout)
    request = made["request_id"]
    assert bob.types("approve", request, "--digest", made["digest"]).returncode == 0

    measured(base, p50=1_000, p90=2_500)
    refused = json.loads(ann.types("run", "small.json", "--approval", request).stdout)
    assert (refused["code"], [one["code"] for one in refused["errors"]]) == (
        "approval_void",
        ["time_outside"],
    )
    assert not (ann.home / "a.txt").exists()
    assert json.loads(ann.types("requests", "show", request).stdout)["status"] == "approved"

    measured(base, p50=105, p90=262)  # 100 and 250 were declared
    done = ann.types("run", "small.json", "--approval", request)
    assert (done.returncode, (ann.home / "a.txt").read_text()) == (0, "b")

    of_the_run = ("requests", "create", "--resume", json.loads(done.stdout)["run"], "--why", "more of it")
    more = json.loads(ann.types(*of_the_run).stdout)
    assert (more["plan"], more["status"]) == (made["plan"], "pending")
    assert ann.types(*of_the_run, "--plan", plan).returncode == 2


def measured(base: Base, **latency_ms: float) -> None:
    """From now on the catalog of the tenant says that of fs_write; nobody's plan has changed."""
    shipped = json.loads((ROOT / "src/aos/wire/catalogs/data/default_catalog.json").read_bytes())
    skill = shipped["skills"]["fs_write"] | {"latency_ms": {**latency_ms, "method": "measured"}}
    catalog = json.dumps({"aos_catalog": "1", "skills": {"fs_write": skill}}).encode()

    async def change(desk: Desk) -> None:
        await set_terms(desk.database, person("ops", 5), NewTerms(catalog=catalog))

    run(base, change)


def words(command: str, made: dict[str, Any]) -> list[str]:
    named = {"ID": made.get("request_id", ""), "DIGEST": made.get("digest", "")}
    return [named.get(word, word) for word in shlex.split(command)]


def pass_a_minute(base: Base, made: dict[str, Any]) -> str:
    """The request was made 61 s earlier. Its digest, which is returned, knows when it ends, and so moves along."""
    ends = datetime.fromisoformat(made["expires_at"]) - timedelta(seconds=61)
    at = ends.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    digest = request_digest({**made, "expires_at": at})
    base.server.execute(
        "UPDATE requests SET created_at = created_at - interval '61 s', expires_at = expires_at - interval '61 s',"
        f" digest = '{digest}' WHERE id = '{made['request_id']}'",
        base.name,
    )
    return digest
