"""ASGI middleware: a request's body is read whole, within its size and time, before anything else sees the request."""

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aos.errors import AosError
from aos_server.limits.answers import send_problem
from aos_server.limits.sizes import MAX_BODY_BYTES, MAX_REQUEST_S, MAX_UPLOAD_S

__all__ = ["BodyLimit", "TimeLimit"]

_CLOSE = ((b"connection", b"close"),)  # what is still coming is not worth reading


class BodyLimit:
    """Passes on requests whose body came whole, in `upload_s`, with at most `max_bytes(scope)` bytes; 413 or 408 else.

    The application gets the body in one message.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_bytes: Callable[[Scope], int] = lambda _: MAX_BODY_BYTES,
        upload_s: float = MAX_UPLOAD_S,
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._upload_s = upload_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._max_bytes(scope)
        try:
            _check_announced(scope, limit)
            async with asyncio.timeout(self._upload_s):
                body = await _read(receive, limit)
        except AosError as error:
            await send_problem(send, error, _CLOSE)
        except TimeoutError:
            slow = AosError("client_too_slow", f"the body took more than {self._upload_s:g} s")
            await send_problem(send, slow, _CLOSE)
        else:
            if body is not None:
                await self._app(scope, _replay(body, receive), send)


class TimeLimit:
    """Ends requests that take longer than `request_s` altogether with 503, or cuts them off in their answer."""

    def __init__(self, app: ASGIApp, request_s: float = MAX_REQUEST_S) -> None:
        self._app = app
        self._request_s = request_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noticing(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            async with asyncio.timeout(self._request_s) as limit:
                await self._app(scope, receive, noticing)
        except TimeoutError:
            if not limit.expired() or started:
                raise
            error = AosError(
                "took_too_long", f"there was no answer within {self._request_s:g} s", retry_after_s=5
            )
            error.effect = "unknown"
            await send_problem(send, error)


def _check_announced(scope: Scope, limit: int) -> None:
    """Refuse by Content-Length, before a single byte of the body was read."""
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or int(value[:20]) > limit):
            raise _too_large(limit)


async def _read(receive: Receive, limit: int) -> bytes | None:
    """The body; None where the client left. Raises AosError(too_large) as soon as it is more than `limit` bytes."""
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunk = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def once() -> Message:
        return messages.pop() if messages else await receive()

    return once


def _too_large(limit: int) -> AosError:
    return AosError("too_large", f"the body has more than {limit:,} bytes, which is the limit here")
