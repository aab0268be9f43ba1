"""A server as in production, with an OpenID provider where people log in and an auth service that a test commands."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest

from aos_server.identity.caller import Caller, Principal
from tests.server.browser import Browser
from tests.server.processes import aos_server
from tests.services.conftest import Base
from tests.services.oidc.provider import OpenId
from tests.services.processes import Process, free_port
from tests.services.requests.requesting import ask, run
from tests.services.serving.settings import in_production
from tests.services.web.roles import Roles


class World(NamedTuple):
    """What the tests of a module share."""

    url: str
    base: Base
    provider: OpenId
    roles: Roles

    def person(self, subject: str, level: int = 2, tenant: str = "acme") -> Caller:
        """Somebody whom the provider knows, as services know callers."""
        return Caller(Principal(self.provider.url, subject), tenant, "human", (), level, True)

    def ask(self, by: str = "ann", level: int = 3, tenant: str = "acme", **given: Any) -> str:
        """A request that somebody made."""
        return run(self.base, lambda desk: ask(desk, self.person(by, tenant=tenant), level, **given), 2)


@pytest.fixture(scope="module")
def shared(new_base: Callable[[], Base], redis_server: Process, provider: OpenId) -> Iterator[World]:
    base, port = new_base(), free_port()
    with Roles().serving() as roles:
        env = {
            **in_production(base, redis_server, provider),
            "AOS_PORT": str(port),
            "AOS_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "AOS_WEB_CLIENT_ID": "aos-web",
            "AOS_WEB_CLIENT_SECRET": "w3b",
            "AUTH_SERVICE_URL": roles.url,
            "AUTH_API_KEY": "k",
            **{f"AOS_RATE_{act}_RPM": "100000" for act in ("DECIDE", "READ")},
        }
        with aos_server("serve", env=env) as served:
            yield World(served.url, base, provider, roles)


@pytest.fixture
def world(shared: World) -> World:
    """Everybody has their roles back."""
    shared.roles.held = {
        "ann": "developer",
        "bob": "manager",
        "eve": "owner",
        "tim": "tech_lead",
        "leo": "guest",
    }
    shared.roles.down = False
    return shared


@pytest.fixture
def browse(world: World) -> Iterator[Callable[[], Browser]]:
    """Opens browsers in which nobody is logged in."""
    with ExitStack() as stack:

        def opened() -> Browser:
            browser = Browser(world.url)
            stack.enter_context(browser.client)
            return browser

        yield opened


@pytest.fixture
def log_in(browse: Callable[[], Browser]) -> Callable[[str], Browser]:
    """Somebody's browser, logged in."""
    return lambda name: browse().log_in(name)
