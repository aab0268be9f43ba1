"""How large and how slow a request may be."""

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_DECIDE_BYTES",
    "MAX_HEADERS",
    "MAX_HEAD_BYTES",
    "MAX_HEAD_S",
    "MAX_JSON_NODES",
    "MAX_PLAN_BYTES",
    "MAX_REQUEST_S",
    "MAX_UPLOAD_S",
    "MAX_WRITE_S",
]

MAX_BODY_BYTES = 256 * 1024
"""A body of most routes."""
MAX_PLAN_BYTES = 1024 * 1024
"""A body that carries a plan."""
MAX_DECIDE_BYTES = 16 * 1024
"""A body that decides on a request."""
MAX_JSON_NODES = 10_000
"""Values in a JSON body without a plan; `aos.wire.strict` refuses more, and more than 32 levels."""
MAX_HEAD_BYTES = 16 * 1024
"""Request line and headers together."""
MAX_HEADERS = 100
MAX_HEAD_S = 5.0
"""From a connection's first moment, or a later request's first byte, until its headers are there."""
MAX_UPLOAD_S = 15.0
"""From the end of the headers until the body is there."""
MAX_REQUEST_S = 30.0
"""From the end of the headers until the answer is complete."""
MAX_WRITE_S = 30.0
"""A client that takes nothing of its answer for so long is cut off."""
