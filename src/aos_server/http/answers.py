"""Answers: a body that is rendered already, and how it is sent."""

from collections.abc import Mapping
from typing import NamedTuple

from starlette.types import Send

__all__ = ["JSON", "Answer", "send_answer"]

JSON = "application/json"


class Answer(NamedTuple):
    """What a handler returns; a bare `bytes` is a body of JSON with status 200."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {}
    media_type: str = JSON


async def send_answer(send: Send, answer: Answer) -> None:
    """Send it. Nothing here may be kept by a cache or guessed at by a browser."""
    headers = [
        (b"content-type", answer.media_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *((name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
