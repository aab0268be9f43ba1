"""Approval requests on a real database: who asks and decides, and what the tables then say."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from aos.errors import AosError
from aos_server.db.pool import Database
from aos_server.identity.caller import Caller, Principal
from aos_server.services.policy.decisions import call_of
from aos_server.services.requests.create import Asked, Desk, create
from aos_server.services.requests.decide import Said
from aos_server.services.tenants import Stored
from tests.fakes.workers import Inline

T = TypeVar("T")
ISSUER = "https://login.example"
PATIENCE_S = 30
READ = call_of("fs_read", {"path": "notes.txt"})


def person(subject: str, level: int = 2, tenant: str = "acme", *, live: bool = True) -> Caller:
    return Caller(Principal(ISSUER, subject), tenant, "human", (), level, live)


def key_of(owner: Caller, name: str = "k1") -> Caller:
    issuer = "urn:aos:service-key"
    scopes = frozenset(("read", "create"))
    return Caller(Principal(issuer, name), owner.tenant, "machine", scopes=scopes, owner=owner.principal)  # type: ignore[arg-type]


ANN = person("ann")
BOB, EVE = person("bob", 5), person("eve", 5)


YES = Said("it is fine")


async def code(act: Awaitable[Any]) -> str:
    """The code with which it is refused; "" where it is not."""
    try:
        await act
    except AosError as error:
        return error.code
    return ""


def patient(base: Any) -> Any:
    """The database, in which nobody is told to come back later because the machine is busy."""
    for setting in ("lock_timeout", "statement_timeout"):
        base.server.execute(f"ALTER ROLE aos_app IN DATABASE {base.name} SET {setting} = '{PATIENCE_S} s'")
    return base


def desk_of(database: Database, *, trusting: bool = False) -> Desk:
    return Desk(database, Inline(), Stored(database), trusting)


def run(base: Any, act: Callable[[Desk], Awaitable[T]], size: int = 12) -> T:
    """Do it through PgBouncer, as the server does."""

    async def main() -> T:
        async with Database.open(base.pooled("aos_app"), size, deadline_s=PATIENCE_S) as database:
            return await act(desk_of(database))

    return asyncio.run(main())


def worker(base: Any, act: Callable[[Database], Awaitable[T]]) -> T:
    """Do it as the worker."""

    async def main() -> T:
        async with Database.open(base.pooled("aos_worker"), 4, deadline_s=PATIENCE_S) as database:
            return await act(database)

    return asyncio.run(main())


async def ask(desk: Desk, caller: Caller = ANN, level: int = 3, **given: Any) -> str:
    """Make a request; its id."""
    asked = Asked("cost", READ, skill="fs_read", level=level, **given)
    return str((await create(desk, caller, asked)).body["request_id"])


def pass_time(base: Any, request: str, by: timedelta) -> None:
    """For this request so much time has passed."""
    seconds = by.total_seconds()
    columns = ("created_at", "expires_at", "escalates_at", "decided_at", "grant_expires_at")
    moved = ", ".join(f"{name} = {name} - interval '{seconds} s'" for name in columns)
    base.server.execute(f"UPDATE requests SET {moved} WHERE id = '{request}'", base.name)


def status(base: Any, request: str) -> str:
    return str(base.rows(f"SELECT status FROM requests WHERE id = '{request}'")[0][0])


def audited(base: Any, request: str) -> list[tuple[Any, ...]]:
    """What the audit log has of it, in order: action, who, code of the refusal."""
    return list(
        base.rows(
            "SELECT action, subject, details->>'code' FROM audit JOIN audit_pending ON audit_id = audit.id "
            f"WHERE object = '{request}' ORDER BY position"
        )
    )


def topics(base: Any, request: str) -> list[str]:
    found = base.rows(
        f"SELECT topic FROM outbox WHERE payload->>'request_id' = '{request}' ORDER BY sequence"
    )
    return [str(topic) for (topic,) in found]
