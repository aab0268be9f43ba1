"""`aos-server worker`."""

import asyncio
import logging
import os

import aos
from aos_server.cli.answers import Answer
from aos_server.settings import read


def worker() -> Answer:
    """Deliver the outbox and sequence the audit log, until told to end. Any number may run at once."""
    from aos_server.jobs.worker import run_worker

    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    asyncio.run(run_worker(read(os.environ, "worker")))
    return Answer(
        {"schema": "aos.worker/1", "aos_version": aos.__version__, "status": "ended"}, "ended as told"
    )
