"""A worker with jobs of the tests, as a process: `worker URL FOLDER DRAIN_S JOBS_DRAIN_S`.

`tick` is due each second. `slow` is ordered; it makes a file in `FOLDER/leases`, waits until there is `FOLDER/gate` or
one of its lease, fails where there is `FOLDER/broken`, and asks about its lease where there is `FOLDER/outside`.
`FOLDER/told` has a line for what each of them did, and which process it was.
"""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from aos.errors import AosError
from aos_server import logs
from aos_server.db.pool import Database
from aos_server.jobs.lease import Lease
from aos_server.jobs.periodic import DRAIN_S, Job, Means
from aos_server.jobs.runner import Pace, reap, run_jobs
from aos_server.keystores.file import FileBackend
from aos_server.settings import Secret

SILENT_S = 3.0


def tell(folder: Path, what: str) -> None:
    with (folder / "told").open("a") as told:
        told.write(f"{what} {os.getpid()}\n")


def jobs(folder: Path, drain_s: float = DRAIN_S) -> tuple[Job, Job]:
    async def tick(means: Means, lease: Lease) -> int:
        tell(folder, "tick")
        return 1

    async def slow(means: Means, lease: Lease) -> int:
        (folder / "leases").mkdir(exist_ok=True)
        (folder / "leases" / lease.name).touch(exist_ok=False)
        tell(folder, "began")
        while not any((folder / name).exists() for name in ("gate", f"gate of {lease.name}")):
            await asyncio.sleep(0.1)
        if (folder / "broken").exists():
            raise RuntimeError("a fault of ours")
        tell(folder, "ended")
        if (folder / "outside").exists():
            async with means.database.transaction() as transaction:
                tell(folder, "held" if await lease.holds(transaction) else "lost")
        return 1

    return Job("tick", "* * * * * *", "", tick), Job("slow", "0 0 29 2 *", "", slow, drain_s)


async def main(url: str, folder: Path, drain_s: float, jobs_drain_s: float) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    pace = Pace(poll_s=0.2, heartbeat_s=0.5, drain_s=drain_s, silent_s=SILENT_S)
    async with Database.open(Secret(url), 4, deadline_s=2) as database, asyncio.TaskGroup() as group:
        means = Means(database, FileBackend(folder / "keys"), None)
        group.create_task(run_jobs(jobs(folder, jobs_drain_s), means, stop, pace))
        while not stop.is_set():
            with suppress(AosError):
                await reap(database, SILENT_S)
            await asyncio.sleep(0.2)


if __name__ == "__main__":
    logs.configure(plain=True)
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), *map(float, sys.argv[3:])))
