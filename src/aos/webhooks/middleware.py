"""Verify messages in front of an ASGI application, such as a route of Starlette or FastAPI."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aos.errors import CODES, AosError
from aos.webhooks.receiving import SignatureError, verify
from aos.webhooks.seen import SeenIds

__all__ = ["VerifiedWebhooks"]

MAX_BODY = 256 * 1024

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class VerifiedWebhooks:
    """Lets through what one of `secrets()` has signed, once; `scope["webhook_id"]` is then its id.

    The application says by a 2xx that it has received the message. Anything else, or an exception, and the sender's
    next try reaches it again. A message that it has received is answered 204 without it, one that it is at work on 409.
    """

    def __init__(
        self,
        app: App,
        secrets: Callable[[], Sequence[str]],
        seen: SeenIds | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._app = app
        self._secrets = secrets
        self._seen = seen or SeenIds()
        self._now = now

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await _body(receive)
            message_id = verify(scope["headers"], body, self._secrets(), self._now())
            state = await asyncio.to_thread(self._seen.begin, message_id, self._now())
            if state == "running":
                raise SignatureError("webhook_repeated", f"the message {message_id} is being worked on")
        except AosError as error:
            await _answer(send, error.row.status, _problem(error))
            return
        if state == "done":
            await _answer(send, 204, b"")
        else:
            await self._pass_on({**scope, "webhook_id": message_id}, body, receive, send)

    async def _pass_on(self, scope: Message, body: bytes, receive: Receive, send: Send) -> None:
        """Call the application. Its 2xx leaves only when the id is kept: what is acknowledged is not done twice."""
        message_id, status, given = scope["webhook_id"], 0, False

        async def once() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if 200 <= status < 300:
                    await asyncio.to_thread(self._seen.done, message_id, self._now())
            await send(message)

        try:
            await self._app(scope, once, watched)
        finally:
            if not 200 <= status < 300:
                await asyncio.to_thread(self._seen.forget, message_id)


async def _body(receive: Receive) -> bytes:
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise SignatureError("webhook_malformed", "the body was cut off")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise AosError("too_large", f"the body has over {MAX_BODY:,} bytes")
    return bytes(body)


def _problem(error: AosError) -> bytes:
    """RFC 9457, without what an answer to a stranger need not say."""
    row = CODES[error.code]
    kind = f"urn:aos:problem:{row.area}.{error.code}"
    document = {"type": kind, "title": row.title, "status": row.status, "detail": error.detail}
    return json.dumps({**document, "code": error.code}).encode()


async def _answer(send: Send, status: int, body: bytes) -> None:
    kind = [(b"content-type", b"application/problem+json")] if body else []
    length = [] if status == 204 else [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*kind, *length]})
    await send({"type": "http.response.body", "body": body})
