"""A server to race against, whose callers are who their token says, at the level that it says: `SUBJECT.LEVEL`.

`python -m tests.races.server DATABASE_URL` serves at a port of its own, which it prints, until standard input ends.
"""

import asyncio
import socket
import sys
from typing import Any, cast

import uvicorn

from aos_server.app import application
from aos_server.db.pool import Database
from aos_server.identity.authenticate import Credentials
from aos_server.identity.caller import Caller, Principal
from aos_server.limits.protocol import SETTINGS
from aos_server.services.runtime.runs import Runs
from aos_server.settings import Secret

__all__ = ["ISSUER", "TENANT"]

ISSUER, TENANT = "https://login.example", "acme"
PATIENCE_S = 30.0
"""How long a transaction may take here: the machine is busy, and a refusal is no history."""


class Named:
    """Believes everybody."""

    async def identify(self, given: Credentials, *, live: bool) -> Caller:
        assert given.token is not None
        subject, _, level = given.token.rpartition(".")
        return Caller(Principal(ISSUER, subject), TENANT, "human", (), int(level), True)

    async def named(self, user: str, tenant: str) -> Caller:
        raise NotImplementedError


async def main() -> None:
    """Serve."""
    async with Database.open(Secret(sys.argv[1]), 12, deadline_s=PATIENCE_S) as database:
        app = application(Named(), runs=Runs(cast(Any, None)), database=database)
        settings = {**SETTINGS, "lifespan": "off", "log_config": None, "timeout_keep_alive": 600}
        server = uvicorn.Server(uvicorn.Config(app, **settings))
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
            print(listener.getsockname()[1], flush=True)
            serving = asyncio.create_task(server.serve([listener]))
            await asyncio.to_thread(sys.stdin.read)
            server.should_exit = True
            await serving


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
