"""What `serve` and `dev` share: uvicorn with our limits, and a word when it is ready."""

import asyncio
import logging
import multiprocessing
import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import HANDLED_SIGNALS
from uvicorn.supervisors import Multiprocess

from aos.errors import AosError, Exit
from aos_server.limits.leaving import LeavingProtocol
from aos_server.limits.protocol import SETTINGS
from aos_server.settings import Settings

__all__ = ["DRAIN_S", "check_free", "one_of_several", "serve", "serve_by"]

_log = logging.getLogger(__name__)

DRAIN_S = 25
"""How long requests that are being answered have at the end."""

Announce = Callable[[str], None]


def serve(app: Any, settings: Settings, announce: Announce) -> int:
    """Serve until a signal says to end, then let what is being answered be answered. Returns the exit status."""
    with _listening(settings) as (listener, address):
        server = _Announcing(uvicorn.Config(app, **_options()), lambda: announce(address))
        server.run(sockets=[listener])
    if server.ended_by is not None:
        return 128 + server.ended_by
    return Exit.YES if server.started else Exit.INTERNAL


def serve_by(processes: int, settings: Settings, announce: Announce) -> int:
    """The same by several processes, each with an application of its own; one that dies is replaced.

    Where one can't even start, all end: the status is then that of a failure.
    """
    with _listening(settings) as (listener, address):
        factory = f"{__name__}:one_of_several"
        config = uvicorn.Config(factory, factory=True, workers=processes, **_options())
        announce(address)
        supervisor = _Supervisor(config, [listener])
        try:
            supervisor.run()
        finally:
            # After a fault of ours nobody else would end them, and they are waited for.
            for process in supervisor.processes:
                process.kill()
    return Exit.INTERNAL if supervisor.ended_by is None else 128 + supervisor.ended_by


def one_of_several() -> ASGIApp:
    """What uvicorn calls in each of its processes. Who started them may be killed: then they end as by SIGTERM."""
    from aos_server.app import from_environment

    def follow() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()  # a pipe that the kernel closes, whatever the parent died of
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, daemon=True).start()
    # The socket was passed to us; what we start must not go on listening.
    for path in Path("/dev/fd").iterdir():
        with suppress(OSError):
            os.set_inheritable(int(path.name), int(path.name) < 3)
    return from_environment()


def _options() -> dict[str, Any]:
    return {
        **SETTINGS,
        "http": LeavingProtocol,
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "timeout_graceful_shutdown": DRAIN_S,
    }


def check_free(settings: Settings) -> None:
    """Raise AosError(port_taken) where `serve` could not listen now."""
    with _listening(settings):
        pass


@contextmanager
def _listening(settings: Settings) -> Iterator[tuple[socket.socket, str]]:
    """The socket to be served and its address. Raises AosError(port_taken)."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server(
            (settings.host.strip("[]"), settings.port), family=family, backlog=2048
        )
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise AosError("port_taken", f"can't listen at {where}: {error.strerror}") from None
    with listener:
        host, port = listener.getsockname()[:2]
        yield listener, f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Supervisor(Multiprocess):
    """Remembers the signal that ended it. Once it ends, nobody can connect, as long as others are being answered."""

    ended_by: int | None = None

    def keep_subprocess_alive(self) -> None:
        """As uvicorn does it, and says so: who looks for what was not answered has to find it."""
        before = list(self.processes)
        super().keep_subprocess_alive()
        for dead, new in zip(before, self.processes, strict=True):
            if dead is not new:
                told = {"pid": dead.pid, "exit": dead.exitcode, "replaced_by": new.pid}
                _log.error("a process died or hung, and another takes its place", extra=told)

    def terminate_all(self) -> None:
        _log.info("ending", extra={"signal": self.ended_by})
        for listener in self.sockets:
            listener.close()
        super().terminate_all()

    def handle_int(self) -> None:
        self.ended_by = signal.SIGINT
        super().handle_int()

    def handle_term(self) -> None:
        self.ended_by = signal.SIGTERM
        super().handle_term()


class _Announcing(uvicorn.Server):
    """Says when it is ready, and remembers the signal that ended it."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce
        self.ended_by: int | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.ended_by = sig
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn does it, except that the signal is not raised again: others have something to close, too."""
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, after those were let in who had connected already: else they would be reset."""
        _log.info("ending", extra={"signal": self.ended_by})
        while not self.force_exit and select.select(sockets or [], [], [], 0)[0]:
            await asyncio.sleep(0)
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()
