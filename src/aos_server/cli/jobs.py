"""`aos-server jobs`: what workers do by the clock."""

import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

from typer import Argument

from aos.errors import AosError
from aos.wire.results.documents import envelope
from aos_server.cli.answers import Answer
from aos_server.cli.groups import group
from aos_server.cli.serving.starting import fit

if TYPE_CHECKING:
    from aos_server.db.pool import Database
    from aos_server.jobs.periodic import Job
    from aos_server.jobs.standing import Standing

__all__ = ["jobs"]
T = TypeVar("T")
_HEAD = "job               cron          next         last success    now"

jobs = group("What workers do by the clock. Needs the settings of `worker`.")


@jobs.command("list", epilog="Example:  aos-server jobs list --json")
def list_() -> Answer:
    """Every job: when it is due, what it does now, when it last succeeded. Times are UTC."""
    from aos_server.jobs.standing import standing

    found = _asked(lambda database, jobs: standing(database, jobs, datetime.now(UTC)))
    document = {
        **envelope("aos.jobs/1"),
        "jobs": [one.document() for one in found],
        "count": len(found),
    }
    return Answer(document, "\n".join([_HEAD, *(_line(one) for one in found)]))


@jobs.command(epilog="Example:  aos-server jobs run messages")
def run(job: Annotated[str, Argument(metavar="JOB", help="Its name, as `jobs list` shows it.")]) -> Answer:
    """Have a job done now, by any worker. One that waits already is not ordered twice."""
    from aos_server.jobs.runner import order

    async def act(database: "Database", jobs: "Sequence[Job]") -> bool:
        wanted = next((one for one in jobs if one.name == job), None)
        if wanted is None:
            raise AosError("bad_value", f"JOB is one of {', '.join(one.name for one in jobs)}")
        return await order(database, wanted)

    ordered = _asked(act)
    document = {**envelope("aos.job-order/1"), "job": job, "ordered": ordered}
    return Answer(
        document, f"{job} is done by the next worker that looks" if ordered else f"{job} waits already"
    )


def _asked(act: "Callable[[Database, Sequence[Job]], Awaitable[T]]") -> T:
    import asyncio

    from aos_server.db.pool import Database
    from aos_server.jobs.periodic import jobs_of

    settings = fit(os.environ, "worker", waits=False)

    async def main() -> T:
        async with Database.open(settings.database.url, 1) as database:
            return await act(database, jobs_of(settings.backups))

    return asyncio.run(main())


def _line(one: "Standing") -> str:
    last = one.succeeded_at.strftime("%m-%d %H:%M:%S") if one.succeeded_at else "never"
    now = "running" if one.running else "waits" if one.waiting else "late" if one.late else "rests"
    failed = f", failed {one.failed}x this week" if one.failed else ""
    return f"{one.job.name:17} {one.job.cron:13} {one.next_at:%m-%d %H:%M}  {last:15} {now}{failed}"
