"""uvicorn's HTTP protocol, with limits: it keeps neither a deadline nor a size for what comes before a body.

Run uvicorn with `uvicorn.Config(app, **SETTINGS)`.
"""

import re
import secrets
from asyncio import TimerHandle, Transport
from collections.abc import Mapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from aos.errors import AosError
from aos_server.limits.answers import raw
from aos_server.limits.ending import Ending
from aos_server.limits.sizes import LINGER_S, MAX_HEAD_BYTES, MAX_HEAD_S, MAX_HEADERS, MAX_WRITE_S
from aos_server.logs import tell_request
from aos_server.metrics import REQUESTS

__all__ = ["SETTINGS", "GuardedProtocol"]


class GuardedProtocol(HttpToolsProtocol):
    """Answers what is no proper request with a problem, and cuts off whoever sends or reads too slowly.

    A head (request line and headers) has `head_s` seconds, counted from the moment of connection or, on a connection
    that is kept, from the first byte. An answer that does not wait for the body says that it ends the connection, and
    does.
    """

    head_s = MAX_HEAD_S
    write_s = MAX_WRITE_S
    linger_s = LINGER_S

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._in_head = True
        self._head_bytes = 0
        self._unparsed_bytes = 0
        self._head_timer: TimerHandle | None = None
        self._write_timer: TimerHandle | None = None
        self._refusal: AosError | None = None
        self._kept = True

    # -- what comes in -----------------------------------------------------------------------------------

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport = self._ending = Ending(transport, self.loop, self.linger_s)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        _cancel(self._head_timer)
        _cancel(self._write_timer)
        self._ending.ended()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._in_head:
            self._expect_head()  # also where nothing but line breaks comes, which the parser does not mention
        self._unparsed_bytes += len(data)
        super().data_received(data)
        # The parser tells of a header, or a trailer, when it has all of it, and keeps it in memory until then.
        if self._unparsed_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(_HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(len(name) + len(value) + 4)
        if len(self.headers) > MAX_HEADERS:
            raise self._because(_too_many_headers())

    def on_headers_complete(self) -> None:
        if ambiguous := _read_twice(self.url, self.headers, self.parser.get_http_version()):
            raise self._because(_malformed(ambiguous))
        self._in_head = False
        self._unparsed_bytes = 0
        _cancel(self._head_timer)
        self._head_timer = None
        super().on_headers_complete()
        # Until the body is here an answer can only be the last one: what is left of it would be read as a request.
        self._ending.unread = True
        self._kept, self.cycle.keep_alive = self.cycle.keep_alive, False

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._unparsed_bytes = 0

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._unparsed_bytes = 0
        self._ending.unread = False
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._kept

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            raise self._because(_HEAD_TOO_LARGE)

    def _because(self, error: AosError) -> AosError:
        """Remember why; the parser turns whatever a callback raises into an error of its own."""
        self._refusal = error
        return error

    def shutdown(self) -> None:
        self._kept = False
        super().shutdown()

    # -- what goes out -----------------------------------------------------------------------------------

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls where the parser gives up."""
        self._refuse(self._refusal or _malformed("this is not a proper HTTP/1.1 request"))

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        _cancel(self._write_timer)
        self._write_timer = None

    def _refuse(self, error: AosError) -> None:
        """Answer and hang up; only hang up where an earlier request waits, or its answer has begun."""
        cycle: RequestResponseCycle | None = self.cycle
        open_cycle = cycle is not None and not cycle.response_complete
        if cycle is None or not open_cycle or not (self._in_head or cycle.response_started):
            self.transport.write(self._refused(error))
        if cycle is not None:
            cycle.disconnected = True
        self._ending.unread = True
        self.transport.close()

    def _refused(self, error: AosError) -> bytes:
        """The answer to what never becomes a request: like those that do, it has an id, is counted and told."""
        request_id, (client, _) = secrets.token_hex(8), self.client or (None, 0)
        REQUESTS.labels("other", "none", error.row.status).inc()
        tell_request(request_id, error.row.status, client, code=error.code)
        return raw(error, request_id)

    # -- deadlines ---------------------------------------------------------------------------------------

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_s, self._head_is_late)

    def _head_is_late(self) -> None:
        if not self.transport.is_closing():
            self._refuse(AosError("request_too_slow", f"the headers took more than {self.head_s:g} s"))


SETTINGS: Mapping[str, Any] = {
    "http": GuardedProtocol,
    "loop": "uvloop",
    "ws": "none",
    "server_header": False,
    "timeout_keep_alive": 5,
}
"""What uvicorn has to be told for these limits to hold."""


def _cancel(timer: TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


def _read_twice(target: bytes, headers: list[tuple[bytes, bytes]], version: str) -> str | None:
    """What two servers could read differently in the head of a request; None: nothing."""
    names = [name for name, _ in headers]
    framed = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    if framed and b"content-length" in names:
        return "Content-Length and Transfer-Encoding together"
    if framed and (framed != [b"chunked"] or version != "1.1"):
        return "Transfer-Encoding can only be chunked, and in HTTP/1.1"
    hosts = [value for name, value in headers if name == b"host"]
    # Probes of balancers speak HTTP/1.0, and name none.
    if len(hosts) > 1 or (not hosts and version == "1.1"):
        return "a request has exactly one Host"
    if b"#" in target:
        return "the address has a fragment, which is never sent"
    if not target.startswith((b"/", b"*")) and [_authority(target)] != [host.lower() for host in hosts]:
        return "the address names another host than Host does"
    return None


def _authority(url: bytes) -> bytes:
    """The host and port of an address in absolute form (RFC 9112, 3.2.2)."""
    return re.split(rb"[/?]", url.partition(b"://")[2], maxsplit=1)[0].lower()


def _malformed(detail: str) -> AosError:
    return AosError("bad_http", detail)


def _too_many_headers() -> AosError:
    return AosError("head_too_large", f"more than {MAX_HEADERS} headers")


_HEAD_TOO_LARGE = AosError(
    "head_too_large", f"request line and headers have more than {MAX_HEAD_BYTES:,} bytes"
)
