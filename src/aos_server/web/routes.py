"""Which page and which form is where. Every form but that of the development login holds the token of its session."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from pydantic import BaseModel
from starlette.routing import BaseRoute, Route, Router
from starlette.types import Receive, Scope, Send

from aos.errors import AosError
from aos_server.http.answers import Answer
from aos_server.http.endpoint import Call, Endpoint, Handler, Resource
from aos_server.http.gate import Gate, Identifies
from aos_server.identity.browsers.login import CodeFlow
from aos_server.identity.caller import Act
from aos_server.services.requests.create import Desk
from aos_server.services.sessions import Sessions
from aos_server.web.deciding import Deciding
from aos_server.web.forms import (
    Approve,
    Came,
    Escalate,
    ListQuery,
    LoginQuery,
    Logout,
    Reject,
    Review,
    SignIn,
    StepsQuery,
)
from aos_server.web.inbox import Inbox
from aos_server.web.login import Login, SamplePeople
from aos_server.web.pages import Pages
from aos_server.web.site import Site, check_form_token

__all__ = ["CALLBACK", "Door", "open_inbox"]

CALLBACK = "/inbox/callback"
"""Where an OpenID provider sends browsers back to."""
_ONE = "/inbox/{request_id}"


class Door(NamedTuple):
    """The way in: where browsers reach the server, and by whom they log in: a provider, or in development nobody."""

    site: Site
    flow: CodeFlow | None = None
    sample: SamplePeople | None = None


def open_inbox(desk: Desk, gate: Gate, identity: Identifies, door: Door) -> Sequence[BaseRoute]:
    """The routes of the inbox, to be put beside those of the API."""
    site = door.site
    sessions = Sessions(desk.database)
    pages = Pages(desk.database, identity, site)
    login, deciding = Login(sessions, identity, site, door.flow, door.sample), Deciding(desk, pages)

    def page(path: str, summary: str, handler: Handler, query: type[BaseModel] | None = None) -> Endpoint:
        found = Endpoint("GET", path, summary, handler, None, act="read", media_type="text/html")
        return found._replace(query=query) if query else found

    def form(
        path: str, summary: str, handler: Handler, body: type[BaseModel], act: Act = "decide"
    ) -> Endpoint:
        return Endpoint(
            "POST", path, summary, _of_session(site, handler), None, act=act, body=body, form=True
        )

    opened = [
        Endpoint("GET", "/inbox/login", "Log in", login.begin, None, query=LoginQuery),
        Endpoint(
            "POST", "/inbox/login", "Log in, in development", login.sign_in, None, body=SignIn, form=True
        ),
        Endpoint("GET", CALLBACK, "Back from the provider", login.came_back, None, query=Came),
    ]
    endpoints = [
        *opened,
        form("/inbox/logout", "Log out", login.log_out, Logout, "read"),
        page("/inbox", "The inbox", pages.listed, ListQuery),
        page(_ONE, "A request", pages.one),
        page(f"{_ONE}/steps", "The steps of its plan", pages.steps, StepsQuery),
        page(f"{_ONE}/document", "All of it, for a program", pages.document),
        form(f"{_ONE}/approve", "Say yes", deciding.approve, Approve),
        form(f"{_ONE}/reject", "Say no", deciding.reject, Reject),
        form(f"{_ONE}/escalate", "Ask one level higher", deciding.escalate, Escalate),
        form(f"{_ONE}/review", "Say what you found", deciding.review, Review),
    ]
    routes = [
        Route(path, Resource(tuple(group), gate)) for path, group in groupby(endpoints, key=lambda e: e.path)
    ]
    router = Router(routes, redirect_slashes=False, default=_nothing_here)
    application = Inbox(router, sessions, site, frozenset(one.path for one in opened))
    return [Route("/inbox", application), Route("/inbox/{rest:path}", application)]


def _of_session(site: Site, handler: Handler) -> Handler:
    """The handler of a form, behind the check that it was made for the session that sends it."""

    async def checked(call: Call) -> Answer:
        check_form_token(site, call.headers, call.body.token)
        answer = await handler(call)
        assert isinstance(answer, Answer)
        return answer

    return checked


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    raise AosError("not_found", "there is nothing at this address")
