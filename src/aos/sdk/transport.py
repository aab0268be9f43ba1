"""httpx, and nothing else of the client: requests go out here, answers come in, within a size and a time.

The only module of `aos.sdk` that knows httpx, so that its successor can take its place here.
"""

from typing import Any
from urllib.parse import urlsplit

import httpx

from aos.errors import AosError
from aos.sdk.core import MAX_REPLY_BYTES, Reply, Request

__all__ = ["AsyncTransport", "Transport"]


class Transport:
    """A pool of connections. `over` takes the network's place in tests."""

    def __init__(self, url: str, timeout_s: float, over: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(transport=over, **_settings(url, timeout_s))

    def send(self, request: Request) -> Reply:
        """Send and receive. Raises AosError: unreachable, usage for a URL that is none."""
        try:
            with self._client.stream(
                request.method, request.url, headers=request.headers, content=request.content
            ) as response:
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > MAX_REPLY_BYTES:
                        break
                return _reply(response, content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _failure(error) from None

    def close(self) -> None:
        self._client.close()


class AsyncTransport:
    """The same for asyncio."""

    def __init__(self, url: str, timeout_s: float, over: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(transport=over, **_settings(url, timeout_s))

    async def send(self, request: Request) -> Reply:
        try:
            async with self._client.stream(
                request.method, request.url, headers=request.headers, content=request.content
            ) as response:
                content = bytearray()
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > MAX_REPLY_BYTES:
                        break
                return _reply(response, content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _failure(error) from None

    async def close(self) -> None:
        await self._client.aclose()


def _settings(url: str, timeout_s: float) -> dict[str, Any]:
    """A server on this machine is not reached through a proxy, whatever the environment says."""
    here = urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
    return {"timeout": timeout_s, "follow_redirects": False, "trust_env": not here}


def _reply(response: httpx.Response, content: bytearray) -> Reply:
    return Reply(response.status_code, dict(response.headers), bytes(content))


def _failure(error: httpx.HTTPError | httpx.InvalidURL) -> AosError:
    """What never left this machine had no effect; of anything later nobody can tell."""
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return AosError("usage", f"the request can't be sent: {error}")
    failure = AosError("unreachable", f"no answer from the server: {str(error) or type(error).__name__}")
    before = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    failure.effect = "none" if before else "unknown"
    return failure
