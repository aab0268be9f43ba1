"""Answers: what handlers return, rendered, and how it is sent."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.types import Send

from aos.wire.encode import one_line
from aos_server.services.changes import Given

__all__ = ["JSON", "Answer", "answer_of", "send_answer"]

JSON = "application/json"


class Answer(NamedTuple):
    """What is sent."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {}
    media_type: str = JSON


def answer_of(told: "Answer | Given | Mapping[str, Any] | bytes", status: int) -> Answer:
    """What a handler returns, as it is sent: a change has its own status, a document or a body of JSON `status`."""
    if isinstance(told, Answer):
        return told
    if isinstance(told, Given):
        return Answer(one_line(told.body).encode(), told.status)
    return Answer(told if isinstance(told, bytes) else one_line(told).encode(), status)


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
