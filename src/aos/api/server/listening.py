"""A receiver of webhooks on this machine, for who writes one or wants to see what arrives."""

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, ClassVar

from aos.errors import AosError
from aos.files.sources import stdin
from aos.sdk.client import Client
from aos.webhooks import SignatureError, verify
from aos.webhooks.signatures import check_secret

__all__ = ["MAX_BODY", "listening", "secrets_in", "secrets_of"]

MAX_BODY = 64 * 1024
"""Bytes of a message; what we send has fewer."""

_PATIENCE_S = 10.0


def secrets_in(path: Path) -> list[str]:
    """The secrets of a file, one a line; `-` is standard input. Raises AosError: unreadable, bad_value."""
    try:
        text = stdin().read(MAX_BODY).decode() if str(path) == "-" else path.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise AosError("unreadable", f"{path}: {why}") from None
    found = text.split()
    for number, one in enumerate(found, 1):
        try:
            check_secret(one)
        except ValueError:
            raise AosError("bad_value", f"{path}: secret {number} is none: they begin with whsec_") from None
    if not found:
        raise AosError("bad_value", f"{path} has no secret in it")
    return found


def secrets_of(client: Client, webhook: str) -> list[str]:
    """The secrets of a webhook that sign now, as its server says."""
    return [str(one["secret"]) for one in client.webhook_secret(webhook)["secrets"]]


@contextmanager
def listening(
    port: int, secrets: Sequence[str], most: int | None = None
) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    """The address, and what arrives there, each with `verified`: None where there is no secret to verify with.

    It ends after `most` messages. Raises AosError(port_taken).
    """
    arrived: SimpleQueue[dict[str, Any]] = SimpleQueue()

    class Receiver(_Receiver):
        live = secrets
        put = staticmethod(arrived.put)

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Receiver)
    except OSError as error:
        raise AosError("port_taken", f"can't listen at port {port}: {error.strerror}") from None
    server.daemon_threads = True
    with server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", _arriving(arrived, most)
        finally:
            server.shutdown()


def _arriving(arrived: SimpleQueue[dict[str, Any]], most: int | None) -> Generator[dict[str, Any]]:
    for _ in count() if most is None else range(most):
        yield arrived.get()


class _Receiver(BaseHTTPRequestHandler):
    """One message: read, verified, answered, and handed on to `put`."""

    live: ClassVar[Sequence[str]]
    put: ClassVar[Any]
    timeout = _PATIENCE_S

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY:
            self._answer(413, f"the body must say its length, at most {MAX_BODY} bytes")
            return
        body = self.rfile.read(int(length))
        said: dict[str, Any] = {"verified": None, "code": None, "detail": None}
        status = 204
        if self.live:
            said["verified"] = True
            try:
                verify(self.headers.items(), body, self.live, datetime.now(UTC))
            except SignatureError as error:
                said, status = (
                    {"verified": False, "code": error.code, "detail": error.detail},
                    error.row.status,
                )
        self._answer(status, said["detail"] or "")
        self.put(
            {
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "path": self.path,
                "message_id": self.headers.get("webhook-id"),
                **said,
                "message": _parsed(body),
            }
        )

    def _answer(self, status: int, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing but what was received."""


def _parsed(body: bytes) -> Any:
    """A body of JSON as it is meant, any other as text."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
