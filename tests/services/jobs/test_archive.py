"""The archive: each row is moved once, nothing is lost or seen twice, and what is archived is still there."""

import asyncio
import subprocess
import sys
import time
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from aos_server.db.pool import Database
from aos_server.db.queries import sql
from aos_server.jobs.periodic import JOBS
from aos_server.services.archive import Archive, Retention, retention, sweep
from aos_server.services.requests import reads
from aos_server.services.requests.consume import Use, consume
from aos_server.services.requests.create import Desk
from aos_server.services.requests.decide import approve, cancel, escalate, reject
from aos_server.services.runtime.runs import Record, Runs
from tests.cli.process import aos
from tests.cli.schemas import faults
from tests.services.conftest import Base
from tests.services.identity.everything import everything
from tests.services.processes import wait_for
from tests.services.requests.requesting import (
    ANN,
    BOB,
    YES,
    ask,
    code,
    pass_time,
    patient,
    person,
    run,
    worker,
)
from tests.services.staff import Staff

TABLES = ("requests", "request_documents", "request_decisions", "request_reviews", "request_uses", "runs")
AGE = timedelta(days=90)
LONG = timedelta(days=91)
# Of each tenant 300 requests and 300 runs, of every age and state.
FILL = """
SET session_replication_role = replica;
CREATE TEMPORARY TABLE made AS SELECT n, 't' || n % 3 AS tenant, now() - n * interval '5 h' AS at,
    (ARRAY['pending', 'escalated', 'approved', 'rejected', 'expired', 'cancelled', 'consumed'])[n % 7 + 1] AS state,
    (ARRAY['succeeded', 'failed', 'cancelled', 'running'])[n % 4 + 1] AS run FROM generate_series(1, 900) n;
INSERT INTO requests (id, tenant_id, status, required_level, min_approvals, policy_type, requester_issuer,
    requester_subject, justification, digest, uses, used, created_at, expires_at, decided_at, grant_expires_at,
    audit_id)
SELECT gen_random_uuid(), tenant, state, 3, 1, 'cost', 'iss', 's', '', 'd', 1, (state = 'consumed')::int, at,
    at + interval '1 d', CASE WHEN state NOT IN ('pending', 'escalated') THEN at + interval '1 h' END,
    CASE WHEN state IN ('approved', 'consumed') THEN at + interval '8 h' END, gen_random_uuid() FROM made;
INSERT INTO request_documents SELECT id, tenant_id, '{}', audit_id FROM requests;
INSERT INTO request_decisions SELECT id, tenant_id, 'iss', 's', 'reject', 3, false, '', now(), audit_id FROM requests;
INSERT INTO request_reviews SELECT id, tenant_id, 'iss', 's' || id, 'justified', 'iss', 's', '', now(), audit_id
    FROM requests WHERE status = 'rejected';
INSERT INTO request_uses SELECT id, 1, tenant_id, 'iss', 's', 'r', now(), audit_id FROM requests WHERE used = 1;
INSERT INTO runs SELECT tenant, 'r' || n, '', run, 'd', 5, 0, at,
    CASE WHEN run <> 'running' THEN at + interval '1 m' END, 'd', '{}', gen_random_uuid(), at FROM made;
"""


def whole(name: str) -> str:
    return "all_approval_requests" if name == "requests" else f"all_{name}"


def seen(base: Base) -> list[tuple[object, ...]]:
    """Of everything, wherever it is: how much, and a hash. One statement, as whoever reads a report asks."""
    parts = (
        f"SELECT '{name}', count(*), md5(string_agg(x::text, '|' ORDER BY x::text)) FROM {whole(name)} x"
        for name in TABLES
    )
    return base.rows(" UNION ALL ".join(parts))


def counts(base: Base, schema: str) -> dict[str, int]:
    return {name: int(str(base.rows(f"SELECT count(*) FROM {schema}.{name}")[0][0])) for name in TABLES}


@pytest.fixture(scope="module")
def kept(new_base: Any) -> Base:
    found: Base = patient(new_base())
    return found


@pytest.fixture
def filled(base: Base) -> Base:
    base.server.execute(FILL, base.name)
    return base


def test_tables_of_the_archive_have_the_columns_of_those_that_they_take_from(base: Base) -> None:
    columns = (
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
        " WHERE attrelid = '{}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    for name in TABLES:
        here = base.rows(columns.format(name))
        assert base.rows(columns.format(f"archive.{name}")) == here
        assert [row[:2] for row in base.rows(columns.format(whole(name)))] == [row[:2] for row in here]


def test_whoever_reads_while_rows_are_moved_sees_all_of_them_once(filled: Base) -> None:
    before = seen(filled)

    async def main() -> list[int]:
        async with Database.open(filled.pooled("aos_worker"), 3, deadline_s=30) as database:
            sweeps = [asyncio.create_task(sweep(database, Retention(AGE), limit=20)) for _ in range(3)]
            while not all(task.done() for task in sweeps):
                assert await asyncio.to_thread(seen, filled) == before
            return [task.result() for task in sweeps]

    moved = sum(asyncio.run(main()))
    assert seen(filled) == before
    there = counts(filled, "archive")
    assert min(there["requests"], there["runs"]) > 200
    assert moved == there["requests"] + there["runs"]
    told = filled.rows("SELECT sum((details->>'count')::int) FROM audit WHERE action LIKE '%.archived'")
    assert told == [(moved,)]
    late = f"now() - interval '{AGE.days} d'"
    assert filled.rows(
        "SELECT count(*) FROM requests WHERE status NOT IN ('pending', 'escalated')"
        f" AND coalesce(grant_expires_at, decided_at, expires_at) < {late}"
    ) == [(0,)]
    assert filled.rows("SELECT count(*) FROM archive.requests WHERE status IN ('pending', 'escalated')") == [
        (0,)
    ]
    assert filled.rows(f"SELECT count(*) FROM runs WHERE status <> 'running' AND ended_at < {late}") == [(0,)]
    assert worker(filled, partial(sweep, retention=Retention(AGE))) == 0


def test_one_that_is_killed_in_the_middle_has_moved_whole_rows_and_the_next_goes_on(filled: Base) -> None:
    before = seen(filled)
    words = [sys.executable, "-m", "tests.services.jobs.sweeping", filled.url("aos_worker")]
    for number in range(3):
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()  # it has begun
            time.sleep(0.05 * number)
            process.kill()
        assert seen(filled) == before
    wait_for(
        lambda: (
            filled.rows(
                "SELECT 1 FROM pg_stat_activity WHERE usename = 'aos_worker' AND datname = current_database()"
            )
            == []
        ),
        "the connections of the dead are gone",
    )
    worker(filled, partial(sweep, retention=Retention(AGE)))
    assert seen(filled) == before
    told = filled.rows("SELECT sum((details->>'count')::int) FROM audit WHERE action LIKE '%.archived'")
    assert told == [(counts(filled, "archive")["requests"] + counts(filled, "archive")["runs"],)]


def test_an_archived_request_reads_as_before_and_nothing_changes_it(kept: Base) -> None:
    async def make(desk: Desk) -> tuple[str, str, str]:
        approved, rejected, cancelled = [await ask(desk) for _ in range(3)]
        await approve(desk.database, BOB, approved, YES)
        await reject(desk.database, BOB, rejected, YES)
        await cancel(desk.database, ANN, cancelled)
        return approved, rejected, cancelled

    requests = run(kept, make)
    for request in requests:
        pass_time(kept, request, LONG)

    async def read(desk: Desk) -> tuple[list[Any], list[Any]]:
        whole = [await reads.get(desk.database, "acme", request) for request in requests]
        lines, _ = await reads.page(desk.database, ANN, reads.Filter(), None, 50)
        return whole, lines

    before = run(kept, read)
    assert worker(kept, partial(sweep, retention=Retention(AGE))) == 3
    assert counts(kept, "public")["requests"] == 0
    assert run(kept, read) == before

    async def decide(desk: Desk) -> None:
        database = desk.database
        for request in requests:
            for act in (
                approve(database, BOB, request, YES),
                reject(database, BOB, request, YES),
                escalate(database, BOB, request),
                cancel(database, ANN, request),
            ):
                assert await code(act) == "already_decided"
        assert await code(consume(desk, ANN, requests[0], Use())) == "grant_expired"
        assert await code(approve(database, person("sue", 5, "other"), requests[0], YES)) == "not_found"

    run(kept, decide)
    assert run(kept, read) == before
    assert kept.unaudited() == []


def test_what_is_not_over_stays(kept: Base) -> None:
    async def make(desk: Desk) -> list[str]:
        made = [await ask(desk, level=level) for level in (4, 4, 4, 3)]
        await approve(desk.database, BOB, made[0], YES._replace(break_glass=True))
        await approve(desk.database, BOB, made[3], YES)
        for request in made[1:3]:
            await reject(desk.database, BOB, request, YES)
        return made

    broken, fresh, old, granted = run(kept, make)
    pass_time(kept, broken, LONG)
    pass_time(kept, fresh, AGE - timedelta(minutes=1))
    pass_time(kept, old, LONG)
    pass_time(kept, granted, AGE + timedelta(hours=4))  # it could be used for 8 hours
    assert worker(kept, partial(sweep, retention=Retention(AGE))) == 1
    left = {str(row[0]) for row in kept.rows("SELECT id FROM requests")}
    assert ({broken, fresh, granted} <= left, old in left) == (True, False)


def record(name: str, status: str = "succeeded", cents: int = 5, tries: int = 1, days: float = 100) -> Record:
    ended = (time.time() - days * 86_400) * 1000
    document = {"run_id": name, "status": status, "tries": tries, "cost_cents": cents, "attempts": []}
    return Record(name, "", status, "d", tries, ended - 5_000, ended, Decimal(cents), 0, document)


def spent(base: Base, tenant: str) -> Decimal:
    ((cents,),) = base.rows(f"SELECT spent_cents FROM budgets WHERE tenant_id = '{tenant}' AND agent_id = ''")
    return Decimal(str(cents))


def test_an_archived_run_is_not_paid_for_again_and_comes_back_to_be_tried_again(kept: Base) -> None:
    ann = person("ann", tenant="runs")

    async def put(desk: Desk, record: Record) -> tuple[int, bool]:
        given = await Runs(desk.database).put(ann, record, None)
        return given.status, given.again

    first, again = record("r1", "failed"), record("r1", cents=8, tries=2, days=0)
    assert run(kept, lambda desk: put(desk, first)) == (201, False)
    arrived = "its uploader says that it ended long ago"
    assert worker(kept, partial(sweep, retention=Retention(AGE))) == 0, arrived
    kept.server.execute("UPDATE runs SET created_at = created_at - interval '91 d'", kept.name)
    assert worker(kept, partial(sweep, retention=Retention(AGE))) == 1
    assert run(kept, lambda desk: put(desk, first)) == (200, True)
    assert run(kept, lambda desk: code(put(desk, first._replace(agent="other")))) == ""
    assert spent(kept, "runs") == 5
    assert kept.rows("SELECT count(*) FROM runs WHERE tenant_id = 'runs'") == [(0,)]
    assert run(kept, lambda desk: put(desk, again)) == (200, False)
    assert spent(kept, "runs") == 8
    assert kept.rows("SELECT status FROM all_runs WHERE tenant_id = 'runs'") == [("succeeded",)]
    both = "INSERT INTO archive.runs SELECT * FROM runs; INSERT INTO runs SELECT * FROM archive.runs"
    with pytest.raises(psycopg.errors.UniqueViolation):
        kept.server.execute(both, kept.name)


def test_a_run_that_somebody_writes_is_not_moved(kept: Base) -> None:
    ann = person("ann", tenant="locked")

    async def put(desk: Desk) -> None:
        for name in ("r1", "r2"):
            await Runs(desk.database).put(ann, record(name), None)

    run(kept, put)
    kept.server.execute("UPDATE runs SET created_at = created_at - interval '91 d'", kept.name)
    with psycopg.connect(kept.url("aos_app")) as connection:
        connection.execute("SELECT set_config('aos.tenant', 'locked', true)")
        connection.execute(sql("runs.lock"), {"id": "r1"})
        assert worker(kept, partial(sweep, retention=Retention(AGE))) == 1
    assert kept.rows("SELECT id FROM runs WHERE tenant_id = 'locked'") == [("r1",)]


def test_runs_that_are_moved_while_they_are_written_are_in_one_place(kept: Base) -> None:
    ann = person("ann", tenant="racing")
    names = [f"r{i}" for i in range(12)]
    older = "UPDATE runs SET created_at = created_at - interval '91 d' WHERE tenant_id = 'racing'"
    there = "SELECT count(*), count(DISTINCT id) FROM all_runs WHERE tenant_id = 'racing'"

    async def main() -> None:
        async with (
            Database.open(kept.pooled("aos_app"), 8, deadline_s=30) as database,
            Database.open(kept.pooled("aos_worker"), 2, deadline_s=30) as workers,
        ):
            runs = Runs(database)
            for tries in range(1, 5):
                records = [record(name, "failed", 5 * tries, tries) for name in names]
                for limit in (3, 2):
                    writes = [runs.put(ann, one, None) for one in records]
                    sweeps = [sweep(workers, Retention(AGE), limit) for _ in range(2)]
                    await asyncio.gather(*writes, *sweeps)
                    await asyncio.to_thread(kept.server.execute, older, kept.name)
                    assert kept.rows(there) == [(12, 12)]

    asyncio.run(main())
    assert spent(kept, "racing") == 12 * 20


def test_what_is_kept_long_enough_is_forgotten_and_the_audit_log_says_so(filled: Base) -> None:
    keep = timedelta(days=150)
    worker(filled, partial(sweep, retention=Retention(AGE)))
    there = counts(filled, "archive")
    live = counts(filled, "public")
    gone = worker(filled, lambda database: sweep(database, Retention(AGE, keep)))
    left = counts(filled, "archive")
    assert gone == there["requests"] + there["runs"] - left["requests"] - left["runs"] > 0
    assert counts(filled, "public") == live
    late = f"SELECT count(*) FROM archive.runs WHERE ended_at < now() - interval '{keep.days} d'"
    told = "SELECT sum((details->>'count')::int) FROM audit WHERE action LIKE '%.forgotten'"
    assert (filled.rows(late), filled.rows(told)) == ([(0,)], [(gone,)])


def test_seven_days_of_the_job_move_each_day_what_that_day_ends(filled: Base) -> None:
    before, moved = seen(filled), []
    for day in range(7, 0, -1):
        then = Retention(AGE + timedelta(days=day - 1))
        moved.append(worker(filled, partial(sweep, retention=then)))
        assert seen(filled) == before
    assert all(2 < count < 20 for count in moved[1:])


@pytest.mark.parametrize("role", ["aos_app", "aos_worker", "aos_reader"])
def test_nobody_moves_or_deletes_a_row_in_another_way(filled: Base, role: str) -> None:
    statements = [f"DELETE FROM archive.{name}" for name in TABLES]
    statements += [f"INSERT INTO archive.{name} SELECT * FROM {name}" for name in TABLES]
    statements += ["UPDATE archive.requests SET status = 'approved'"]
    if role != "aos_worker":
        statements += ["SELECT archive_requests('1 d', 5)", "SELECT forget_requests('1 d', 5)"]
    with psycopg.connect(filled.url(role), autocommit=True) as connection:
        for statement in statements:
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
                connection.execute(statement)


def test_operators_see_how_much_there_is_and_have_it_moved_by_a_worker(filled: Base) -> None:
    patient(filled)

    async def act(desk: Desk) -> tuple[Any, Any, Any, Any]:
        archive = Archive(desk.database, retention(90, 0))
        shown = await archive.show("acme")
        first, second = [(await archive.order(BOB, None)).body["ordered"] for _ in range(2)]
        return shown, first, second, await code(Archive(desk.database, retention(0, 0)).order(BOB, None))

    shown, first, second, refused = run(filled, act)
    assert (first, second, refused) == (True, False, "bad_value")
    assert filled.rows("SELECT task_name, status::text FROM procrastinate_jobs") == [("archive", "todo")]
    assert "archive" in {job.name for job in JOBS}
    moved = worker(filled, partial(sweep, retention=Retention(AGE)))
    assert shown["requests"]["due"] + shown["runs"]["due"] == moved
    after = run(filled, lambda desk: Archive(desk.database, retention(90, 0)).show("acme"))
    assert after["requests"]["due"] == after["runs"]["due"] == 0
    assert after["runs"]["archived"] + after["requests"]["archived"] == moved
    assert after["runs"]["live"] + after["runs"]["archived"] == 900


def test_those_who_operate_the_server_ask_for_it_and_nobody_else_does(base: Base, tmp_path: Path) -> None:
    with everything(base, Staff(), tmp_path) as url:

        def asked(who: str, *words: str) -> tuple[int, dict[str, Any]]:
            env = {
                "AOS_BASE_URL": url,
                "AOS_API_KEY": who,
                "AOS_KEYRING": "off",
                "XDG_CONFIG_HOME": str(tmp_path),
            }
            done = aos("archive", *words, "--json", env=env)
            assert faults(done.document) == []
            return done.status, done.document

        for words in ("show", "run"):
            status, document = asked("colleague", words)
            assert (status, document["code"]) == (4, "authorization_denied")
        assert asked("manager", "show")[1]["requests"] == {
            "live": 0,
            "due": 0,
            "archived": 0,
            "oldest_archived_at": None,
        }
        assert [asked("manager", "run")[1]["ordered"] for _ in range(2)] == [True, False]
        told = aos(
            "archive", "show", env={"AOS_BASE_URL": url, "AOS_API_KEY": "manager", "AOS_KEYRING": "off"}
        )
        assert told.text.splitlines()[-1] == "archived after 90 days, kept for good"
    assert base.rows("SELECT action FROM audit WHERE action = 'job.ordered'") == [("job.ordered",)] * 2
