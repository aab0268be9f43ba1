"""A server to ask over HTTP, with people who are who they say and terms that a test sets."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import httpx

from aos_server.app import application
from aos_server.identity.authenticate import Credentials
from aos_server.identity.caller import Caller, Principal
from aos_server.identity.claims import refused
from aos_server.services.runtime.runs import Runs
from aos_server.services.tenants import Terms
from tests.server.serve import serving

NO_RUNS = Runs(cast(Any, None))
"""Where there is no database: only the questions about runs would meet it."""
STEP = {"skill": "http_call", "params": {"url": "https://api.example.com/price"}}
TOKENS = {
    "reader": Caller(Principal("test", "reader"), "acme", "human", ("readonly",), 1, True),
    "engineer": Caller(Principal("test", "engineer"), "acme", "human", ("engineer",), 2, True),
    "robot": Caller(Principal("test", "robot"), "acme", "machine", scopes=frozenset({"read"})),
}


class People:
    """Knows callers by the name that is their token."""

    async def identify(self, given: Credentials, *, live: bool) -> Caller:
        if given.token not in TOKENS:
            raise refused("nobody knows this token")
        return TOKENS[given.token]

    async def named(self, user: str, tenant: str) -> Caller:
        return Caller(Principal("test", user), tenant, "human", ("developer",), 2, True)


class Told:
    """Terms by tenant; where none are told, nothing is set."""

    def __init__(self, **terms: Terms) -> None:
        self.terms_of = terms

    async def terms(self, tenant: str, agent: str | None, *, now: bool = False) -> Terms:
        return self.terms_of.get(tenant, Terms(tenant))


@contextmanager
def asking(token: str | None = "engineer", **settings: Any) -> Iterator[httpx.Client]:
    """A client of a server of its own, as long as it is served. `token` None: no credentials are sent."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with (
        serving(application(settings.pop("identity", People()), runs=NO_RUNS, **settings)) as url,
        httpx.Client(base_url=url, headers=headers, timeout=60) as client,
    ):
        yield client


def told(answer: httpx.Response) -> dict[str, Any]:
    """The problem document that an answer has to be."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["instance"].endswith(answer.headers["x-request-id"])
    assert isinstance(document, dict)
    return document
