"""A refusal on the wire: for what never becomes a request."""

from http import HTTPStatus

from aos.errors import AosError
from aos.wire.encode import one_line
from aos.wire.problems import problem

__all__ = ["raw"]


def raw(error: AosError, request_id: str) -> bytes:
    """A whole HTTP/1.1 response with the problem document; it ends its connection."""
    content = one_line({**problem(error), "instance": f"urn:aos:request:{request_id}"}).encode()
    status = HTTPStatus(error.row.status)
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        "content-type: application/problem+json",
        f"content-length: {len(content)}",
        "cache-control: no-store",
        f"x-request-id: {request_id}",
        "connection: close",
        "\r\n",
    )
    return "\r\n".join(head).encode() + content
