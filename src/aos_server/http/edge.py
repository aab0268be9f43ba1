"""The edge: the outermost layer. Every request gets an id, is counted and timed, and every error becomes a problem.

Layers further in put into `scope["aos.told"]` the headers that an answer has whatever becomes of the request, into
`scope["aos.caller"]` whom it is from, once that is known, and into `scope["aos.refusal"]` how an error is told where a
person looks at the answer.
"""

import logging
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aos.errors import AosError
from aos_server import logs
from aos_server.http.answers import send_answer
from aos_server.http.problems import refusal
from aos_server.metrics import FAILURES, IN_FLIGHT, REQUESTS, SECONDS

__all__ = ["Edge"]

PROBES = ("/livez", "/readyz")
"""What load balancers ask by whatever address a process has. They tell nothing that a foreign page could use."""
Challenge = Callable[[Mapping[bytes, bytes]], str]

_LOG = logging.getLogger("aos_server")


class Edge:
    """Wraps the application. `hosts` are the names under which it may be called and from whose pages; empty: any.
    Probes may be called under every name.

    `challenge` gives the WWW-Authenticate of a 401, from a request's headers.
    """

    def __init__(
        self, app: ASGIApp, hosts: Collection[str], challenge: Challenge = lambda _: "Bearer"
    ) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._challenge = challenge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = secrets.token_hex(8)
        status, code = 0, None

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", request_id.encode()))
            await send(message)

        scope["aos.told"] = told = dict[str, str]()
        IN_FLIGHT.inc()
        with logs.noting() as notes:
            try:
                if scope["path"] not in PROBES:
                    self._check_origin(dict(scope["headers"]))
                await self._app(scope, receive, watched)
            except ClientDisconnect:
                status = 499
            except Exception as error:
                failure = error if isinstance(error, AosError) else _internal(error, request_id)
                if status:  # the answer has begun: all that is left is to cut it off
                    raise
                code = failure.code
                # Ours, and nobody's words: who mends it has to know what is gone.
                if failure.row.status >= 500:
                    logs.note(detail=failure.detail)
                if failure.row.status == 401:
                    told["WWW-Authenticate"] = self._challenge(dict(scope["headers"]))
                tell = scope.get("aos.refusal", refusal)
                await send_answer(watched, tell(failure, request_id, told))
            finally:
                IN_FLIGHT.dec()
                _count(scope, request_id, status, time.perf_counter() - started, code, notes)

    def _check_origin(self, headers: Mapping[bytes, bytes]) -> None:
        """Refuse what a foreign page, or a name that somebody else resolves, sends through a person's browser."""
        if not self._hosts:
            return
        host = _name(f"//{headers.get(b'host', b'').decode('latin-1')}")
        if host not in self._hosts:
            raise AosError("foreign_host", "the Host header is not a name of this server")
        origin = headers.get(b"origin")
        if origin is not None and _name(origin.decode("latin-1")) not in self._hosts:
            raise AosError("foreign_host", "the request comes from a page of another site")


def _name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _internal(error: Exception, request_id: str) -> AosError:
    """A fault of our own: the log has it whole, the caller its id."""
    _LOG.error("request %s failed", request_id, exc_info=error)
    return AosError("internal_error", "the server met a fault of its own")


def _count(
    scope: Scope, request_id: str, status: int, seconds: float, code: str | None, notes: Mapping[str, Any]
) -> None:
    """Of what the caller sent only the route is told: a path, as it was sent, could hold anything."""
    endpoint, caller = scope.get("aos.endpoint"), scope.get("aos.caller")
    route, method = (endpoint.path, endpoint.method) if endpoint else ("none", "other")
    REQUESTS.labels(method, route, status).inc()
    if status >= 500:
        FAILURES.labels(code or "none").inc()
    SECONDS.labels(route).observe(seconds)
    host, _ = scope.get("client") or (None, 0)
    logs.tell_request(
        request_id,
        status,
        host,
        method=method,
        route=route,
        seconds=seconds,
        code=code,
        tenant=caller.tenant if caller else None,
        subject=caller.principal.subject if caller else None,
        **notes,
    )
