"""How fast a change is, next to pgbench with the same statements through the same PgBouncer: `nox -s bench_server`."""

import asyncio
import os
import re
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import uvloop

from aos_server.db.pool import Database, Row
from aos_server.db.queries import sql
from aos_server.identity.caller import Caller, Principal
from aos_server.services.changes import Effect, Entry, Message, change
from aos_server.services.idempotency import Key
from aos_server.settings import Secret
from tests.services.processes import migrated, pooled, program

CONNECTIONS, SECONDS, ROUNDS = 30, 4, 5
CALLER = Caller(Principal("https://login.example", "ann"), "acme", "human")
LITERALS = {
    "tenant": "'acme'", "issuer": "'https://login.example'", "subject": "'ann'", "key": "(:key)::text",
    "digest": "'\\x00'", "agent": "'a' || :agent", "cents": "1", "unpriced": "0", "audit_id": "gen_random_uuid()",
    "id": "gen_random_uuid()", "action": "'spend'", "object": "'a'", "details": "'{}'", "topics": "'{spent}'",
    "payloads": "'{\"all\" : [{}]}'::jsonb", "status": "201", "answer": "'{}'",
}  # fmt: skip
FIRST = ("session.tenant", "session.begun", "idempotency.claim")
SECOND = ("tenants.spend", "audit.end")


def pgbench_script(first: Sequence[str], second: Sequence[str], literals: dict[str, str], *sets: str) -> str:
    """The statements of a change as pgbench sends them: two messages, as the server does. `sets` draw its variables.

    `literals` by the parameter's name; by `STATEMENT:NAME` where one means something else.
    """

    def lines(names: Sequence[str]) -> list[str]:
        return [" ".join(line for line in filled(name).splitlines() if line[:2] != "--") for name in names]

    def filled(name: str) -> str:
        own = {key.partition(":")[2]: text for key, text in literals.items() if key.startswith(f"{name}:")}
        return re.sub(r"%\((\w+)\)s", lambda found: (literals | own)[found[1]], sql(name))

    return "\n".join(
        [
            *(f"\\set {one}" for one in sets),
            " \\;\n".join(["BEGIN", *lines(first)]) + ";",
            " \\;\n".join([*lines(second), "COMMIT"]) + ";",
            "",
        ]
    )


def pgbench(script: Path, port: int) -> float:
    """Changes a second."""
    words = ["-n", "-M", "simple", "-h", "127.0.0.1", "-p", str(port), "-U", "aos_app", "-f", str(script)]
    load = ["-c", str(CONNECTIONS), "-j", "2", "-T", str(SECONDS)]
    environment = os.environ | {"PGPASSWORD": "aos_app-pw"}
    done = subprocess.run(
        [program("pgbench"), *words, *load, "bench"], env=environment, capture_output=True, text=True
    )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found, done.stderr
    return float(found[1])


async def ours(url: Secret) -> tuple[float, float]:
    """Changes a second, and the 95th percentile of their time in ms."""
    times: list[float] = []

    async def client(database: Database, number: int, end: float) -> None:
        turn = 0
        while (begun := time.perf_counter()) < end:
            turn += 1

            def decide(now: datetime, rows: Sequence[Sequence[Row]], turn: int = turn) -> Effect:
                spend = {"agent": f"a{(number * 37 + turn) % 1000}", "cents": 1, "unpriced": 0}
                return Effect(
                    [("tenants.spend", spend)], Entry("spend", "a"), 201, {}, [Message("spent", {})]
                )

            await change(database, CALLER, [], decide, Key(f"{begun}-{number}", b"\0"))
            times.append((time.perf_counter() - begun) * 1000)

    async with Database.open(url, CONNECTIONS) as database:
        return await loaded(partial(client, database), times)


async def loaded(client: Callable[[int, float], Awaitable[None]], times: list[float]) -> tuple[float, float]:
    """Calls a second of so many clients, and the 95th percentile of what they noted in `times`."""

    async def load(seconds: float) -> None:
        end = time.perf_counter() + seconds
        await asyncio.gather(*(client(number, end) for number in range(CONNECTIONS)))

    await load(1)  # opens the connections, whose time pgbench does not count either
    times.clear()
    await load(SECONDS)
    return len(times) / SECONDS, statistics.quantiles(times, n=20)[-1]


def main() -> None:
    """Print both, as medians of interleaved rounds."""
    with migrated("bench") as postgres, pooled(postgres) as pooler:
        postgres.execute("INSERT INTO tenants VALUES ('acme')", "bench")
        script = postgres.home / "change.sql"
        drawn = ("agent random(1, 1000)", "key random(1, 1000000000000)")
        script.write_text(pgbench_script(FIRST, SECOND, LITERALS, *drawn))
        url = Secret(postgres.url("aos_app", "bench", pooler.port))
        rounds = [(pgbench(script, pooler.port), *uvloop.run(ours(url))) for _ in range(ROUNDS)]
    limit, rate, p95 = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(
        f"a change with audit, key and outbox, {CONNECTIONS} connections through PgBouncer, medians of {ROUNDS}:"
    )
    print(f"  pgbench, the same statements  {limit:7,.0f} a second")
    print(f"  services.changes.change       {rate:7,.0f} a second   {rate / limit:.2f}x   p95 {p95:.1f} ms")


if __name__ == "__main__":
    main()
