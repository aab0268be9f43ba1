"""`aos-server serve`."""

import os
import sys
import tempfile
from typing import Annotated

from typer import Option

import aos
from aos_server.cli.starting import fit


def serve(
    processes: Annotated[
        int, Option(min=1, max=64, metavar="N", help="How many processes answer requests.")
    ] = 1,
) -> int:
    """Answer requests, with settings from the environment; refuse to start where `check` finds something unsafe.

    A database that does not answer is waited for: until it does, requests get 503.

    SIGTERM lets what is being answered be answered, for 25 seconds at most.
    """
    settings = fit(os.environ, "serve")
    with tempfile.TemporaryDirectory(prefix="aos-metrics-") as folder:
        if processes > 1:  # before the metrics are imported, which then are kept there and added up
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
        from aos_server.cli import serving

        def announce(address: str) -> None:
            print(f"aos-server {aos.__version__} at {address}", file=sys.stderr, flush=True)

        if processes > 1:
            return serving.serve_by(processes, "aos_server.app:from_environment", settings, announce)
        from aos_server.app import served

        return serving.serve(served(settings), settings, announce)
