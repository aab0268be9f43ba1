"""`aos-server key`: service keys, with which machines call the server."""

import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from typer import Argument, Option

from aos.wire.results.documents import envelope
from aos_server.cli.answers import Answer
from aos_server.cli.groups import group
from aos_server.settings import read

if TYPE_CHECKING:
    from aos_server.services.service_keys import StoredKeys

__all__ = ["service_keys"]

service_keys = group("Make, list and revoke service keys, with which machines call the server.")

T = TypeVar("T")
Tenant = Annotated[str, Argument(metavar="TENANT", help="Whose key it is.")]


class Scope(StrEnum):
    """What a key may do. Deciding is not among it: that takes a person."""

    READ = "read"
    EVALUATE = "evaluate"
    CREATE = "create"
    OPERATE = "operate"


@service_keys.command(epilog="Example:  aos-server key create acme --scope read --name ci")
def create(
    tenant: Tenant,
    scope: Annotated[list[Scope], Option(help="What it may do; again for more.")],
    name: Annotated[str, Option(metavar="TEXT", help="What it is for, to be told apart by people.")] = "",
    days: Annotated[
        int | None, Option(min=1, max=3650, help="How long it is valid; else until revoked.")
    ] = None,
    per_minute: Annotated[
        int | None, Option(min=1, max=1_000_000, help="Requests a minute; else as everybody.")
    ] = None,
) -> Answer:
    """Make a service key, and show it: this once. What is kept opens nothing; the audit log says who made it."""
    from aos_server.cli.host import host_caller

    caller = host_caller(tenant)
    ends = None if days is None else time.time() + days * 86_400
    made = _with_keys(
        lambda keys: keys.create(
            caller, name, frozenset(one.value for one in scope), expires_at_s=ends, per_minute=per_minute
        )
    )
    document = {
        **envelope("aos.service-key/1"),
        "key": made.text,
        "id": made.key.id,
        "tenant_id": tenant,
        "name": name,
        "scopes": sorted(made.key.scopes),
        "per_minute": per_minute,
        "expires_at": None
        if ends is None
        else datetime.fromtimestamp(ends, UTC).isoformat(timespec="seconds"),
    }
    return Answer(document, made.text, aside=f"This is the only time that key {made.key.id} is shown.")


@service_keys.command("list", epilog="Example:  aos-server key list acme")
def list_(tenant: Tenant) -> Answer:
    """The keys of a tenant, the newest first: what they may do and whether they are valid, never the keys."""
    from aos.wire.problems import visible
    from aos_server.cli.host import host_caller

    caller = host_caller(tenant)
    rows = [_told(row) for row in _with_keys(lambda keys: keys.list(caller.tenant))]
    document = {**envelope("aos.service-keys/1"), "tenant_id": tenant, "keys": rows, "count": len(rows)}
    lines = [
        f"{row['id']}  {row['status']:7}  {','.join(row['scopes'])}  {visible(row['name'])}".rstrip()
        for row in rows
    ]
    return Answer(document, "\n".join(lines) or f"{tenant} has no service key")


@service_keys.command(epilog="Example:  aos-server key revoke acme abcdefghijklmnop")
def revoke(
    tenant: Tenant, key: Annotated[str, Argument(metavar="KEY", help="Its id, as `key list` shows it.")]
) -> Answer:
    """From now on the key is not valid, on any server."""
    from aos_server.cli.host import host_caller

    caller = host_caller(tenant)
    _with_keys(lambda keys: keys.revoke(caller, key))
    return Answer({**envelope("aos.service-key-revoked/1"), "tenant_id": tenant, "id": key}, f"revoked {key}")


def _with_keys(act: "Callable[[StoredKeys], Awaitable[T]]") -> T:
    import asyncio

    from aos_server.db.pool import Database
    from aos_server.services.service_keys import StoredKeys

    async def main() -> T:
        async with Database.open(read(os.environ, "serve").database.url, 1) as database:
            return await act(StoredKeys(database))

    return asyncio.run(main())


def _told(row: Any) -> dict[str, Any]:
    ends, gone = row["expires_at"], row["revoked_at"]
    over = ends is not None and ends <= datetime.now(UTC)
    moments = {key: row[key] and row[key].isoformat() for key in ("created_at", "expires_at", "revoked_at")}
    return {
        "id": row["id"],
        "name": row["name"],
        "status": "revoked" if gone else "expired" if over else "valid",
        "scopes": row["scopes"],
        "owner": {"issuer": row["owner_issuer"], "subject": row["owner_subject"]},
        "per_minute": row["per_minute"],
        **moments,
    }
