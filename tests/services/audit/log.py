"""An audit log with its signer, and rows to be written into it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.routing import Router

from aos_server.app import application
from aos_server.db.pool import Database
from aos_server.services.audit import log as audit
from aos_server.services.audit.checkpoints import Signer, read_notes, signer
from aos_server.services.audit.log import Verified, sequence, verify
from aos_server.services.runtime.runs import Runs
from tests.server.http.world import People

T = TypeVar("T")
TEN = (
    "INSERT INTO audit (id, tenant_id, issuer, subject, action, object, details) "
    "SELECT gen_random_uuid(), 'acme', 'iss', 'ann', 'act', n::text, '{\"cents\": \"1.5\", \"n\": 0.1}' "
    "FROM generate_series(1, 10) n"
)


class Log:
    """A database's log, its signer and the file outside."""

    def __init__(self, base, home: Path) -> None:
        self.base = base
        self.outside = home / "checkpoints"
        self.signer: Signer = signer(home / "audit.key")

    def run(self, act: Callable[[Database], Awaitable[T]], role: str = "aos_worker") -> T:
        async def main() -> T:
            async with Database.open(self.base.pooled(role), 4) as database:
                return await act(database)

        return asyncio.run(main())

    def sequence(self) -> int:
        return self.run(lambda database: sequence(database, self.signer, self.outside))

    def verify(self) -> Verified:
        notes = read_notes(self.outside)
        return self.run(lambda database: verify(database, notes, self.signer.public))

    def do(self, statement: str) -> None:
        """What somebody can do who is the superuser, triggers and keys out of the way."""
        self.base.server.execute(f"SET session_replication_role = replica; {statement}", self.base.name)


def served(base, public: Ed25519PublicKey | None) -> Any:
    """The server on a test's database."""

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        async with Database.open(base.pooled("aos_app"), 4) as database:
            log = audit.Log(database, public)
            outer.default = application(People(), runs=Runs(database), audit=log)
            yield

    outer = Router(lifespan=lifespan, redirect_slashes=False)
    return outer
