"""Periodic jobs of three workers, through PgBouncer: each tick once, nothing lost with a worker or the database."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from procrastinate.jobs import Job as Row
from procrastinate.manager import JobManager

from aos_server.db.connector import Connector
from aos_server.db.pool import Database
from aos_server.jobs.lease import Lease
from aos_server.jobs.periodic import JOBS, Means
from aos_server.jobs.runner import order, reap
from aos_server.keystores.file import FileBackend
from tests.cli.schemas import faults
from tests.services.conftest import Base
from tests.services.jobs.worker import jobs
from tests.services.keys.making import new_keys
from tests.services.processes import free_port, wait_for
from tests.services.serving.settings import of_worker

Worker = subprocess.Popen[bytes]
WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
STATES = "SELECT status::text, attempts FROM procrastinate_jobs WHERE task_name = 'slow' ORDER BY id"


class Site:
    """A database, the workers at it, and what they tell."""

    def __init__(self, base: Base, folder: Path, stack: ExitStack) -> None:
        self.base = base
        self._folder = folder
        self._stack = stack
        self._log = stack.enter_context((folder / "log").open("ab"))

    def start(self, drain_s: float = 10, jobs_drain_s: float = 20) -> Worker:
        """One more worker."""
        words = [self.base.pooled("aos_worker"), str(self._folder), str(drain_s), str(jobs_drain_s)]
        worker = self._stack.enter_context(
            subprocess.Popen([sys.executable, "-m", "tests.services.jobs.worker", *words], stderr=self._log)
        )
        self._stack.callback(worker.kill)
        return worker

    def said(self) -> str:
        return (self._folder / "log").read_text()

    def told(self, *whats: str) -> list[tuple[str, int]]:
        """What jobs did, and in which process."""
        path = self._folder / "told"
        lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [(what, int(pid)) for what, pid in lines if what in whats]

    def waits_for(self, *whats: str) -> None:
        """Wait until `slow` has done that."""
        wait_for(lambda: tuple(what for what, _ in self.told("began", "ended")) == whats, f"slow: {whats}")

    def order(self) -> bool:
        async def act() -> bool:
            async with Database.open(self.base.url("aos_worker"), 1) as database:
                return await order(database, jobs(self._folder)[1])

        return asyncio.run(act())

    @contextmanager
    def outage(self) -> Iterator[None]:
        """No database for the workers."""
        self.base.pooler.kill()
        try:
            yield
        finally:
            self.base.pooler.start()

    def leases(self) -> list[str]:
        """Under which `slow` was begun, as they sort."""
        return sorted(path.name for path in (self._folder / "leases").iterdir())

    def touch(self, name: str) -> None:
        (self._folder / name).touch()

    def remove(self, name: str) -> None:
        (self._folder / name).unlink()


@pytest.fixture
def site(base: Base, tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(base, tmp_path, stack)


def test_each_tick_is_done_once_by_one_of_three_workers(site: Site) -> None:
    workers = [site.start() for _ in range(3)]
    wait_for(lambda: len({pid for _, pid in site.told("tick")}) > 1, "others than the first have their turn")
    wait_for(lambda: len(site.told("tick")) >= 5, "ticks are done")
    for worker in workers:
        worker.terminate()
    assert [worker.wait(30) for worker in workers] == [0, 0, 0]
    (counts,) = site.base.rows(
        "SELECT count(*), count(DISTINCT args ->> 'timestamp'), sum(attempts) FROM procrastinate_jobs"
        " WHERE status = 'succeeded'"
    )
    assert counts == (len(site.told("tick")),) * 3
    assert site.base.rows("SELECT count(*) FROM procrastinate_workers") == [(0,)]


def test_who_comes_late_with_a_tick_does_not_write_it_again(base: Base) -> None:
    later = "SELECT procrastinate_defer_periodic_job_v2('a', NULL, NULL, 'a', 0, '', {}, '{{}}')"

    async def act() -> list[int | None]:
        async with Database.open(base.pooled("aos_worker"), 2) as database:
            manager = JobManager(Connector(database))

            async def write(tick: int) -> int | None:
                job = Row(
                    queue="a", lock=None, queueing_lock=None, task_name="a", task_kwargs={"timestamp": tick}
                )
                return await manager.defer_periodic_job(job, "", tick)

            base.server.execute(later.format(1), base.name)
            with psycopg.connect(base.url("root")) as other:
                other.execute(later.format(2))  # the row of tick 1 is gone with this
                late = asyncio.create_task(write(1))
                await asyncio.to_thread(wait_for, lambda: bool(base.rows(WAITING)), "it waits")
                other.commit()
                return [await late, await write(1), await write(2)]

    assert asyncio.run(act()) == [None, None, None]
    assert base.rows("SELECT count(*) FROM procrastinate_jobs") == [(2,)]


def test_a_job_whose_worker_is_killed_is_ended_by_another_once(site: Site) -> None:
    workers = [site.start() for _ in range(3)]
    assert site.order()
    site.waits_for("began")
    assert site.order()  # one more may wait
    assert not site.order()
    ((_, first),) = site.told("began")
    next(worker for worker in workers if worker.pid == first).kill()
    site.waits_for("began", "began")
    two = site.leases()
    site.touch("gate")
    site.waits_for("began", "began", "ended", "began", "ended")  # then the one that had waited
    assert site.leases()[:2] == two
    assert len(site.leases()) == 3
    assert first not in [pid for _, pid in site.told("began", "ended")[1:]]
    wait_for(lambda: site.base.rows(STATES) == [("succeeded", 2), ("succeeded", 1)], "both have succeeded")


def test_a_worker_that_ends_ends_its_job(site: Site) -> None:
    worker = site.start()
    site.order()
    site.waits_for("began")
    worker.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(1)
    site.touch("gate")
    assert worker.wait(30) == 0
    assert site.base.rows(STATES) == [("succeeded", 1)]


def test_what_does_not_end_in_time_is_put_back(site: Site) -> None:
    worker = site.start(0.3)
    site.order()
    site.waits_for("began")
    worker.terminate()
    assert worker.wait(30) == 0
    assert site.base.rows(STATES) == [("todo", 1)]
    assert "job slow was cut off; it is put back" in site.said()


def test_a_job_may_have_less_time_to_end_than_its_worker(site: Site) -> None:
    worker = site.start(600, 0.3)
    site.order()
    site.waits_for("began")
    worker.terminate()
    assert worker.wait(60) == 0
    assert site.base.rows(STATES) == [("todo", 1)]
    assert "job slow was cut off; it is put back" in site.said()


def test_who_comes_back_after_another_took_over_has_lost_the_lease(site: Site) -> None:
    silent = site.start()
    site.order()
    site.waits_for("began")
    site.start()
    silent.send_signal(signal.SIGSTOP)
    site.waits_for("began", "began")
    silent.send_signal(signal.SIGCONT)
    first, _ = site.leases()
    site.touch("outside")
    site.touch(f"gate of {first}")
    wait_for(lambda: site.told("held", "lost") == [("lost", silent.pid)], "it learns that it has lost it")
    wait_for(lambda: "ended after it was put back" in site.said(), "it ends nothing for the other")
    assert site.base.rows(STATES) == [("doing", 1)]
    site.touch("gate")
    wait_for(lambda: "held" in dict(site.told("held", "lost")), "the other holds it")
    wait_for(lambda: site.base.rows(STATES) == [("succeeded", 2)], "it has succeeded")


def test_through_outages_a_job_goes_on_and_what_was_taken_unknown_is_given_back(site: Site) -> None:
    site.start()
    site.order()
    site.waits_for("began")
    with site.outage():
        # As if the answer that had this job in it had been lost.
        site.base.server.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id)"
            " SELECT 'slow', 'slow', 'doing', id FROM procrastinate_workers",
            site.base.name,
        )
        wait_for(lambda: "jobs: unavailable" in site.said(), "it is noticed")
    site.waits_for("began", "began")
    with site.outage():
        site.touch("gate")
        site.waits_for("began", "began", "ended", "ended")
    wait_for(lambda: site.base.rows(STATES) == [("succeeded", 1), ("succeeded", 1)], "both are done")
    assert len(site.told("began", "ended")) == 4


def test_what_fails_is_tried_again_unless_the_next_one_waits(site: Site) -> None:
    site.start()
    site.order()
    site.waits_for("began")
    site.order()
    site.touch("broken")
    site.touch("gate")
    failed = [("failed", 1), ("todo", 1)]
    wait_for(lambda: site.base.rows(STATES) == failed, "the first is given up, the second to be tried again")
    assert "a fault of ours" in site.said()
    site.remove("broken")
    assert site.base.rows(
        "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'"
        " AND scheduled_at BETWEEN now() + interval '2 s' AND now() + interval '4 s'"
    ) == [(1,)]
    site.base.server.execute("UPDATE procrastinate_jobs SET scheduled_at = now()", site.base.name)
    wait_for(lambda: site.base.rows(STATES) == [("failed", 1), ("succeeded", 2)], "it has succeeded")


ROW = "INSERT INTO procrastinate_jobs (queue_name, task_name, status, attempts, lock, queueing_lock) VALUES "


def test_of_reapers_at_once_one_puts_a_job_back_and_what_was_begun_too_often_is_given_up(base: Base) -> None:
    base.server.execute(ROW + "('a', 'a', 'doing', 4, 'a', 'a'), ('a', 'a', 'todo', 0, 'a', 'a')", base.name)
    base.server.execute(ROW + "('b', 'b', 'doing', 5, 'b', 'b')", base.name)

    async def act() -> list[int]:
        async with Database.open(base.pooled("aos_worker"), 4) as database:
            return sorted(await asyncio.gather(*(reap(database) for _ in range(4))))

    assert asyncio.run(act()) == [0, 0, 0, 2]
    assert base.rows("SELECT task_name, status::text, attempts FROM procrastinate_jobs ORDER BY 1, id") == [
        ("a", "todo", 5),
        ("a", "todo", 0),
        ("b", "failed", 6),
    ]


def test_what_a_living_worker_has_taken_meanwhile_is_not_put_back(base: Base) -> None:
    base.server.execute(ROW + "('a', 'a', 'doing', 0, 'a', 'a')", base.name)

    async def act() -> int:
        async with Database.open(base.pooled("aos_worker"), 2) as database:
            with psycopg.connect(base.url("root")) as other:  # is quicker: puts it back, and takes it
                other.execute("WITH w AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id)"
                              " UPDATE procrastinate_jobs SET worker_id = (SELECT id FROM w)")  # fmt: skip
                reaping = asyncio.create_task(reap(database))
                await asyncio.to_thread(wait_for, lambda: bool(base.rows(WAITING)), "it waits")
                other.commit()
                return await reaping

    assert asyncio.run(act()) == 0
    assert base.rows("SELECT status::text FROM procrastinate_jobs") == [("doing",)]


def test_ended_jobs_are_forgotten_but_for_the_last_success_of_each(base: Base) -> None:
    hours = [("succeeded", 50), ("succeeded", 30), ("failed", 30), ("failed", 24 * 8), ("cancelled", 30)]
    for state, age in hours:
        base.server.execute(ROW + f"('a', 'a', '{state}', 1, NULL, NULL)", base.name)
        base.server.execute(
            "INSERT INTO procrastinate_events (job_id, type, at)"
            f" SELECT max(id), 'started', now() - interval '{age} h' FROM procrastinate_jobs",
            base.name,
        )
    base.server.execute(ROW + "('a', 'a', 'todo', 0, NULL, NULL)", base.name)

    async def act() -> int:
        async with Database.open(base.pooled("aos_worker"), 2) as database:
            (job,) = (job for job in JOBS if job.name == "jobs")
            means = Means(database, FileBackend(Path("none")), None)
            return await job.act(means, Lease(0, 0, 0))

    assert asyncio.run(act()) == 3
    assert base.rows("SELECT status::text FROM procrastinate_jobs ORDER BY id") == [
        ("succeeded",),
        ("failed",),
        ("todo",),
    ]


def test_ticks_are_in_utc_wherever_the_worker_is() -> None:
    words = "from aos_server.jobs.periodic import *; from datetime import *; from procrastinate.periodic import *\n"
    words += "job, at = Job('', '0 3 * * *', '', None), datetime(2026, 11, 26, 2, tzinfo=UTC)\n"
    words += "theirs = PeriodicTask(None, job.cron, '', {}).croniter\n"
    words += "print(job.next(at).timestamp(), theirs.get_next(float, at.timestamp()), job.period_s(at))"
    env = {**os.environ, "TZ": "America/New_York"}
    said = subprocess.run([sys.executable, "-c", words], env=env, capture_output=True, text=True, check=True)
    three = datetime(2026, 11, 26, 3, tzinfo=UTC).timestamp()
    assert said.stdout.split() == [str(three), str(three), "86400.0"]


def test_only_workers_load_the_queue() -> None:
    words = "import sys, aos_server.app, aos_server.cli.app; print({'procrastinate', 'croniter'} & sys.modules.keys())"
    assert subprocess.run([sys.executable, "-c", words], capture_output=True, check=True).stdout == b"set()\n"


@pytest.fixture
def settings(base: Base, tmp_path: Path) -> dict[str, str]:
    """Of a worker as it is shipped."""
    new_keys(tmp_path / "keys")
    return {**of_worker(base, tmp_path), "AOS_WORKER_PORT": str(free_port())}


def test_a_worker_makes_up_for_every_tick_that_was_missed_and_says_how_it_stands(
    settings, base: Base
) -> None:
    def answer(*words: str, status: int = 0) -> dict[str, Any]:
        command = [sys.executable, "-m", "aos_server", "jobs", *words, "--json"]
        done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (status, "")
        document: dict[str, Any] = json.loads(done.stdout)
        assert faults(document) == []
        return document

    names = [job.name for job in JOBS]
    before = answer("list")["jobs"]
    assert [(one["name"], one["last_success_at"], one["late"]) for one in before] == [
        (name, None, False) for name in names
    ]
    assert answer("run", "messages")["ordered"]
    assert not answer("run", "messages")["ordered"]
    assert answer("run", "nonsense", status=2)["code"] == "bad_value"
    base.server.execute(
        "INSERT INTO idempotency_keys VALUES ('acme', 'iss', 'ann', 'k', 'd', 200, '{}', now() - interval '2 days')",
        base.name,
    )
    words = [sys.executable, "-m", "aos_server", "worker"]
    with ExitStack() as stack:
        worker = stack.enter_context(
            subprocess.Popen(words, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        )
        stack.callback(worker.kill)
        done = "SELECT DISTINCT task_name FROM procrastinate_jobs WHERE status = 'succeeded'"
        wait_for(lambda: {name for (name,) in base.rows(done)} == set(names), "each job is done")
        told = httpx.get(f"http://127.0.0.1:{settings['AOS_WORKER_PORT']}/metrics").text
        worker.terminate()
        _, said = worker.communicate(timeout=10)
        assert worker.returncode == 0
    assert base.rows("SELECT 1 FROM idempotency_keys") == []
    events = [json.loads(line)["event"] for line in said.splitlines()]
    assert events == [
        "working",
        "job idempotency-keys: 1",
        "ending",
    ]  # who has found nothing to do says nothing
    for series in (
        "nova_job_last_success_timestamp_seconds",
        "nova_job_period_seconds",
        "nova_jobs_put_back_total",
    ):
        assert set(re.findall(series + r'\{name="([a-z-]+)"\}', told)) == set(names)
    assert 'nova_jobs_total{name="messages",result="failed"} 0.0' in told
    base.server.execute("UPDATE procrastinate_events SET at = at - interval '1 hour'", base.name)
    late = {one["name"]: one["late"] for one in answer("list")["jobs"]}
    assert late == {name: name not in ("archive", "jobs") for name in names}  # these have two hours
