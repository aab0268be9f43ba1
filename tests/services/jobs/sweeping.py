"""A process that archives a row at a time, until it is killed: `python -m tests.services.jobs.sweeping URL`."""

import asyncio
import sys
from datetime import timedelta

from aos_server.db.pool import Database
from aos_server.services.archive import Retention, sweep
from aos_server.settings import Secret


async def main(url: str) -> None:
    async with Database.open(Secret(url), 1) as database:
        print("begun", flush=True)
        await sweep(database, Retention(timedelta(days=90)), limit=1)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
