"""Idempotency-Key: the same caller's same request with the same key has one effect and one answer, for 24 hours.

The key's row is written in the transaction of the effect. Two at once: the second waits for the first, at most the
1.5 s that the role allows (409 then), and gets its answer. Another request with the key is refused (422).
"""

import hashlib
import re
from typing import Any, NamedTuple

from aos.errors import AosError
from aos.wire.digests import canonical

__all__ = ["Key", "key_of"]

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class Key(NamedTuple):
    """The caller's key, and the SHA-256 of what they ask with it."""

    text: str
    digest: bytes


def key_of(header: str, method: str, path: str, body: Any) -> Key:
    """The key of a request whose body is that JSON value. Two spellings of one value are one body.

    Raises AosError(bad_value) where the header is not 1 to 255 visible ASCII characters.
    """
    if not _KEY.fullmatch(header):
        raise AosError("bad_value", "Idempotency-Key must be 1 to 255 visible ASCII characters")
    return Key(header, hashlib.sha256(canonical([method, path, body])).digest())
