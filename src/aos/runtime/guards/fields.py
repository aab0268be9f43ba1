"""Fields of a message that stand in one line each: a line break in one would start another."""

import re
from collections.abc import Mapping

from aos.runtime.guards import GuardError

__all__ = ["check_headers", "one_line"]

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
