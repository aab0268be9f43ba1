"""A call as an HTTP request, an answer as a document or an AosError, when to try again. Nothing here sends or waits."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

import aos
from aos.errors import CODES, AosError, Finding
from aos.wire.strict import Json, parse

__all__ = [
    "MAX_RETRIES",
    "MAX_WAIT_S",
    "Call",
    "Document",
    "Plan",
    "Reply",
    "Request",
    "Server",
    "given",
    "given_up",
    "new_key",
    "path",
    "pause_s",
    "request",
    "understood",
]

Document = dict[str, Any]
Plan = Sequence[Mapping[str, Any]] | Mapping[str, Any]

MAX_REPLY_BYTES = 16 * 1024 * 1024
MAX_RETRIES = 3
MAX_WAIT_S = 60.0
"""Who is told to wait for longer is told so, instead of waiting."""

_MAX_NODES = 2_000_000
_FIRST_PAUSE_S = 0.25
_BY_STATUS = {401: "unauthenticated", 403: "authorization_denied", 429: "rate_limited"}


class Call(NamedTuple):
    """What to ask. `repeatable`: to send it twice has the effect of sending it once.

    `key` is the Idempotency-Key, the same for every try: by it the server knows what it has done already. `idempotent`:
    not even with another key would anything be done twice.
    """

    method: str
    path: str
    query: Mapping[str, str | None] = {}
    body: Mapping[str, Any] | None = None
    repeatable: bool = True
    key: str | None = None
    idempotent: bool = False


class Server(NamedTuple):
    """Whom to ask, and as whom: with a bearer token, or with a service key."""

    url: str
    token: str | None = None
    key: str | None = None


class Request(NamedTuple):
    """An HTTP request."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None


class Reply(NamedTuple):
    """An HTTP answer; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def new_key() -> str:
    """An Idempotency-Key for one call and its retries."""
    return str(uuid4())


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What was given of the fields of a body; what is None is the server's to decide."""
    return {key: value for key, value in fields.items() if value is not None}


def path(template: str, **names: str) -> str:
    """The path with names filled in, each of them one segment whatever it contains."""
    return template.format(**{key: quote(name, safe="") for key, name in names.items()})


def request(server: Server, call: Call) -> Request:
    """The request. Raises AosError(usage) for a server that credentials must not be sent to."""
    _check(server)
    given = {key: value for key, value in call.query.items() if value is not None}
    url = server.url.rstrip("/") + call.path + (f"?{urlencode(given)}" if given else "")
    headers = {
        "accept": "application/json, application/problem+json",
        "user-agent": f"aos/{aos.__version__}",
    }
    if server.token:
        headers["authorization"] = f"Bearer {server.token}"
    elif server.key:
        headers["x-aos-key"] = server.key
    if call.key is not None:
        headers["idempotency-key"] = call.key
    if call.body is None:
        return Request(call.method, url, headers, None)
    content = json.dumps(call.body, allow_nan=False, default=_number).encode()
    return Request(call.method, url, {**headers, "content-type": "application/json"}, content)


def understood(reply: Reply) -> Document:
    """The document of an answer.

    Raises the AosError that the server sent as a problem, or unexpected_answer where it is none of either.
    """
    document = _json(reply)
    if 200 <= reply.status < 300 and document is not None:
        return document
    if reply.status >= 400 and document is not None and isinstance(document.get("code"), str):
        raise _problem(reply, document)
    code = _BY_STATUS.get(reply.status, "unexpected_answer")
    raise AosError(
        code, f"the server answered {reply.status} without a document", retry_after_s=_retry_after(reply)
    )


def pause_s(
    call: Call, error: AosError, tries: int, chance: float, retries: int = MAX_RETRIES
) -> float | None:
    """How long to wait before the next try, in seconds; None where there is none.

    `tries` have failed, the last one with `error`. What had an effect, or may have had one, is not sent again unless
    the call is repeatable. The server's own Retry-After counts; without one, the pause doubles, less a random part
    (`chance`, 0 to 1) so that clients don't come back all at once.
    """
    if tries > retries or not error.row.retryable or not (call.repeatable or error.effect == "none"):
        return None
    if error.retry_after_s is not None:
        return error.retry_after_s if error.retry_after_s <= MAX_WAIT_S else None
    return float(_FIRST_PAUSE_S * 2 ** (tries - 1) * (1 - chance / 2))


def given_up(call: Call, error: AosError) -> AosError:
    """What is raised in the end: where a change may have been made, that it may.

    Who asks for it anew has a new key, and would make it twice, unless the call is idempotent or has no key.
    """
    if error.effect != "unknown" or (call.repeatable and (call.key is None or call.idempotent)):
        return error
    lost = AosError("answer_lost", error.detail, instance=error.instance)
    lost.effect = "unknown"
    return lost


def _check(server: Server) -> None:
    parts = urlsplit(server.url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise AosError("usage", f"{server.url} is not the URL of a server")
    here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if (server.token or server.key) and parts.scheme == "http" and not here:
        raise AosError(
            "usage",
            f"{server.url}: a credential sent without TLS could be read on the way",
            fix="Name the server with https.",
        )


def _json(reply: Reply) -> Document | None:
    kind = reply.headers.get("content-type", "").partition(";")[0].strip()
    if kind not in ("application/json", "application/problem+json"):
        return None
    document: Json = parse(
        reply.content,
        "json",
        name="the server's answer",
        max_bytes=MAX_REPLY_BYTES,
        code="unexpected_answer",
        max_nodes=_MAX_NODES,
    )
    return document if isinstance(document, dict) else None


def _problem(reply: Reply, document: Document) -> AosError:
    """The server's problem; a code of a later version than this one is known by its status alone."""
    code = document["code"]
    detail = str(document.get("detail", ""))
    if code not in CODES:
        code, detail = _BY_STATUS.get(reply.status, "unexpected_answer"), f"{code}: {detail}"
    fix, instance, entries = document.get("fix"), document.get("instance"), document.get("errors")
    error = AosError(
        code,
        detail,
        fix=fix if isinstance(fix, str) else None,
        findings=findings(entries),
        instance=instance if isinstance(instance, str) else None,
        retry_after_s=_retry_after(reply),
    )
    effect = document.get("effect")
    error.effect = effect if effect in ("none", "committed") else "unknown"
    return error


def findings(entries: object) -> list[Finding]:
    """The `errors` of a problem, or of an answer about an invalid plan."""
    listed = entries if isinstance(entries, list) else []
    return [_finding(entry) for entry in listed if isinstance(entry, dict)]


def _finding(entry: Mapping[str, Any]) -> Finding:
    suggestion = entry.get("suggestion")
    return Finding(
        str(entry.get("pointer", "")),
        str(entry.get("code", "")),
        str(entry.get("detail", "")),
        tuple(map(str, entry.get("allowed") or ())),
        None if suggestion is None else str(suggestion),
    )


def _retry_after(reply: Reply) -> float | None:
    stated = reply.headers.get("retry-after", "")
    return float(stated) if stated.isascii() and stated.isdigit() and len(stated) < 10 else None


def _number(value: object) -> float | int:
    """Money may be a Decimal."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
