"""The inbox as an application: a browser's session becomes the credential that it holds.

From there on a page is an endpoint like any other: one gate and identity, the same limits, timeouts, metrics and audit.
A credential of the browser's own counts for nothing here, and a form has to come from one of these pages.
"""

from collections.abc import Mapping
from urllib.parse import quote

from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from aos.errors import CODES, AosError
from aos_server.http import bodies
from aos_server.http.answers import Answer, send_answer
from aos_server.http.problems import refusal
from aos_server.services.sessions import Sessions
from aos_server.web.forms import is_next
from aos_server.web.login import SOURCE
from aos_server.web.render import HEADERS, go, html
from aos_server.web.site import Site

__all__ = ["Inbox"]

_CREDENTIALS = (b"authorization", b"x-aos-key", SOURCE)


class Inbox:
    """The pages of `router`, for people of whom `sessions` knows who they are. `open_to_all` needs no session."""

    def __init__(self, router: Router, sessions: Sessions, site: Site, open_to_all: frozenset[str]) -> None:
        self._router = router
        self._sessions = sessions
        self._site = site
        self._open = open_to_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["aos.refusal"] = told
        scope["aos.told"].update(HEADERS)
        headers = bodies.headers(scope["headers"])
        reads = scope["method"] in ("GET", "HEAD")
        if not reads:
            self._site.check_origin(headers)
        try:
            scope["headers"] = await self._as(scope, headers)
            scope["path_params"] = {}  # those of the route that led here
            await self._router(scope, receive, send)
        except AosError as error:
            if error.code != "unauthenticated" or not reads:
                raise
            await send_answer(send, _to_login(scope))

    async def _as(self, scope: Scope, headers: Mapping[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        """The headers with the session's credential instead of any other. Raises AosError(unauthenticated)."""
        kept = [(name, value) for name, value in scope["headers"] if name not in _CREDENTIALS]
        host, _ = scope.get("client") or ("", 0)
        kept.append((SOURCE, host.encode("latin-1", "replace")))
        if scope["path"] in self._open:
            return kept
        token = await self._sessions.token(self._site.cookie(headers, "session"))
        if token is None:
            raise AosError("unauthenticated", "there is no session, or it has ended")
        return [*kept, (b"authorization", f"Bearer {token}".encode())]


def _to_login(scope: Scope) -> Answer:
    """There, and back to the page that was asked for."""
    wanted = scope["path"]
    if query := scope["query_string"].decode("latin-1"):
        wanted += f"?{query}"
    back = f"?next={quote(wanted)}" if is_next(wanted) else ""
    return go(f"/inbox/login{back}", scope["aos.told"])


def told(error: AosError, request_id: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An error as a page: what the problem document of the API says, in the same words."""
    document = refusal(error, request_id, headers)
    row = CODES[error.code]
    return html(
        "problem",
        row.status,
        document.headers,
        title=row.title,
        status=row.status,
        code=error.code,
        detail=error.detail,
        fix=error.fix or row.fix,
        findings=[(one.pointer, one.code, one.detail) for one in error.findings],
        retry_after=document.headers.get("Retry-After"),
        login=row.status == 401,
        request_id=request_id,
    )
