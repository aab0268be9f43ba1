"""How fast people decide among a million requests, next to pgbench with the same statements: `nox -s bench_server`."""

import argparse
import asyncio
import itertools
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import uvloop

from aos_server.db.pool import Database
from aos_server.identity.caller import Caller, Principal
from aos_server.services.idempotency import Key
from aos_server.services.pages import Place
from aos_server.services.requests.decide import Said, approve
from aos_server.services.requests.reads import Filter, page
from aos_server.settings import Secret
from tests.services.bench.writes import CONNECTIONS, ROUNDS, loaded, pgbench, pgbench_script
from tests.services.processes import Postgres, migrated, pooled

ISSUER, START = "https://login.example", datetime(2026, 1, 1, tzinfo=UTC)
FILL = f"""INSERT INTO requests (id, tenant_id, status, required_level, min_approvals, policy_type, requester_issuer,
    requester_subject, justification, digest, uses, created_at, expires_at, audit_id)
SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'acme', 'pending', 3, 1, 'cost', '{ISSUER}',
    'p' || n % 1000, 'please', 'sha256:{"0" * 64}', 1, '{START}'::timestamptz + n * interval '1 s',
    now() + interval '1 year', gen_random_uuid()
FROM generate_series(1, {{count}}) n;
ANALYZE requests"""
FIRST = (
    "session.tenant",
    "session.begun",
    "idempotency.claim",
    "requests.lock",
    "requests.votes",
    "requests.review",
)
SECOND = ("requests.put", "requests.vote", "audit.end")
LITERALS = {
    "tenant": "'acme'", "issuer": f"'{ISSUER}'", "subject": "'b' || :key", "key": "(:key)::text",
    "digest": "'\\x00'", "id": "('00000000-0000-4000-8000-' || lpad(to_hex(:n), 12, '0'))::uuid",
    "audit_id": "gen_random_uuid()", "status": "'approved'", "required_level": "3", "min_approvals": "1",
    "used": "0", "escalates_at": "NULL", "decided_at": "now()", "grant_expires_at": "now() + interval '8 h'",
    "decision": "'approve'", "level": "3", "break_glass": "false", "reason": "'fine'", "action": "'approve'",
    "object": "'o'", "audit.end:status": "200", "topics": "'{request.approved}'",
}  # fmt: skip
KEPT = """SELECT details::text, payload::text, answer::text
FROM audit JOIN outbox ON audit_id = audit.id, idempotency_keys LIMIT 1"""


def person(subject: str) -> Caller:
    return Caller(Principal(ISSUER, subject), "acme", "human", (), 3, True)


async def approving(url: Secret, numbers: Iterator[int]) -> tuple[float, float]:
    """Approvals a second, and the 95th percentile of their time in ms. Each is on a request of its own."""
    times: list[float] = []

    async with Database.open(url, CONNECTIONS) as database:

        async def client(number: int, end: float) -> None:
            while (begun := time.perf_counter()) < end:
                request = str(UUID(int=int("00000000000040008000000000000000", 16) + next(numbers)))
                key = Key(request, b"\0")
                given = await approve(database, person(f"b{number}"), request, Said("fine"), key)
                assert given.body["status"] == "approved"
                times.append((time.perf_counter() - begun) * 1000)

        return await loaded(client, times)


async def paging(url: Secret, count: int) -> dict[str, list[float]]:
    """Milliseconds that a page takes, at the top and ever deeper, by filter."""
    found: dict[str, list[float]] = {}
    which = {"all": Filter(), "pending": Filter(status="pending"), "waiting for me": Filter(waiting=3)}
    async with Database.open(url, 1, deadline_s=60) as database:
        for (name, asked), depth in itertools.product(which.items(), (0.0, 0.1, 0.5, 0.99)):
            after = Place(START + timedelta(seconds=int(count * (1 - depth))), UUID(int=0))
            times = []
            for _ in range(21):
                begun = time.perf_counter()
                await page(database, person("x"), asked, after if depth else None, 50)
                times.append((time.perf_counter() - begun) * 1000)
            found.setdefault(name, []).append(statistics.median(times))
    return found


def literals(postgres: Postgres) -> dict[str, str]:
    """What the server has written of an approval, for pgbench to write as much."""
    with psycopg.connect(postgres.url("root", "bench")) as connection:
        kept = connection.execute(KEPT).fetchone()
    assert kept is not None
    details, payload, answer = kept
    payloads = f"""'{{"all": [{payload}]}}'::jsonb"""
    written = {"details": f"'{details}'", "payloads": payloads, "answer": f"'{answer}'"}
    # A colon would be a variable of pgbench's.
    return LITERALS | {name: text.replace('":', '" :').replace(": ", " : ") for name, text in written.items()}


def main() -> None:
    """Print both, as medians of interleaved rounds; then how long pages take."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1_000_000)
    count = parser.parse_args().count
    with migrated("bench") as postgres, pooled(postgres) as pooler:
        postgres.execute(FILL.format(count=count), "bench")
        url, numbers = Secret(postgres.url("aos_app", "bench", pooler.port)), iter(range(count // 2, count))
        script = postgres.home / "approve.sql"
        pages = asyncio.run(paging(url, count))
        uvloop.run(approving(url, numbers))
        drawn = (f"n random(1, {count // 2 - 1})", "key random(1, 1000000000000)")
        script.write_text(pgbench_script(FIRST, SECOND, literals(postgres), *drawn))
        rounds = [(pgbench(script, pooler.port), *uvloop.run(approving(url, numbers))) for _ in range(ROUNDS)]
    limit, rate, p95 = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"approving, {CONNECTIONS} connections through PgBouncer, medians of {ROUNDS}:")
    print(f"  pgbench, the same statements  {limit:7,.0f} a second")
    print(f"  services.requests.approve     {rate:7,.0f} a second   {rate / limit:.2f}x   p95 {p95:.1f} ms")
    print(f"a page of 50 of {count:,} requests, at the top and 10 %, 50 % and 99 % deep, ms:")
    for name, times in pages.items():
        print(f"  {name:16}", *(f"{one:7.1f}" for one in times))


if __name__ == "__main__":
    main()
