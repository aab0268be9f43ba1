"""Servers on this machine that answer as a test says."""

import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Received(NamedTuple):
    """A request as it came in; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Part = bytes | float
"""Bytes to send, or seconds to wait; a server that stops early sends no more."""

Answers = Callable[[Received], list[Part]]


class HttpServer:
    """Reads one request per connection, sends what `answers` says, and closes. `received` has all requests."""

    def __init__(self, answers: Answers, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        seen = self.received
        stopped = threading.Event()

        class Handler(socketserver.StreamRequestHandler):
            def setup(self) -> None:
                if tls:
                    self.request = tls.wrap_socket(self.request, server_side=True)
                super().setup()

            def finish(self) -> None:
                super().finish()
                self.request.close()

            def handle(self) -> None:
                try:
                    request = _read(self.rfile)
                    seen.append(request)
                    for part in answers(request):
                        if isinstance(part, bytes):
                            self.wfile.write(part)
                        else:
                            stopped.wait(part)
                except (OSError, ValueError):
                    pass  # the client has gone

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, request: Any, address: Any) -> None:
                pass  # a client that does not trust us ends the handshake

        self._server = Server(("127.0.0.1", 0), Handler)
        self._stopped = stopped
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    def close(self) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()


def _read(stream) -> Received:
    method, target, _ = stream.readline().decode("latin-1").split(" ", 2)
    headers = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Received(method, target, headers, stream.read(int(headers.get("content-length", 0))))


@contextmanager
def serving(answers: Answers, tls: ssl.SSLContext | None = None) -> Iterator[HttpServer]:
    server = HttpServer(answers, tls)
    try:
        yield server
    finally:
        server.close()


def reply(body: bytes | str = b"", status: str = "200 OK", **headers: str) -> bytes:
    """A whole answer; `content_type="…"` sets Content-Type."""
    data = body.encode() if isinstance(body, str) else body
    named = {
        "content-length": str(len(data)),
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in named.items()), "", ""]
    return "\r\n".join(lines).encode() + data


def soon(condition: Callable[[], bool], within_s: float = 5) -> bool:
    """Whether the condition comes true in time."""
    ends = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.005)
    return True
