"""How fast the server decides, next to its own route of one SELECT, in one run: `nox -s bench_server`."""

import json
import os
import re
import statistics
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, redirect_stderr
from pathlib import Path
from typing import Any

from starlette.routing import Router

from aos_server import logs
from aos_server.app import COMPUTE_S, application
from aos_server.db.pool import Database
from aos_server.services.runtime.runs import Runs
from aos_server.services.tenants import Stored
from aos_server.services.workers import Workers
from aos_server.settings import Audited, Secret
from tests.server.http.world import People
from tests.server.serve import serving
from tests.services.processes import migrated, pooled

ROUNDS, SECONDS, CONNECTIONS = 15, 1, 30
RUN = """INSERT INTO tenants VALUES ('acme');
INSERT INTO runs VALUES ('acme', 'r1', '', 'succeeded', 'd', 0, 0, now(), now(), 'd', '{"run_id": "r1"}',
                         gen_random_uuid())"""
READS = {"skill_id": "fs_read", "payload": {"path": "notes.txt"}}
WRITES = {"skill_id": "fs_write", "payload": {"path": "notes.txt", "content": "x"}}
NEW_READS = {"skill_id": "fs_read", "payload": {"path": "#.txt"}}
NEW_WRITES = {"skill_id": "fs_write", "payload": {"path": "#.txt", "content": "#: x"}}
MAIL = {"to": ["a#@b.example"], "subject": "bill #", "body": "#c are due for #"}
NEW_MAILS = {"skill_id": "email_send", "agent_id": "a#", "payload": MAIL}
POST = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local count = 0
function request()
  count = count + 1
  return wrk.format(nil, nil, nil, (string.gsub('%s', '#', count)))
end
"""
"""Each # is another number in each request."""


def main() -> None:
    """Medians of interleaved rounds: everything has the same machine under it."""
    with migrated("bench") as postgres, pooled(postgres) as pooler, Path(os.devnull).open("w") as nowhere:
        postgres.execute(RUN, "bench")
        url = postgres.url("aos_app", "bench", pooler.port)
        with (
            redirect_stderr(nowhere),
            serving(_served(Secret(url), "none")) as at,
            serving(_served(Secret(url), "all")) as audited_at,
        ):
            logs.configure(plain=False)  # as the server does: a line for each request
            rounds = [_round(at, audited_at, postgres.home) for _ in range(ROUNDS)]
    found = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    select = next(iter(found.values()))
    for name, rate in found.items():
        print(f"{name:40}  {rate:8,.0f} a second  {rate / select:5.2f}x")


def _served(database_url: Secret, audited: Audited) -> Any:
    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        async with Database.open(database_url, 10) as database:
            workers = Workers(max(2, os.cpu_count() or 2), COMPUTE_S)
            await workers.start()
            outer.default = application(
                People(),
                workers=workers,
                runs=Runs(database),
                database=database,
                tenants=Stored(database),
                audited=audited,
            )
            yield

    outer = Router(lifespan=lifespan, redirect_slashes=False)
    return outer


def _round(url: str, audited: str, home: Path) -> dict[str, float]:
    return {
        "a route of one SELECT": _wrk(f"{url}/api/v1/runs/r1"),
        "eval, a call asked before, allowed": _eval(url, home, READS),
        "eval, a call asked before, approval": _eval(url, home, WRITES),
        "eval, a new call, allowed": _eval(url, home, NEW_READS),
        "eval, a new call, approval": _eval(url, home, NEW_WRITES),
        "eval, a new call of a new agent, allowed": _eval(url, home, NEW_MAILS),
        "the same, audited: asked before": _eval(audited, home, READS),
        "the same, audited: a new call": _eval(audited, home, NEW_READS),
    }


def _eval(url: str, home: Path, asked: Mapping[str, Any]) -> float:
    script = home / "eval.lua"
    script.write_text(POST % json.dumps(asked))
    return _wrk(f"{url}/api/v1/policy/eval", "-s", str(script))


def _wrk(url: str, *more: str) -> float:
    words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *more]
    words += ["-H", "Authorization: Bearer engineer", url]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in said, said
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found, said
    return float(found[1])


if __name__ == "__main__":
    main()
