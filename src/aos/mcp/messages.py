"""Lines of JSON as messages: the strict parser of every other input reads them, before the protocol sees them."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from aos.errors import AosError, InputError
from aos.wire.problems import problem, visible
from aos.wire.strict import MAX_BYTES, parse

__all__ = ["MAX_MESSAGE", "Refused", "failure", "lines", "read_message"]

MAX_MESSAGE = 4 * MAX_BYTES
"""Bytes of one message. A plan in it has its own limit."""

_PARSE_ERROR = -32700


class Refused(NamedTuple):
    """A line that is no message, and the message that answers it."""

    answer: Mapping[str, Any]


def lines(read: Callable[[], bytes]) -> Iterator[bytes | None]:
    """The lines of what `read` gives piece by piece, until it gives nothing; None for one that is too long."""
    kept, skipping = bytearray(), False
    while piece := read():
        *whole, rest = piece.split(b"\n")
        for part in whole:
            kept += part
            yield None if skipping or len(kept) > MAX_MESSAGE else bytes(kept)
            kept.clear()
            skipping = False
        kept += rest
        if len(kept) > MAX_MESSAGE:  # the rest of that line is not kept either
            kept.clear()
            skipping = True


def read_message(line: bytes | None) -> dict[str, Any] | Refused:
    """The object in a line. What is refused in a tool call is told as that call's failure, for the model to mend."""
    if line is None:
        error = AosError("invalid_arguments", f"a message of more than {MAX_MESSAGE:,} bytes")
        return _refused(error, {})
    try:
        document = parse(line, "json", name="message", max_bytes=MAX_MESSAGE, code="invalid_arguments")
    except InputError as error:
        return _refused(error, _guessed(line))
    if isinstance(document, dict):
        return document
    return _refused(AosError("invalid_arguments", "a message is one JSON object"), {})


def failure(error: AosError) -> dict[str, Any]:
    """The result of a tool call that failed: the problem document, and its sentences as text."""
    from aos.report.problems import problem as told

    return {
        "content": [{"type": "text", "text": told(error, 100, False)}],
        "structuredContent": problem(error),
        "isError": True,
        "resultType": "complete",
    }


def _refused(error: AosError, sent: Mapping[str, Any]) -> Refused:
    identity = sent.get("id")
    known = isinstance(identity, int | str) and not isinstance(identity, bool)
    head = {"jsonrpc": "2.0", "id": identity if known else None}
    if known and sent.get("method") == "tools/call":
        return Refused({**head, "result": failure(error)})
    told = {"code": _PARSE_ERROR, "message": visible(error.detail, 1000), "data": problem(error)}
    return Refused({**head, "error": told})


def _guessed(line: bytes) -> Mapping[str, Any]:
    """Whose message it probably was: only to answer it."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
