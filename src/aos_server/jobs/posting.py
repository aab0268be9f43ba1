"""One POST to a webhook: bounded in time and size, to an address that was checked, and to nowhere else.

Each try looks the name up, checks every address and connects to one of those, over a connection of its own. Nothing
comes from the environment, no redirect is followed, and nothing that comes back is unpacked.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TypeAlias

import h11

import aos
from aos.errors import AosError
from aos.runtime.guards import GuardError
from aos.runtime.guards.fields import retry_after_ms
from aos.runtime.guards.network import Network, usual_tls
from aos.wire.problems import visible
from aos_server.services.webhooks.queue import Try
from aos_server.services.webhooks.targets import RESOLVE_S, Target, addresses, target_of

__all__ = ["BODY_S", "MAX_REPLY", "TOTAL_S", "Post", "post"]

TOTAL_S = 15.0
"""What a try may take, from looking up the name to the last byte that is read."""
BODY_S = 2.0
"""How long the body of an answer is waited for: its status has said what matters."""
MAX_REPLY = 64 * 1024
"""How much of it is read."""
MAX_HEAD = 16 * 1024
_PIECE = 16 * 1024
_KEPT = 500
"""How much of it is kept, in characters."""

Post: TypeAlias = Callable[[Network, str, Mapping[str, str], bytes], Awaitable[Try]]
"""Network, URL, headers and body to what became of it. It raises nothing."""


async def post(
    network: Network, url: str, headers: Mapping[str, str], body: bytes, total_s: float = TOTAL_S
) -> Try:
    """Send it once. 2xx has arrived; whatever else happens is the `code` of the try."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(total_s):
            tried = await _exchange(network, target_of(url, network), headers, body)
    except TimeoutError:
        tried = Try(0, code="TIMEOUT", detail=f"no answer within {total_s:g} s")
    except AosError as error:
        tried = Try(0, code="ADDRESS_REFUSED", detail=error.detail)
    except GuardError as error:
        refused = error.code == "ADDRESS_REFUSED"
        tried = Try(
            0, code=error.code, detail="the host is not on the public internet" if refused else error.detail
        )
    except h11.RemoteProtocolError as error:
        tried = Try(0, code="BAD_REPLY", detail=f"no valid HTTP answer: {error}")
    except OSError as error:  # TLS among it
        tried = Try(0, code="CONNECTION", detail=f"the connection broke: {error}")
    detail = None if tried.detail is None else visible(tried.detail, 200)
    return tried._replace(ms=int((time.monotonic() - began) * 1000), detail=detail)


async def _exchange(network: Network, target: Target, headers: Mapping[str, str], body: bytes) -> Try:
    ours = {
        "host": target.authority,
        "user-agent": f"aos/{aos.__version__}",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "accept-encoding": "identity",
        "connection": "close",
    }
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
    request = h11.Request(method=b"POST", target=target.path, headers=list({**ours, **headers}.items()))
    parts = [http.send(event) for event in (request, h11.Data(body), h11.EndOfMessage())]
    reader, writer = await _connected(network, target)
    try:
        writer.write(b"".join(part for part in parts if part))
        await writer.drain()
        response = await _head(http, reader)
        return _judged(response, await _beginning(http, reader))
    finally:
        writer.transport.abort()


async def _connected(network: Network, target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to one of the addresses that the host has, each of which was checked; tried in their order."""
    found = await addresses(network, target, RESOLVE_S)
    tls = (network.tls or usual_tls()) if target.secure else None
    name = target.host if target.secure else None
    for place, address in enumerate(found, 1):
        try:
            async with asyncio.timeout((TOTAL_S - 1) / len(found)):
                return await asyncio.open_connection(address, target.port, ssl=tls, server_hostname=name)
        except (TimeoutError, OSError):
            if place == len(found):
                raise
    raise AssertionError("a host has an address, or the guard has said that it has none")


async def _head(http: h11.Connection, reader: asyncio.StreamReader) -> h11.Response:
    """The status and headers; interim answers (1xx) are passed over. Raises ConnectionError where none comes."""
    while True:
        event = await _next(http, reader)
        if isinstance(event, h11.Response):
            return event
        if isinstance(event, h11.ConnectionClosed):
            raise ConnectionError("the other side closed before it answered")


async def _beginning(http: h11.Connection, reader: asyncio.StreamReader) -> str:
    """How the body begins, as it came; what breaks or takes long there changes nothing any more."""
    body = bytearray()
    with suppress(TimeoutError, h11.RemoteProtocolError, OSError):
        async with asyncio.timeout(BODY_S):
            while len(body) < MAX_REPLY and isinstance(event := await _next(http, reader), h11.Data):
                body += event.data
    return visible(body[: 4 * _KEPT].decode("utf-8", "replace"), _KEPT)


async def _next(http: h11.Connection, reader: asyncio.StreamReader) -> object:
    while (event := http.next_event()) is h11.NEED_DATA:
        data = await reader.read(_PIECE)
        if not data and http.their_state is h11.SEND_RESPONSE:
            raise ConnectionError("the other side closed before its answer was complete")
        http.receive_data(data)
    return event


def _judged(response: h11.Response, reply: str) -> Try:
    status = response.status_code
    if 200 <= status < 300:
        return Try(0, status, reply=reply)
    code = _NAMED.get(status) or _CLASSES.get(status // 100, "BAD_REPLY")
    stated = dict(response.headers).get(b"retry-after", b"") if code in _WAITS else b""
    wait_ms = retry_after_ms(stated.decode("latin-1"))
    detail = "redirects are not followed" if code == "REDIRECT" else None
    return Try(0, status, code, detail, reply, wait_ms and wait_ms / 1000)


_NAMED = {410: "GONE", 429: "RATE_LIMITED", 503: "OVERLOADED"}
_CLASSES = {3: "REDIRECT", 4: "HTTP_4XX", 5: "HTTP_5XX"}
_WAITS = ("RATE_LIMITED", "OVERLOADED")
