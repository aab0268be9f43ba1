"""What is done by the clock: one line each. Times are UTC; each tick is done once, by one of the workers.

What is due within seconds, or in each process, is a loop of the worker instead.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from croniter import croniter

from aos_server.db.pool import Database
from aos_server.jobs.lease import Lease
from aos_server.keystores.backend import Backend
from aos_server.services.archive import NEVER, Retention, sweep
from aos_server.services.backups.duty import Duty
from aos_server.services.webhooks.keys import KeyService, find_abandoned
from aos_server.services.webhooks.queue import forget
from aos_server.settings import Backups

__all__ = ["BACKUPS", "DRAIN_S", "JOBS", "Job", "Means", "jobs_of"]

DRAIN_S = 20.0
"""How long a job may take to end once its worker is told to."""


class Means(NamedTuple):
    """What jobs work with. A key older than `rotate_after` is rotated; None: by nobody but people.

    `operating_tenant` is where the audit log tells of it. `retention`: what is over is archived then, if ever. `duty`
    None: it makes no backups.
    """

    database: Database
    keystore: Backend
    rotate_after: timedelta | None
    operating_tenant: str = ""
    retention: Retention = NEVER
    duty: Duty | None = None


class Job(NamedTuple):
    """`act` does what is due and returns how much it was. It may be cut off at any `await`, and is then done again.

    So it is `drain_s` after its worker was told to end, at most DRAIN_S: what takes long anyway had better begin anew
    elsewhere at once. What it writes outside of Postgres needs its lease.
    """

    name: str
    cron: str
    purpose: str
    act: Callable[[Means, Lease], Awaitable[int]]
    drain_s: float = DRAIN_S

    def next(self, after: datetime) -> datetime:
        """The first tick after that instant."""
        found: datetime = croniter(self.cron, after).get_next(datetime)
        return found

    def period_s(self, at: datetime) -> float:
        """Seconds between the next tick and the one after it."""
        first = self.next(at)
        return (self.next(first) - first).total_seconds()


async def _key_changes(means: Means, _: Lease) -> int:
    return await find_abandoned(means.database, means.keystore)


async def _key_rotation(means: Means, _: Lease) -> int:
    if means.rotate_after is None:
        return 0
    service = KeyService(means.database, means.keystore, means.operating_tenant)
    return await service.rotate_due(means.rotate_after)


async def _idempotency_keys(means: Means, _: Lease) -> int:
    return await _until_none(lambda: _forget(means.database, "idempotency.forget"))


async def _sessions(means: Means, _: Lease) -> int:
    return await _until_none(lambda: _forget(means.database, "sessions.forget"))


async def _messages(means: Means, _: Lease) -> int:
    return await _until_none(lambda: forget(means.database))


async def _archive(means: Means, _: Lease) -> int:
    return await sweep(means.database, means.retention)


async def _jobs(means: Means, _: Lease) -> int:
    return await _until_none(lambda: _forget(means.database, "jobs.forget"))


async def _backups(means: Means, _: Lease) -> int:
    """It needs no lease: two that hold themselves for the one that does this meet at the folder's lock."""
    return await means.duty.act(means.database) if means.duty else 0


async def _until_none(some: Callable[[], Awaitable[int]]) -> int:
    done = 0
    while more := await some():
        done += more
    return done


async def _forget(database: Database, statement: str) -> int:
    async with database.transaction() as transaction:
        gone = await transaction.one(statement)
    return int(gone["count"]) if gone else 0


JOBS: Sequence[Job] = (
    Job("key-changes", "* * * * *", "tells how changes of keys ended that were cut off", _key_changes),
    Job("key-rotation", "*/5 * * * *", "rotates a key older than AOS_WEBHOOK_KEY_DAYS", _key_rotation),
    Job("idempotency-keys", "*/5 * * * *", "forgets keys older than a day", _idempotency_keys),
    Job("sessions", "*/10 * * * *", "forgets sessions of browsers that have ended", _sessions),
    Job("messages", "*/10 * * * *", "forgets messages older than 30 days", _messages),
    Job("archive", "41 * * * *", "moves what has been over for AOS_ARCHIVE_DAYS to the archive", _archive),
    Job("jobs", "17 * * * *", "forgets jobs that ended more than a day ago", _jobs),
)

BACKUPS = Job(
    "backups",
    "30 2 * * *",
    "makes and tries a backup; also what is asked for of backups",
    _backups,
    drain_s=2,
)


def jobs_of(backups: Backups) -> Sequence[Job]:
    """Those of a worker: one that has no folder for backups leaves them to others."""
    return JOBS if backups.path is None else (*JOBS, BACKUPS._replace(cron=backups.schedule))
