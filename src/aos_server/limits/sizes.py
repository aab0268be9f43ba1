"""How large a request's head may be, and how slow a client. What a body may be, `aos_server.http` says."""

__all__ = ["LINGER_S", "MAX_HEADERS", "MAX_HEAD_BYTES", "MAX_HEAD_S", "MAX_WRITE_S"]

MAX_HEAD_BYTES = 16 * 1024
"""Request line and headers together."""
MAX_HEADERS = 100
MAX_HEAD_S = 5.0
"""From a connection's first moment, or a later request's first byte, until its headers are there."""
MAX_WRITE_S = 30.0
"""A client that takes nothing of its answer for so long is cut off."""
LINGER_S = 2.0
"""What comes after an answer that ended its connection is thrown away for so long, so that the answer gets there."""
