"""The two clients: the same calls, one waiting for each answer, one to be awaited."""

import asyncio
import os
import random
import time
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from aos.errors import AosError
from aos.sdk.calls import Calls
from aos.sdk.core import MAX_RETRIES, Call, Document, Reply, Server, given_up, pause_s, request, understood
from aos.sdk.transport import AsyncTransport, Transport

__all__ = ["DEFAULT_URL", "AsyncClient", "Client", "server_of"]

DEFAULT_URL = "http://127.0.0.1:8000"
TIMEOUT_S = 35.0
"""A little more than the server gives itself."""


def server_of(url: str | None = None, token: str | None = None, key: str | None = None) -> Server:
    """Whom to ask; what is left out comes from AOS_BASE_URL and AOS_API_KEY."""
    given = key or (None if token else os.environ.get("AOS_API_KEY"))
    return Server(url or os.environ.get("AOS_BASE_URL") or DEFAULT_URL, token, given or None)


class Client(Calls[Document]):
    """Asks and waits.

    `url` is the server's (default: AOS_BASE_URL, else this machine), `token` a bearer token, `key` a service key
    (default: AOS_API_KEY). `over` takes the network's place in tests. What may be sent again is, up to `retries` times.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        key: str | None = None,
        timeout_s: float = TIMEOUT_S,
        retries: int = MAX_RETRIES,
        over: Any = None,
    ) -> None:
        self._server = server_of(url, token, key)
        self._retries = retries
        self._transport = Transport(self._server.url, timeout_s, over)

    def another(self, *, retries: int = MAX_RETRIES) -> "Client":
        """Somebody else with connections of their own, who asks the same server as the same caller."""
        return Client(self._server.url, token=self._server.token, key=self._server.key, retries=retries)

    def send(self, call: Call) -> Document:
        tries = 0
        while True:
            try:
                return understood(self._transport.send(request(self._server, call)))
            except AosError as error:
                tries += 1
                pause = pause_s(call, error, tries, random.random(), self._retries)
                if pause is None:
                    raise given_up(call, error) from None
            time.sleep(pause)

    def reply(self, call: Call) -> Reply:
        """What comes back, whatever it is. Raises AosError(unreachable)."""
        return self._transport.send(request(self._server, call))

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()


class AsyncClient(Calls[Coroutine[Any, Any, Document]]):
    """The same for asyncio: every answer is to be awaited."""

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        key: str | None = None,
        timeout_s: float = TIMEOUT_S,
        over: Any = None,
    ) -> None:
        self._server = server_of(url, token, key)
        self._transport = AsyncTransport(self._server.url, timeout_s, over)

    async def send(self, call: Call) -> Document:
        tries = 0
        while True:
            try:
                return understood(await self._transport.send(request(self._server, call)))
            except AosError as error:
                tries += 1
                pause = pause_s(call, error, tries, random.random())
                if pause is None:
                    raise given_up(call, error) from None
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        await self.close()
