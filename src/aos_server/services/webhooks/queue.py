"""What workers do: messages become deliveries, deliveries are claimed, tries are settled.

A claim is a lease with a fence: it ends by itself, and what its holder then says no longer counts. So a worker may die
or sleep at any time; a message is delivered at least once, always with the same id.
"""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from aos_server.db.pool import Database

__all__ = ["Claimed", "End", "Try", "claim", "forget", "release", "settle", "spread"]


class Claimed(NamedTuple):
    """A delivery that is ours until the lease ends. `tries` were made before; `told_at` is when it happened."""

    id: UUID
    tenant: str
    webhook: str
    message: UUID
    sequence: int
    tries: int
    fence: int
    url: str
    legacy: bool
    topic: str
    payload: Mapping[str, Any]
    told_at: datetime


class Try(NamedTuple):
    """One try. `status` None: there was no answer; `code` None: it has arrived. `reply` is how the answer began."""

    ms: int
    status: int | None = None
    code: str | None = None
    detail: str | None = None
    reply: str | None = None
    retry_after_s: float | None = None


class End(NamedTuple):
    """How a try of a claimed delivery ended: `after_s` None: for good."""

    claimed: Claimed
    tried: Try
    after_s: float | None

    @property
    def state(self) -> str:
        """What the delivery is from now on."""
        if self.tried.code is None:
            return "delivered"
        return "failed" if self.after_s is None else "waiting"


async def spread(database: Database, *, limit: int = 500) -> int:
    """Make deliveries of new messages, for every webhook that wants them; returns how many messages it were.

    One worker does so at a time, whose turn is a transaction: each message is spread once, in order.
    """
    async with database.transaction() as transaction:
        held = await transaction.one("outbox.lock")
        if not held or not held["held"]:
            return 0
        done = await transaction.one("outbox.spread", limit=limit)
    return int(done["messages"]) if done else 0


async def claim(
    database: Database,
    *,
    webhooks: int,
    each: int,
    busy: Mapping[str, str] = {},
    of_tenant: int | None = None,
    lease_s: float = 60,
) -> Sequence[Claimed]:
    """Take deliveries that are due, up to `each` of up to `webhooks`, none of those that are `busy`.

    `busy` has webhooks with their tenants; of one tenant at most `of_tenant` are busy then. No two callers get the same
    delivery as long as the lease lasts. Each call begins at another webhook, so that none is always the last.
    """
    start = f"wh_{secrets.choice('234567abcdefghijklmnopqrstuvwxyz')}{secrets.token_hex(4)}"
    served = Counter(busy.values())
    values = {
        "webhooks": webhooks,
        "each": each,
        "busy": list(busy),
        "tenants": list(served),
        "served": list(served.values()),
        "of_tenant": of_tenant or webhooks,
        "start": start,
    }
    async with database.transaction() as transaction:  # where its answer is lost, the lease ends by itself
        (rows,) = await transaction.last(
            [("deliveries.claim", {**values, "lease": timedelta(seconds=lease_s)})]
        )
    return [
        Claimed(
            *(row["id"], row["tenant_id"], row["webhook_id"], row["message_id"], row["sequence"]),
            *(row["tries"], row["fence"], row["url"], row["legacy_signature"], row["topic"]),
            *(row["payload"], row["created_at"]),
        )
        for row in rows
    ]


async def settle(database: Database, ends: Sequence[End]) -> set[UUID]:
    """Write down how tries ended; returns the deliveries of which it was. Of the others the claim was lost."""
    columns = {
        "ids": [end.claimed.id for end in ends],
        "fences": [end.claimed.fence for end in ends],
        "states": [end.state for end in ends],
        "afters": [end.after_s or 0.0 for end in ends],
        "times": [end.tried.ms for end in ends],
        "statuses": [end.tried.status for end in ends],
        "codes": [end.tried.code for end in ends],
        "details": [end.tried.detail for end in ends],
        "replies": [end.tried.reply for end in ends],
    }
    async with database.transaction() as transaction:  # where its answer is lost, the fence decides
        (rows,) = await transaction.last([("deliveries.settle", columns)])
    return {row["id"] for row in rows}


async def release(database: Database, claimed: Sequence[Claimed]) -> None:
    """Give back what was not tried."""
    async with database.transaction() as transaction:
        await transaction.send(
            "deliveries.release", ids=[one.id for one in claimed], fences=[one.fence for one in claimed]
        )


async def forget(database: Database) -> int:
    """Delete messages older than 30 days with their deliveries, and webhooks of old requests; how many it were."""
    async with database.transaction() as transaction:
        gone = await transaction.many([("outbox.forget", {}), ("webhooks.forget", {})])
    return sum(int(row["count"]) for (row,) in gone)
