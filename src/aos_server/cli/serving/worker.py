"""`aos-server worker`."""

import os

from aos.errors import AosError
from aos.wire.results.documents import envelope
from aos_server import logs
from aos_server.cli.answers import Answer
from aos_server.cli.serving.starting import fit
from aos_server.settings import Settings


def worker() -> Answer:
    """Deliver messages and sequence the audit log, until told to end. Any number may run at once."""
    import asyncio

    from aos_server.jobs.worker import run_worker

    logs.configure(plain=False)
    settings = fit(os.environ, "worker")
    if settings.worker_port:
        _tell_metrics(settings)
    asyncio.run(run_worker(settings))
    return Answer({**envelope("aos.worker/1"), "status": "ended"}, "ended as told")


def _tell_metrics(settings: Settings) -> None:
    """Answer Prometheus, in a thread. Raises AosError(port_taken)."""
    from prometheus_client import start_http_server

    try:
        start_http_server(settings.worker_port, settings.host.strip("[]"))
    except OSError as error:
        where = f"{settings.host}:{settings.worker_port}"
        raise AosError("port_taken", f"can't listen at {where}: {error.strerror}") from None
