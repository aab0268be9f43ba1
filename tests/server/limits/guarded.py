"""A server with all limits and short deadlines, as a process of its own, so that its memory can be watched.

Its paths: `/` answers with the length of the body, `/unread` does not wait for it, `/large` answers with 50 MB.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import Receive, Scope, Send

from aos_server.http.answers import Answer, send_answer
from aos_server.http.bodies import MAX_BODY_BYTES, read_body
from aos_server.http.edge import Edge
from aos_server.limits.protocol import SETTINGS, GuardedProtocol

HEAD_S = 0.5
UPLOAD_S = 0.7
WRITE_S = 0.5
LINGER_S = 0.5


class Hasty(GuardedProtocol):
    head_s = HEAD_S
    write_s = WRITE_S
    linger_s = LINGER_S


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    if scope["path"] == "/":
        body = await read_body(receive, dict(scope["headers"]), MAX_BODY_BYTES, UPLOAD_S)
        await send_answer(send, Answer(str(len(body)).encode()))
    else:
        await send_answer(send, Answer(bytes(50_000_000) if scope["path"] == "/large" else b""))


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
    settings = {**SETTINGS, "http": Hasty}
    _Announced(uvicorn.Config(Edge(app, ()), port=0, log_config=None, access_log=False, **settings)).run()
