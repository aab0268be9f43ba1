"""`aos-server worker`."""

import asyncio
import os

import aos
from aos_server import logs
from aos_server.cli.answers import Answer
from aos_server.settings import read


def worker() -> Answer:
    """Deliver the outbox and sequence the audit log, until told to end. Any number may run at once."""
    from aos_server.jobs.worker import run_worker

    logs.configure(plain=False)
    asyncio.run(run_worker(read(os.environ, "worker")))
    return Answer(
        {"schema": "aos.worker/1", "aos_version": aos.__version__, "status": "ended"}, "ended as told"
    )
