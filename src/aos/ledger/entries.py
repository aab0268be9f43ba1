"""Entries: what is written once and never changed, each sealed with the hash of the one before."""

import hashlib
import json
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, NamedTuple

from aos.wire.digests import canonical

__all__ = ["GENESIS", "Entry", "content", "seal"]

GENESIS = "0" * 64
"""What the first entry has for the hash of the one before."""

_COMPACT = json.JSONEncoder(separators=(",", ":")).encode


class Entry(NamedTuple):
    """One entry. `body` is canonical JSON (RFC 8785), `hash` seals it together with all that came before."""

    seq: int
    run: str
    kind: str
    body: str
    hash: str

    @property
    def fields(self) -> Mapping[str, Any]:
        """The body as a value."""
        fields: Mapping[str, Any] = json.loads(self.body)
        return fields


def seal(seq: int, run: str, kind: str, body: Mapping[str, Any] | str, previous: str) -> Entry:
    """The entry with its hash: SHA-256 of the canonical JSON of `{body, kind, previous, run, seq}`.

    Raises ValueError where canonical JSON can't say `body`.
    """
    text = body if isinstance(body, str) else canonical(body).decode()
    # The keys in canonical order; the body is canonical already, and the others are plain.
    named = f'"kind":{_quoted(kind)},"previous":{_quoted(previous)},"run":{_quoted(run)},"seq":{seq}'
    whole = f'{{"body":{text},{named}}}'
    return Entry(seq, run, kind, text, hashlib.sha256(whole.encode()).hexdigest())


def content(value: Any) -> tuple[str, str]:
    """A JSON value as text, and the digest by which entries name it.

    Such values are not canonical: what a skill returns may hold what canonical JSON can't say (an integer of 2^53), and
    has to come back as it was.
    """
    text = _COMPACT(value)
    return hashlib.sha256(text.encode()).hexdigest(), text
