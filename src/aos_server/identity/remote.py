"""The one door from identity to other services: short, bounded, without redirects and without proxies."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import httpx

from aos.errors import AosError
from aos.wire.strict import Json, parse

__all__ = ["RETRY_AFTER_S", "Remote", "Reply", "unavailable"]

MAX_REPLY_BYTES = 256 * 1024
RETRY_AFTER_S = 2.0
"""What a client that got 503 is told to wait."""


class Reply(NamedTuple):
    """What another service answered: a status and, where it is 200, a JSON document."""

    status: int
    document: Json


def unavailable(what: str, why: str) -> AosError:
    """The 503 where nobody can say who somebody is, or what they may do. `what` is the service, in two words."""
    return AosError("auth_unavailable", f"{what}: {why}", retry_after_s=RETRY_AFTER_S)


class Remote:
    """A pool of connections. Everything it raises is AosError(auth_unavailable), within `timeout_s`.

    `transport` takes the network's place in tests.
    """

    def __init__(self, timeout_s: float = 5.0, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            timeout=timeout_s,
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=50, max_keepalive_connections=10, keepalive_expiry=5),
        )

    async def get(self, what: str, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        """GET a JSON document from the service called `what`."""
        return await self._send(what, self._client.build_request("GET", url, headers=_accept(headers)))

    async def post(
        self, what: str, url: str, form: Mapping[str, str], client: tuple[str, str] | None = None
    ) -> Reply:
        """POST a form, with HTTP Basic where there is a `client`."""
        request = self._client.build_request("POST", url, data=dict(form), headers=_accept(None))
        return await self._send(what, request, httpx.BasicAuth(*client) if client else None)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _send(self, what: str, request: httpx.Request, auth: httpx.Auth | None = None) -> Reply:
        try:
            async with asyncio.timeout(self._timeout_s):  # httpx's own timeouts hold for each read alone
                response = await self._client.send(request, auth=auth, stream=True)
                try:
                    body = await _read(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise unavailable(what, _why(error)) from None
        if response.status_code != 200:
            return Reply(response.status_code, None)
        try:
            return Reply(
                200, parse(body, "json", name=what, max_bytes=MAX_REPLY_BYTES, code="auth_unavailable")
            )
        except AosError:
            raise unavailable(what, "its answer makes no sense") from None


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_REPLY_BYTES:
            break  # the parser refuses it
    return bytes(body)


def _accept(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {"accept": "application/json", **(headers or {})}


def _why(error: Exception) -> str:
    """In words that name no host: the answer goes to whoever asked."""
    return "no answer in time" if isinstance(error, TimeoutError | httpx.TimeoutException) else "out of reach"
