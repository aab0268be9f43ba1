"""Periodic jobs with three workers, through PgBouncer: each tick once, and nothing lost with a worker or the database."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from aos_server.db.pool import Database
from aos_server.jobs.runner import order
from tests.services.conftest import Base
from tests.services.job_worker import jobs
from tests.services.processes import wait_for

Worker = subprocess.Popen[bytes]
STATES = "SELECT status::text, attempts FROM procrastinate_jobs WHERE task_name = 'slow' ORDER BY id"


class Site:
    """A database, the workers at it, and what they tell."""

    def __init__(self, base: Base, folder: Path, stack: ExitStack) -> None:
        self.base = base
        self._folder = folder
        self._stack = stack
        self._log = stack.enter_context((folder / "log").open("ab"))

    def start(self, drain_s: float = 10) -> Worker:
        """One more worker."""
        words = [self.base.pooled("aos_worker"), str(self._folder), str(drain_s)]
        worker = self._stack.enter_context(
            subprocess.Popen([sys.executable, "-m", "tests.services.job_worker", *words], stderr=self._log)
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

    def open_gate(self) -> None:
        (self._folder / "gate").touch()


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
    assert [worker.wait(10) for worker in workers] == [0, 0, 0]
    (counts,) = site.base.rows(
        "SELECT count(*), count(DISTINCT args ->> 'timestamp'), sum(attempts) FROM procrastinate_jobs"
        " WHERE status = 'succeeded'"
    )
    assert counts == (len(site.told("tick")),) * 3
    assert site.base.rows("SELECT count(*) FROM procrastinate_workers") == [(0,)]


def test_a_job_whose_worker_is_killed_is_ended_by_another_once(site: Site) -> None:
    workers = [site.start() for _ in range(3)]
    assert site.order()
    site.waits_for("began")
    assert site.order()  # one more may wait
    assert not site.order()
    ((_, first),) = site.told("began")
    next(worker for worker in workers if worker.pid == first).kill()
    site.waits_for("began", "began")
    site.open_gate()
    site.waits_for("began", "began", "ended", "began", "ended")  # then the one that had waited
    assert first not in [pid for _, pid in site.told("began", "ended")[1:]]
    wait_for(lambda: site.base.rows(STATES) == [("succeeded", 2), ("succeeded", 1)], "both have succeeded")


def test_a_worker_that_ends_ends_its_job(site: Site) -> None:
    worker = site.start()
    site.order()
    site.waits_for("began")
    worker.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(1)
    site.open_gate()
    assert worker.wait(10) == 0
    assert site.base.rows(STATES) == [("succeeded", 1)]


def test_what_does_not_end_in_time_is_put_back(site: Site) -> None:
    worker = site.start(0.3)
    site.order()
    site.waits_for("began")
    worker.terminate()
    assert worker.wait(10) == 0
    assert site.base.rows(STATES) == [("todo", 1)]
    assert "job slow was cut off; it is put back" in site.said()


def test_a_job_ends_through_an_outage_and_what_was_taken_unknown_is_given_back(site: Site) -> None:
    site.start()
    site.order()
    site.waits_for("began")
    site.base.pooler.kill()
    try:
        site.open_gate()
        wait_for(lambda: "jobs: unavailable" in site.said(), "it has noticed")
        site.waits_for("began", "ended")
        # As if the answer that had this job in it had been lost.
        site.base.server.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id)"
            " SELECT 'slow', 'slow', 'doing', id FROM procrastinate_workers",
            site.base.name,
        )
    finally:
        site.base.pooler.start()
    wait_for(lambda: site.base.rows(STATES) == [("succeeded", 1), ("succeeded", 1)], "both are done", 5)
    assert len(site.told("ended")) == 2
