"""Fields of a message that stand in one line each: a line break in one would start another."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from aos.runtime.guards import GuardError

__all__ = ["check_headers", "one_line", "retry_after_ms"]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_MAX_HEADERS_BYTES = 16 * 1024

_OURS = {
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
"""What the exchange itself decides: where a message goes, where it ends, how it is packed."""


def one_line(what: str, text: str) -> str:
    """`text` if it holds no line break or other control character. Raises GuardError(BAD_PARAMS)."""
    if any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in text):
        raise GuardError("BAD_PARAMS", f"{what} holds a control character; it has to be one line of text")
    return text


def retry_after_ms(stated: str) -> float | None:
    """What Retry-After asks for (RFC 9110, section 10.2.3): seconds or a date. None where it says nothing clear."""
    stated = stated.strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", stated, re.ASCII):
        return float(stated) * 1000
    try:
        until = parsedate_to_datetime(stated)
    except (ValueError, TypeError, IndexError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, math.ceil((until - datetime.now(UTC)).total_seconds() * 1000))


def check_headers(headers: Mapping[str, str]) -> None:
    """Raises GuardError(BAD_PARAMS) for a header that would break the request or is not the caller's to set."""
    size = 0
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise GuardError("BAD_PARAMS", f"{name[:80]!r} is no header name")
        if name.lower() in _OURS:
            raise GuardError("BAD_PARAMS", f"the header {name} is set by the call itself")
        if not one_line(f"the header {name}", value).isascii():
            raise GuardError("BAD_PARAMS", f"the header {name} holds more than ASCII")
        size += len(name) + len(value) + 4
    if size > _MAX_HEADERS_BYTES:
        raise GuardError("INPUT_TOO_LARGE", f"{size:,} bytes of headers; the limit is {_MAX_HEADERS_BYTES:,}")
