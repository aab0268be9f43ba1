"""The whole API on a real Postgres, for tests that try all of its addresses."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.routing import Router

from aos_server.app import COMPUTE_S, application
from aos_server.db.pool import Database
from aos_server.keystores.keyring import Keyring
from aos_server.services.archive import retention
from aos_server.services.audit.log import Log
from aos_server.services.policy.versions import Versions
from aos_server.services.runtime.runs import Runs
from aos_server.services.webhooks.endpoints import Webhooks
from aos_server.services.webhooks.targets import network_of
from aos_server.services.workers import Workers
from tests.server.serve import serving
from tests.services.keys.making import new_keys

__all__ = ["everything"]


@contextmanager
def everything(base: Any, people: Any, folder: Path) -> Iterator[str]:
    """Its URL. `people` say who asks; the keys of webhooks are made in `folder`."""
    keys = Keyring(new_keys(folder / "keys"), datetime.now(UTC))

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        async with Database.open(base.pooled("aos_app"), 4) as database:
            outer.default = application(
                people,
                runs=Runs(database),
                database=database,
                versions=Versions(database, Workers(1, COMPUTE_S)),
                audit=Log(database),
                webhooks=Webhooks(database, network_of(())),
                keys=keys,
                archived=retention(90, 0),
            )
            yield

    outer = Router(lifespan=lifespan, redirect_slashes=False)
    with serving(outer) as url:
        yield url
