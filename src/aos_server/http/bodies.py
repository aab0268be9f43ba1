"""Request headers, bodies and query strings: read within limits, parsed strictly, held against a model."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from anyio import fail_after
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from aos.errors import AosError, Finding, InputError
from aos.wire.problems import at, visible
from aos.wire.shape import closest, did_you_mean, shown
from aos.wire.strict import Json, parse

__all__ = [
    "BODY_TIMEOUT_S",
    "MAX_BODY_BYTES",
    "MAX_DECISION_BYTES",
    "check_media_type",
    "fitted",
    "headers",
    "parsed",
    "read_body",
    "read_form",
    "read_query",
]

MAX_BODY_BYTES = 256 * 1024
MAX_DECISION_BYTES = 16 * 1024
BODY_TIMEOUT_S = 15.0
MAX_NODES = 10_000
MAX_QUERY_BYTES = 4096

M = TypeVar("M", bound=BaseModel)

_TYPES = ("_type", "_parsing")


def headers(given: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers by name; one that is repeated is the list of all of them (RFC 9110, 5.3), and so no key and no type."""
    found: dict[bytes, bytes] = {}
    for name, value in given:
        found[name] = b", ".join((found[name], value)) if name in found else value
    return found


def check_media_type(headers: Mapping[bytes, bytes], wanted: str = "application/json") -> None:
    """A body is JSON, or what else is `wanted`, in UTF-8, as it stands. Raises AosError(unsupported_media_type)."""
    stated = headers.get(b"content-type", b"").decode("latin-1")
    kind, _, parameters = stated.partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != wanted or charset not in ("", "utf-8"):
        raise AosError("unsupported_media_type", f'the Content-Type is "{visible(stated)}"')
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise AosError("unsupported_media_type", "the body is compressed")


async def read_body(
    receive: Receive, headers: Mapping[bytes, bytes], most: int, seconds: float = BODY_TIMEOUT_S
) -> bytes:
    """The body, of at most `most` bytes; what is larger is not even read.

    Raises AosError: too_large, request_too_slow where it takes longer than `seconds`.
    """
    stated = headers.get(b"content-length", b"")
    if stated.isdigit() and int(stated) > most:
        raise _too_large(most)
    body = bytearray()
    try:
        with fail_after(seconds):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > most:
                    raise _too_large(most)
    except TimeoutError:
        raise AosError("request_too_slow", f"the body was not here after {seconds:g} s") from None
    return bytes(body)


def _too_large(most: int) -> AosError:
    return AosError("too_large", f"the body is larger than {most:,} bytes, the limit here")


def parsed(body: bytes, most: int, max_nodes: int) -> Json:
    """The body as JSON. Raises InputError(invalid_request)."""
    return parse(body, "json", name="body", max_bytes=most, code="invalid_request", max_nodes=max_nodes)


def read_query(raw: bytes, model: type[M]) -> M:
    """The query string. Raises InputError(invalid_request) with everything wrong with it."""
    return fitted(model, read_form(raw, "query", MAX_QUERY_BYTES), "query")


def read_form(raw: bytes, name: str, most: int) -> dict[str, str]:
    """What a query string or a form says, called `name`. Raises InputError(invalid_request)."""
    try:
        if len(raw) > most:
            raise ValueError
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, strict_parsing=bool(raw), errors="strict"
        )
    except ValueError:
        detail = f"it is not well-formed, or longer than {most:,} bytes"
        raise InputError.of("invalid_request", name, [Finding("", "malformed", detail)]) from None
    values = dict(pairs)
    if len(values) < len(pairs):
        twice = {name for name, _ in pairs if [other for other, _ in pairs].count(name) > 1}
        findings = [
            Finding(at("", name), "duplicate_key", "it is given more than once") for name in sorted(twice)
        ]
        raise InputError.of("invalid_request", name, findings)
    return values


def fitted(model: type[M], document: Any, name: str) -> M:
    """`document` as a value of `model`. Raises InputError(invalid_request) with everything wrong with it."""
    try:
        return model.model_validate(document, strict=True)
    except ValidationError as error:
        findings = [_finding(model, entry, document) for entry in error.errors(include_url=False)]
        raise InputError.of("invalid_request", name, findings) from None


def _finding(model: type[BaseModel], entry: Any, document: Any) -> Finding:
    """One of pydantic's errors in our words."""
    kind, where = entry["type"], entry["loc"]
    if kind == "missing":
        return Finding(at("", *where[:-1]), "missing_key", f'the key "{where[-1]}" is missing')
    if kind == "extra_forbidden" and len(where) == 1:
        known = list(model.model_fields)
        meant = closest(str(where[0]), known)
        detail = f'unknown key "{visible(str(where[0]))}"{did_you_mean(meant)}'
        return Finding(at("", *where), "unknown_key", detail, tuple(sorted(known)), meant)
    if kind in ("literal_error", "enum"):
        allowed = re.findall(r"'([^']*)'", entry["ctx"]["expected"])
        meant = closest(str(entry["input"]), allowed)
        detail = f"{shown(entry['input'])} is not one of {', '.join(allowed)}"
        return Finding(at("", *where), "bad_value", detail, tuple(allowed), meant)
    code = "wrong_type" if kind.endswith(_TYPES) else "bad_value"
    given = shown(entry["input"]) if code == "wrong_type" else ""
    said = entry["msg"].removeprefix("Value error, ")
    detail = f"{said}, got {given}" if given else said
    return Finding(at("", *where), code, detail[0].lower() + detail[1:])
