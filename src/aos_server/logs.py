"""Logs, to stderr: a line of JSON for each event where machines read them, plain lines where a person does.

What is logged names a request, its caller and what became of it; never a credential, a body or a path as it was sent.
"""

import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from math import inf
from typing import Any

from aos.wire.problems import visible

__all__ = ["Summary", "configure", "note", "noting", "tell_request"]

_STANDARD = vars(logging.makeLogRecord({})).keys() | {"message", "taskName"}
_requests = logging.getLogger("aos_server.requests")
_notes: ContextVar[dict[str, Any] | None] = ContextVar("notes", default=None)
_encode = json.JSONEncoder(default=str).encode


def configure(*, plain: bool) -> None:
    """Take over what the standard library's loggers are told: everything of ours, warnings of others."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Plain() if plain else _Json())
    handler.addFilter(Summary())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_told_as_requests)
    logging.getLogger("aos_server").setLevel(logging.INFO)
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # nobody reads them


@contextmanager
def noting() -> Iterator[Mapping[str, Any]]:
    """What is `note`d within the block, which is one request."""
    notes = dict[str, Any]()
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def note(**more: Any) -> None:
    """Let the line of the request at hand, if one is, say this, too."""
    if (notes := _notes.get()) is not None:
        notes.update(more)


def tell_request(
    request_id: str,
    status: int,
    client: str | None,
    *,
    method: str = "other",
    route: str = "none",
    seconds: float | None = None,
    code: str | None = None,
    tenant: str | None = None,
    subject: str | None = None,
    audit: str | None = None,
    detail: str | None = None,
) -> None:
    """The line of a request. `code` and `detail`: why it was refused. `audit`: the entry that says what it did."""
    if _requests.isEnabledFor(logging.INFO):
        told = {
            "request_id": request_id,
            "method": method,
            "route": route,
            "status": status,
            "code": code,
            "ms": None if seconds is None else round(seconds * 1000, 1),
            "client": client,
            "tenant": tenant,
            "subject": subject,
            "audit": audit,
        }
        _requests.info("request", extra=told if detail is None else {**told, "detail": detail})


def _told_as_requests(record: logging.LogRecord) -> bool:
    """Of these `tell_request` says more."""
    return record.msg != "Invalid HTTP request received."


class Summary(logging.Filter):
    """Lets a warning through once in `seconds`; the next one has in `alike` how many were held back.

    In an outage each connection and each loop says the same again and again. An error is never held back. `clock` gives
    monotonic seconds.
    """

    _MOST = 1000  # texts that are remembered

    def __init__(self, seconds: float = 10, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds = seconds
        self._clock = clock
        self._told: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to tell it."""
        if record.levelno != logging.WARNING:
            return True
        # The pool names each connection: there it is the text without what is put into it that repeats.
        text = record.msg if record.name == "psycopg.pool" else record.getMessage()
        now = self._clock()
        told_at, held = self._told.pop(text, (-inf, 0))
        again = now - told_at < self._seconds
        self._told[text] = (told_at, held + 1) if again else (now, 0)
        if len(self._told) > self._MOST:
            self._told.popitem(last=False)
        if held and not again:
            record.alike = held
        return not again


class _Json(logging.Formatter):
    """JSON in ASCII, in which every control character is an escape; json leaves DEL as it is.

    Each request is a line, so a line must cost little: a chain of processors took four times as long.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        event = {
            "at": at.removesuffix("+00:00") + "Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **_extra(record),
            "logger": record.name,
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return _encode(event).replace("\x7f", "\\u007f")


class _Plain(logging.Formatter):
    """What a person reads: the time, the level and what happened; tracebacks keep their lines."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the lines of an exception."""
        at = datetime.fromtimestamp(record.created, UTC)
        rest = "".join(f" {key}={value}" for key, value in _extra(record).items() if value is not None)
        head = visible(f"{at:%H:%M:%S} {record.levelname.lower():7} {record.getMessage()}{rest}", 1000)
        return f"{head}\n{self.formatException(record.exc_info)}" if record.exc_info else head


def _extra(record: logging.LogRecord) -> Mapping[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}
