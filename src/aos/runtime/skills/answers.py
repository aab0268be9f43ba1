"""What an HTTP answer means: its body as JSON or text, its status as a failure."""

import codecs
import re
from typing import Any

from aos.errors import InputError
from aos.runtime.guards import GuardError
from aos.runtime.guards.fields import retry_after_ms
from aos.runtime.guards.http import Answer
from aos.wire.problems import visible
from aos.wire.strict import parse

__all__ = ["as_json", "body_of", "check_status"]

_JSON = re.compile(r"(?:application|text)/(?:[\w.+-]+\+)?json", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w-]+)", re.IGNORECASE)
_CHARSETS = {"us-ascii": "ascii", "iso-8859-1": "cp1252", "windows-1252": "cp1252", "utf-16": "utf-16"}
"""Those beside UTF-8 that replies come in; decoding some of Python's others takes quadratic time."""

_MAX_NODES = 1_000_000


def check_status(answer: Answer) -> None:
    """Raises GuardError for a status that is no success."""
    status = answer.status
    if 200 <= status < 300:
        return
    detail = f"status {status}"
    if said := answer.body[:4_000].decode("utf-8", "replace").strip():
        detail += f": {visible(said, 200)}"
    wait = retry_after_ms(answer.headers.get("retry-after", ""))
    if status == 429:
        raise GuardError("RATE_LIMITED", detail, retry_after_ms=wait)
    if status == 408:
        raise GuardError("TIMEOUT", detail, retry_after_ms=wait)
    if 400 <= status < 500:
        raise GuardError("HTTP_4XX", detail)
    if 500 <= status < 600:
        raise GuardError("HTTP_5XX", detail, retry_after_ms=wait)
    raise GuardError("BAD_REPLY", detail)


def body_of(answer: Answer) -> Any:
    """The body: a JSON value where the answer says it is JSON, else text. Raises GuardError(BAD_REPLY)."""
    kind = answer.headers.get("content-type", "")
    if _JSON.match(kind.strip()):
        return as_json(answer.body) if answer.body.strip() else None
    named = _CHARSET.search(kind)
    charset = _CHARSETS.get(named[1].lower(), "utf-8") if named else "utf-8"
    try:
        return answer.body.decode(charset)
    except UnicodeDecodeError:
        if kind.startswith("text/"):
            return answer.body.decode(charset, "replace")
        raise GuardError("BAD_REPLY", f"neither JSON nor text: {kind[:80] or 'no type stated'}") from None


def as_json(data: bytes) -> Any:
    """A JSON document of somebody else's, read strictly; integers of 2^53 and more come as text.

    Raises GuardError(BAD_REPLY).
    """
    try:
        return parse(
            data.removeprefix(codecs.BOM_UTF8),  # as RFC 8259, section 8.1, allows; .NET is known to send one
            "json",
            name="the reply",
            max_bytes=len(data),
            code="invalid_records",
            max_nodes=_MAX_NODES,
            long_as_text=True,
        )
    except InputError as error:
        place = error.findings[0].pointer
        # It is no file, so what files of another ending hold is no help.
        detail = error.findings[0].detail.partition("; JSON starts with")[0]
        said = f"{place}: {detail}" if place else detail
        raise GuardError("BAD_REPLY", f"no JSON that can be used: {said}") from None
