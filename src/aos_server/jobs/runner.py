"""Does periodic jobs, by procrastinate: any number of workers may, and any of them may die, sleep or be cut off.

A tick becomes one row, whoever is first to write it, and one worker takes it. A job runs alone, and at most one more of
its name waits. A worker tells every few seconds that it lives; the jobs of one that is silent are put back (`reap`)
and done by another: at least once, as deliveries are made. Each job has a queue of its name, so that a worker of an
older version does not take what it does not know.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import NamedTuple

from procrastinate import App, JobContext, RetryStrategy
from procrastinate.exceptions import AlreadyEnqueued, ProcrastinateException
from procrastinate.jobs import Job as Row
from procrastinate.manager import JobManager
from procrastinate.worker import Worker

from aos.errors import AosError
from aos_server.db.connector import Connector
from aos_server.db.pool import Database
from aos_server.jobs.claims import Claims, lease_of
from aos_server.jobs.periodic import BACKUPS, DRAIN_S, Job, Means
from aos_server.metrics import JOB_SECONDS, JOBS_PUT_BACK, JOBS_RUN
from aos_server.services.backups.duty import asked

__all__ = ["Pace", "order", "order_asked", "reap", "run_jobs"]

RETRIES = 5
"""After 4, 16, 64, 256 and 1,024 s. Meanwhile ticks of the same job are let go."""
MADE_UP_S = 86_400.0
"""A tick for which no worker was there is made up for within so long; of several, the last one."""

_log = logging.getLogger(__name__)
logging.getLogger("procrastinate.worker").addFilter(
    lambda record: getattr(record, "action", None) != "job_error"  # ours says it, without its arguments
)


class Pace(NamedTuple):
    """How often the queue is looked at, and a worker tells that it lives; what was begun may take `drain_s` at the end.

    A worker that drains tells nothing, so `silent_s`, after which it is taken for dead, is longer.
    """

    poll_s: float = 2.0
    heartbeat_s: float = 5.0
    drain_s: float = DRAIN_S
    silent_s: float = 40.0


USUAL = Pace()


async def run_jobs(jobs: Sequence[Job], means: Means, stop: asyncio.Event, pace: Pace = USUAL) -> None:
    """Do what is due until `stop`; what was begun has a while to end, and is then put back for another worker."""
    app = _app(jobs, means, stop)
    while not stop.is_set():
        worker = Worker(
            app,
            queues=[job.name for job in jobs],
            concurrency=len(jobs),
            fetch_job_polling_interval=pace.poll_s,
            update_heartbeat_interval=pace.heartbeat_s,
            stalled_worker_timeout=pace.silent_s,
            shutdown_graceful_timeout=pace.drain_s,
            listen_notify=False,
            install_signal_handlers=False,
        )
        ender = asyncio.create_task(_end(worker, stop))
        try:
            await worker.run()  # type: ignore[no-untyped-call]
        except AosError as error:
            _log.warning("jobs: %s: %s", error.code, error.detail)
        except ProcrastinateException as error:  # as where it was taken for dead, and its row is gone
            _log.warning("jobs: begin anew: %s", error)
        except Exception:  # a fault of ours: the loops have nothing to do with it
            _log.exception("jobs failed; begin anew")
        finally:
            ender.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 1)


async def _end(worker: Worker, stop: asyncio.Event) -> None:
    await stop.wait()
    worker.stop()  # type: ignore[no-untyped-call]


async def reap(database: Database, silent_s: float = USUAL.silent_s) -> int:
    """Put back the jobs of workers that are gone; how many it were."""
    silent = timedelta(seconds=silent_s)
    async with database.transaction() as transaction:
        found = await transaction.all("jobs.reap", retries=RETRIES, silent=silent)
        await transaction.send("jobs.bury", silent=silent)
    for row in found:
        JOBS_PUT_BACK.labels(row["name"]).inc()
        done = "put back" if row["status"] == "todo" else "given up"
        _log.warning("job %s was left by a worker that is gone; it is %s", row["name"], done)
    return len(found)


async def order(database: Database, job: Job) -> bool:
    """Have it done now, by any worker; False where one waits already."""
    manager = JobManager(Connector(database))
    wanted = Row(queue=job.name, lock=job.name, queueing_lock=job.name, task_name=job.name)
    try:
        await manager.defer_job_async(wanted)
    except AlreadyEnqueued:
        return False
    return True


async def order_asked(database: Database) -> int:
    """Have done what somebody has asked for of backups; it is looked for again after a while."""
    if await asked(database):
        await order(database, BACKUPS)
    return 0


def _app(jobs: Sequence[Job], means: Means, stop: asyncio.Event) -> App:
    connector = Connector(means.database)
    app = App(connector=connector, periodic_defaults={"max_delay": MADE_UP_S})
    app.job_manager = Claims(connector, means.database, stop)
    retry = RetryStrategy(max_attempts=RETRIES, exponential_wait=4)
    for job in jobs:
        for result in ("done", "failed"):
            JOBS_RUN.labels(job.name, result)
        JOBS_PUT_BACK.labels(job.name)
        register = app.task(
            name=job.name,
            queue=job.name,
            lock=job.name,
            queueing_lock=job.name,
            retry=retry,
            pass_context=True,
        )
        app.periodic(cron=job.cron)(register(_task(job, means, stop)))
    return app


@asynccontextmanager
async def _ending(stop: asyncio.Event, drain_s: float) -> AsyncIterator[None]:
    """The block is cut off so long after `stop`."""

    async def watch() -> None:
        await stop.wait()
        limit.reschedule(asyncio.get_running_loop().time() + drain_s)

    try:
        async with asyncio.timeout(None) as limit:
            watching = asyncio.create_task(watch())
            try:
                yield
            finally:
                watching.cancel()
    except TimeoutError:
        if limit.expired():
            raise asyncio.CancelledError from None
        raise


def _task(job: Job, means: Means, stop: asyncio.Event) -> Callable[..., Awaitable[None]]:
    async def run(context: JobContext, timestamp: int | None = None) -> None:
        """Do it once, and say how that went; `timestamp` is its tick, where it is one."""
        began, result = time.monotonic(), "failed"
        try:
            async with _ending(stop, job.drain_s):
                done = await job.act(means, lease_of(context.job))
            if done:
                _log.info("job %s: %d", job.name, done, extra={"seconds": round(time.monotonic() - began, 3)})
            result = "done"
        except AosError as error:
            _log.warning("job %s: %s: %s", job.name, error.code, error.detail)
            raise
        except asyncio.CancelledError:
            _log.warning("job %s was cut off; it is put back", job.name)
            raise
        except Exception:  # a fault of ours must not stop the others
            _log.exception("job %s failed", job.name)
            raise
        finally:
            JOBS_RUN.labels(job.name, result).inc()
            JOB_SECONDS.labels(job.name).observe(time.monotonic() - began)

    return run
