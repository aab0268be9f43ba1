"""Problem documents as bytes: for what answers before, or instead of, a route."""

import json
import math
from collections.abc import Iterable
from http import HTTPStatus

from starlette.types import Send

from aos.errors import AosError
from aos.wire.problems import problem

__all__ = ["body", "raw", "send_problem"]

Header = tuple[bytes, bytes]


def body(error: AosError) -> bytes:
    """The document."""
    return json.dumps(problem(error), separators=(",", ":"), allow_nan=False).encode()


async def send_problem(send: Send, error: AosError, headers: Iterable[Header] = ()) -> None:
    """Answer an ASGI request with a problem."""
    content = body(error)
    start = {"type": "http.response.start", "status": error.row.status}
    await send({**start, "headers": [*_headers(error, content), *headers]})
    await send({"type": "http.response.body", "body": content})


def raw(error: AosError) -> bytes:
    """A whole HTTP/1.1 response that ends its connection."""
    content = body(error)
    status = HTTPStatus(error.row.status)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    lines += [name + b": " + value for name, value in (*_headers(error, content), (b"connection", b"close"))]
    return b"\r\n".join([*lines, b"", content])


def _headers(error: AosError, content: bytes) -> list[Header]:
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if error.row.status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b'Bearer realm="aos"'))
    if error.retry_after_s is not None:
        headers.append((b"retry-after", str(math.ceil(error.retry_after_s)).encode()))
    return headers
