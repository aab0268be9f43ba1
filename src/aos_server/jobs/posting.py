"""One POST to a webhook: bounded in time and size, to an address that was checked, and to nowhere else.

Each try looks the name up, checks every address and connects to one of those, over a connection of its own. Nothing
comes from the environment, no redirect is followed, and nothing that comes back is unpacked.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeAlias

import httpcore

import aos
from aos.errors import AosError
from aos.runtime.guards import GuardError
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
    except httpcore.RemoteProtocolError as error:
        closed = "disconnected" in str(error)  # httpcore has one class for both
        tried = Try(0, code="CONNECTION" if closed else "BAD_REPLY", detail=f"no valid HTTP answer: {error}")
    except (httpcore.NetworkError, httpcore.TimeoutException, OSError) as error:
        tried = Try(0, code="CONNECTION", detail=f"the connection broke: {error}")
    detail = None if tried.detail is None else visible(tried.detail, 200)
    return tried._replace(ms=int((time.monotonic() - began) * 1000), detail=detail)


async def _exchange(network: Network, target: Target, headers: Mapping[str, str], body: bytes) -> Try:
    url = httpcore.URL(
        scheme=b"https" if target.secure else b"http",
        host=target.host.encode(),
        port=target.port,
        target=target.path,
    )
    ours = {
        "host": target.authority,
        "user-agent": f"aos/{aos.__version__}",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "accept-encoding": "identity",
        "connection": "close",
    }
    request = httpcore.Request("POST", url, headers=list({**ours, **headers}.items()), content=body)
    stream = await _connected(network, target)
    connection = httpcore.AsyncHTTP11Connection(url.origin, stream)
    try:
        response = await connection.handle_async_request(request)
        return _judged(response, await _beginning(response))
    finally:
        await stream.aclose()


async def _connected(network: Network, target: Target) -> httpcore.AsyncNetworkStream:
    """A stream to one of the addresses that the host has, each of which was checked; tried in their order."""
    found = await addresses(network, target, RESOLVE_S)
    share = (TOTAL_S - 1) / len(found)
    for place, address in enumerate(found, 1):
        try:
            stream = await httpcore.AnyIOBackend().connect_tcp(address, target.port, timeout=share)
            break
        except (httpcore.ConnectError, httpcore.ConnectTimeout):
            if place == len(found):
                raise
    if not target.secure:
        return stream
    try:
        return await stream.start_tls(network.tls or usual_tls(), server_hostname=target.host)
    except BaseException:
        await stream.aclose()
        raise


async def _beginning(response: httpcore.Response) -> str:
    """How the body begins, as it came; what breaks or takes long there changes nothing any more."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for piece in response.aiter_stream():
                body += piece
                if len(body) >= MAX_REPLY:
                    break
    except (TimeoutError, httpcore.ProtocolError, httpcore.NetworkError):
        pass
    return visible(body[: 4 * _KEPT].decode("utf-8", "replace"), _KEPT)


def _judged(response: httpcore.Response, reply: str) -> Try:
    status = response.status
    if 200 <= status < 300:
        return Try(0, status, reply=reply)
    code = _NAMED.get(status) or _CLASSES.get(status // 100, "BAD_REPLY")
    wait = _retry_after(_header(response, b"retry-after")) if code in _WAITS else None
    detail = "redirects are not followed" if code == "REDIRECT" else None
    return Try(0, status, code, detail, reply, wait)


_NAMED = {410: "GONE", 429: "RATE_LIMITED", 503: "OVERLOADED"}
_CLASSES = {3: "REDIRECT", 4: "HTTP_4XX", 5: "HTTP_5XX"}
_WAITS = ("RATE_LIMITED", "OVERLOADED")


def _header(response: httpcore.Response, wanted: bytes) -> bytes:
    return next((value for name, value in response.headers if name.lower() == wanted), b"")


def _retry_after(value: bytes) -> float | None:
    """Seconds from now (RFC 9110, 10.2.3); None where it says nothing that can be read."""
    text = value.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
        return max(0.0, (at.astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None
