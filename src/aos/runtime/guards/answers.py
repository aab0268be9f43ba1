"""Answers kept to ask again with a condition: a server that has nothing new says so, and sends no body (RFC 9110, 13).

Every request still goes out, so nobody sees anything older than the server wants; `Cache-Control: max-age` saves none.
"""

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aos.runtime.guards.http import Answer, Request  # which loads httpx, and not every run needs that

__all__ = ["AnswerCache", "conditional"]

_Key = tuple[str, tuple[tuple[str, str], ...]]


class AnswerCache:
    """Answers to GET by URL and headers (credentials among them), in memory, the least used ones dropped first."""

    def __init__(self, max_bytes: int = 32 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._answers: OrderedDict[_Key, Answer] = OrderedDict()
        self._lock = Lock()

    def find(self, request: "Request") -> "Answer | None":
        """What this request was answered before, if it can be asked whether that still holds."""
        with self._lock:
            found = self._answers.get(_key(request)) if _may_be_asked(request) else None
            if found:
                self._answers.move_to_end(_key(request))
            return found

    def keep(self, request: "Request", answer: "Answer") -> None:
        """Keep the answer in place of an earlier one, if it is one that a server can be asked about."""
        if not _may_be_asked(request):
            return
        with self._lock:
            self._bytes -= len(old.body) if (old := self._answers.pop(_key(request), None)) else 0
            if not _may_be_kept(answer):
                return
            self._answers[_key(request)] = answer
            self._bytes += len(answer.body)
            while self._bytes > self._max_bytes:
                self._bytes -= len(self._answers.popitem(last=False)[1].body)


def _may_be_asked(request: "Request") -> bool:
    """A plain GET, with no condition of its own."""
    own = any(name.lower().startswith("if-") for name in request.headers)
    return request.method == "GET" and request.body is None and not own


def _may_be_kept(answer: "Answer") -> bool:
    private = "no-store" in answer.headers.get("cache-control", "").lower()
    return answer.status == 200 and not private and bool(_condition(answer))


def _condition(answer: "Answer") -> dict[str, str]:
    """The header that asks whether `answer` still holds; none where it names nothing that fits into a header."""
    for stated, asked in (("etag", "If-None-Match"), ("last-modified", "If-Modified-Since")):
        value = answer.headers.get(stated, "")
        if value and value.isascii() and value.isprintable():
            return {asked: value}
    return {}


def conditional(request: "Request", kept: "Answer | None") -> "Request":
    """The request, to be answered 304 (not modified) while `kept` holds."""
    return request if kept is None else request._replace(headers={**request.headers, **_condition(kept)})


def _key(request: "Request") -> _Key:
    return request.url, tuple(sorted((name.lower(), value) for name, value in request.headers.items()))
