"""A server with all limits and short deadlines, as a process of its own, so that its memory can be watched.

Its routes: `/` answers with the length of the body, `/slow` too late, `/large` with 50 MB.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aos_server.limits.body import BodyLimit, TimeLimit
from aos_server.limits.protocol import SETTINGS, GuardedProtocol

HEAD_S = 0.5
UPLOAD_S = 0.7
REQUEST_S = 1.0
WRITE_S = 0.5


class Hasty(GuardedProtocol):
    head_s = HEAD_S
    write_s = WRITE_S


async def length(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def slow(_: Request) -> Response:
    await asyncio.sleep(10)
    return PlainTextResponse("late")


async def large(_: Request) -> Response:
    return Response(bytes(50_000_000))


class Running:
    """The process; `memory_mb` is what it holds now."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.port = port
        self._process = process

    @property
    def memory_mb(self) -> float:
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * 4096 / 1e6


@contextmanager
def running() -> Iterator[Running]:
    words = [sys.executable, "-m", "tests.server.limits.guarded"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        yield Running(process, int(process.stdout.readline()))
        process.kill()


class _Announced(uvicorn.Server):
    def _log_started_message(self, listeners: object) -> None:
        (port,) = {socket.getsockname()[1] for listener in self.servers for socket in listener.sockets}
        print(port, flush=True)


if __name__ == "__main__":
    routes = [
        Route("/", length, methods=["GET", "POST"]),
        Route("/slow", slow),
        Route("/large", large),
    ]
    app = TimeLimit(BodyLimit(Starlette(routes=routes), upload_s=UPLOAD_S), REQUEST_S)
    settings = {**SETTINGS, "http": Hasty}
    _Announced(uvicorn.Config(app, port=0, log_config=None, access_log=False, **settings)).run()
