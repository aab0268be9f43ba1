"""The outbox: messages written with the change that they tell of, and claimed by whoever delivers them.

A claim is a lease with a fence: it ends by itself, and what its holder then says no longer counts. So a worker may die
or sleep at any time; the message is delivered at least once, always with the same id.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from aos_server.db.pool import Database

__all__ = ["Again", "Claimed", "Delivered", "Failed", "Outcome", "claim", "settle"]


class Claimed(NamedTuple):
    """A message that is ours until the lease ends. `attempt` counts from 1; `sequence` is for receivers who sort."""

    id: UUID
    tenant: str
    sequence: int
    topic: str
    payload: Mapping[str, Any]
    attempt: int
    fence: int
    created_at: datetime


class Delivered(NamedTuple):
    """It has arrived."""


class Again(NamedTuple):
    """It has not arrived, and is to be tried again after so many seconds."""

    after_s: float
    error: str


class Failed(NamedTuple):
    """It will never arrive."""

    error: str


Outcome: TypeAlias = Delivered | Again | Failed


async def claim(database: Database, *, limit: int = 20, lease_s: float = 60) -> Sequence[Claimed]:
    """Take up to `limit` messages that are due, for `lease_s` seconds. No two callers get the same one meanwhile."""
    async with database.transaction() as transaction:
        rows = await transaction.all("outbox.claim", limit=limit, lease=timedelta(seconds=lease_s))
    claimed = (
        Claimed(
            *(row["id"], row["tenant_id"], row["sequence"], row["topic"], row["payload"]),
            *(row["attempts"], row["fence"], row["created_at"]),
        )
        for row in rows
    )
    return sorted(claimed, key=lambda message: message.sequence)


async def settle(database: Database, message: Claimed, outcome: Outcome) -> bool:
    """Write down how it went. False where the claim was lost: then somebody else has the message now."""
    ours = {"id": message.id, "fence": message.fence}
    async with database.transaction() as transaction:
        match outcome:
            case Again(after_s, error):
                after = timedelta(seconds=after_s)
                row = await transaction.one("outbox.again", **ours, after=after, error=error[:500])
            case Failed(error):
                row = await transaction.one("outbox.end", **ours, state="failed", error=error[:500])
            case Delivered():
                row = await transaction.one("outbox.end", **ours, state="delivered", error=None)
    return row is not None
