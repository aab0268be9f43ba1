"""What a worker has taken of the queue: through outages, none is lost, and none is kept that nobody works on.

procrastinate's own manager lets a worker end at the first statement that fails, and a job stay taken for ever whose end
could not be written, or which was taken by a statement whose answer was lost. A worker that comes back after another
has taken its job over would end it for that one.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from aos.errors import AosError
from aos_server.db.connector import Connector
from aos_server.db.pool import Database
from aos_server.db.queries import sql
from aos_server.jobs.lease import Lease

__all__ = ["Claims", "lease_of"]

REST_S = 1.0
"""Between two tries to write down what has to be."""

_log = logging.getLogger(__name__)


class Claims(JobManager):
    """Of one worker. Once `stop` is set, nothing is tried again."""

    def __init__(self, connector: Connector, database: Database, stop: asyncio.Event) -> None:
        super().__init__(connector)
        self._database = database
        self._stop = stop
        self._held = set[int]()
        self._unsure = False

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Take a job. Where the answer is lost it may be taken all the same: the next call gives it back first."""
        try:
            if self._unsure:
                await self._give_back(worker_id)
            job = await super().fetch_job(queues, worker_id)
        except AosError as error:
            self._cut_off(error)
            return None
        if job is not None and job.id is not None:
            self._held.add(job.id)
        return job

    def _cut_off(self, error: AosError) -> None:
        """Say so once in an outage; what nobody works on after it is given back."""
        if not self._unsure:
            _log.warning("jobs: %s: %s", error.code, error.detail)
        self._unsure = True

    async def _give_back(self, worker_id: int) -> None:
        async with self._database.transaction() as transaction:
            await transaction.send("jobs.release", worker=worker_id, held=list(self._held))
        self._unsure = False

    async def update_heartbeat(self, worker_id: int) -> None:
        """Tell that the worker lives; in an outage, the next time."""
        with suppress(AosError):
            await super().update_heartbeat(worker_id)

    async def defer_periodic_job(self, job: Job, periodic_id: str, defer_timestamp: int) -> int | None:
        """Write down a tick, after an outage if need be; None where another worker has."""
        while True:
            try:
                return await super().defer_periodic_job(job, periodic_id, defer_timestamp)
            except AosError:
                await asyncio.sleep(REST_S)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Write down how it ended."""
        await self._write(job, "jobs.finish", status=status.value)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Write down that it is to be done again; it has failed where the next one waits already."""
        await self._write(job, "jobs.retry", at=retry_at or datetime.now(UTC))

    async def list_jobs_to_abort_async(self, queue: str | None = None) -> Iterable[int]:
        """None: nobody can ask for it."""
        return []

    async def _write(self, job: Job, statement: str, **values: object) -> None:
        lease = lease_of(job)
        while True:
            try:
                held = await self.connector.execute_query_all_async(
                    sql(statement), **lease._asdict(), **values
                )
                if not held:
                    _log.warning(
                        "job %s ended after it was put back, since this worker was silent", job.task_name
                    )
                break
            except UniqueViolation:
                statement, values = "jobs.finish", {"status": Status.FAILED.value}
            except AosError as error:
                self._cut_off(error)
                if self._stop.is_set():
                    _log.warning("job %s ended, and is done again: %s", job.task_name, error.detail)
                    break
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), REST_S)
        self._held.discard(lease.job)


def lease_of(job: Job) -> Lease:
    """The lease under which a worker has taken a job."""
    assert job.id is not None
    assert job.worker_id is not None
    return Lease(job.id, job.attempts, job.worker_id)
