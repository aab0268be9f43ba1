"""`aos-server serve`."""

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

from typer import Option

import aos
from aos_server import logs
from aos_server.cli.serving.starting import fit

_METRICS = "aos-metrics-"
_log = logging.getLogger(__name__)


def serve(
    processes: Annotated[
        int, Option(min=1, max=64, metavar="N", help="How many processes answer requests.")
    ] = 1,
) -> int:
    """Answer requests, with settings from the environment; refuse to start where `check` finds something unsafe.

    A database that does not answer is waited for: until it does, requests get 503.

    SIGTERM lets what is being answered be answered, for 25 seconds at most.
    """
    logs.configure(plain=False)
    settings = fit(os.environ, "serve")

    def announce(address: str) -> None:
        _log.info("listening", extra={"url": address, "aos_version": aos.__version__})

    if processes > 1:
        with _metrics() as folder:  # before the metrics are imported, which then are kept there and added up
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
            from aos_server.cli.serving import listening

            return listening.serve_by(processes, settings, announce)
    from aos_server.app import served
    from aos_server.cli.serving import listening

    return listening.serve(served(settings), settings, announce)


@contextmanager
def _metrics() -> Iterator[str]:
    """A folder that is locked as long as it is used; those that nobody holds any more are removed."""
    for path in Path(tempfile.gettempdir()).glob(f"{_METRICS}*"):
        with suppress(OSError), _locked(path):
            shutil.rmtree(path)
    with tempfile.TemporaryDirectory(prefix=_METRICS, ignore_cleanup_errors=True) as folder, _locked(folder):
        yield folder


@contextmanager
def _locked(folder: str | Path) -> Iterator[None]:
    """Raises OSError where somebody else holds it, or where it belongs to another user."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
