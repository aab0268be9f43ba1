"""How it stands with periodic jobs, for those who operate workers and for Prometheus."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import nan
from typing import Any, NamedTuple

from aos_server.db.pool import Database, Row
from aos_server.jobs.periodic import Job
from aos_server.metrics import JOB_PERIOD, JOB_SUCCEEDED

__all__ = ["Standing", "measure", "standing"]


class Standing(NamedTuple):
    """A job at an instant. `failed` counts the runs of this week that were given up; a retry is none of them."""

    job: Job
    next_at: datetime
    period_s: float
    succeeded_at: datetime | None
    failed: int
    running: bool
    waiting: bool
    late: bool

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "name": self.job.name,
            "cron": self.job.cron,
            "purpose": self.job.purpose,
            "period_s": self.period_s,
            "next_at": self.next_at.isoformat(),
            "last_success_at": self.succeeded_at and self.succeeded_at.isoformat(),
            "failed": self.failed,
            "running": self.running,
            "waiting": self.waiting,
            "late": self.late,
        }


async def standing(database: Database, jobs: Sequence[Job], now: datetime) -> list[Standing]:
    """How it stands with each of them, whichever worker does it. Raises AosError(unavailable)."""
    (rows,) = await database.read(("jobs.standing", {}))
    found = {row["name"]: row for row in rows}
    return [_standing(job, found.get(job.name, {}), now) for job in jobs]


async def measure(database: Database, jobs: Sequence[Job]) -> int:
    """Tell when each job last succeeded, whichever worker did it. Returns 0: to be asked again later."""
    for one in await standing(database, jobs, datetime.now(UTC)):
        JOB_SUCCEEDED.labels(one.job.name).set(one.succeeded_at.timestamp() if one.succeeded_at else nan)
        JOB_PERIOD.labels(one.job.name).set(one.period_s)
    return 0


def _standing(job: Job, row: Row, now: datetime) -> Standing:
    succeeded, period = row.get("succeeded_at"), job.period_s(now)
    late = succeeded is not None and (now - succeeded).total_seconds() > 2 * period
    counts = row.get("failed", 0), row.get("running", False), row.get("waiting", False)
    return Standing(job, job.next(now), period, succeeded, *counts, late)
