"""Server and worker on a test's database, with keys that are looked for all the time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from starlette.routing import Router

from aos_server.app import application
from aos_server.db.pool import Database
from aos_server.jobs.deliveries import Deliverer
from aos_server.keystores.backend import Backend
from aos_server.keystores.keyring import Keyring
from aos_server.services.webhooks.endpoints import Webhooks
from aos_server.services.webhooks.queue import spread
from aos_server.services.webhooks.targets import network_of
from tests.server.http.world import NO_RUNS
from tests.services.staff import Staff

NEAR = network_of(("127.0.0.1",))
KEYS = "/api/v1/keys"


def working_server(base, backend: Backend, operating: str = "acme") -> Any:
    """Server and worker on a test's database; the worker looks for new keys five times a second."""
    keys = Keyring(backend, datetime.now(UTC))

    async def refresh(stop: asyncio.Event, worker: Database) -> None:
        while not stop.is_set():
            await asyncio.to_thread(keys.refresh, datetime.now(UTC))
            await spread(worker)
            await asyncio.sleep(0.2)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        async with (
            Database.open(base.pooled("aos_app"), 4) as database,
            Database.open(base.pooled("aos_worker"), 3) as worker,
            asyncio.TaskGroup() as loops,
        ):
            webhooks = Webhooks(database, NEAR)
            outer.default = application(
                Staff(),
                runs=NO_RUNS,
                database=database,
                webhooks=webhooks,
                keys=keys,
                keystore=backend,
                operating_tenant=operating,
            )
            stop = asyncio.Event()
            loops.create_task(Deliverer(worker, NEAR, keys).run(stop))
            loops.create_task(refresh(stop, worker))
            yield
            stop.set()

    outer = Router(lifespan=lifespan, redirect_slashes=False)
    return outer
