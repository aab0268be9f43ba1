"""The application: everything that it is made of, put together."""

import os
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from starlette.routing import Router
from starlette.types import ASGIApp

from aos_server.http.edge import Edge
from aos_server.http.gate import Gate, Identifies
from aos_server.http.health import Operations
from aos_server.http.people import People
from aos_server.http.policy import Policy
from aos_server.http.routes import Handlers, endpoints, router
from aos_server.http.runtime import Runtime
from aos_server.limits.rates import Rates
from aos_server.services.tenants import Free, Tenants
from aos_server.services.workers import Workers

__all__ = ["create_app"]


def create_app(
    identity: Identifies,
    *,
    tenants: Tenants | None = None,
    rates: Rates | None = None,
    hosts: Collection[str] = (),
    trusting: bool = False,
    processes: int | None = None,
) -> ASGIApp:
    """The server. `processes` compute plans; one for each core, and at least two, where it is not said."""
    workers = Workers(processes or max(2, os.cpu_count() or 2), timeout_s=25)
    tenants = tenants or Free()
    handlers = Handlers(
        Operations({}, {}), Runtime(workers, tenants), Policy(workers, tenants), People(identity)
    )

    @asynccontextmanager
    async def lifespan(_: Router) -> AsyncIterator[None]:
        await workers.start()
        yield

    gate = Gate(identity, rates, trusting=trusting)
    return Edge(router(endpoints(handlers), gate, lifespan), hosts)
