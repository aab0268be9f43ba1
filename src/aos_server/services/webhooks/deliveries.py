"""Deliveries as people see them: what became of each message, try by try; and once more."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from aos.errors import AosError
from aos.wire.results.documents import Document, envelope
from aos_server.db.pool import Database, Row
from aos_server.identity.caller import Caller
from aos_server.services.changes import Effect, Entry, Given, change
from aos_server.services.idempotency import Key
from aos_server.services.pages import Place, before, cut
from aos_server.services.webhooks.endpoints import kept_out

__all__ = ["page", "redeliver", "show", "unknown"]


async def page(
    database: Database, tenant: str, webhook: str, state: str | None, after: Place | None, limit: int
) -> tuple[list[Document], Place | None]:
    """A webhook's deliveries, the newest first, and where the next page starts; None: there is no more."""
    async with database.transaction(tenant) as transaction:
        rows = await transaction.all("deliveries.page", webhook=webhook, state=state, **before(after, limit))
    shown, following = cut(rows, limit)
    return [_line(row, row["attempts"], row["last"]) for row in shown], following


async def show(database: Database, tenant: str, delivery: UUID) -> Document:
    """One delivery, what it says, and each try. Raises AosError(not_found)."""
    async with database.transaction(tenant) as transaction:
        found, attempts = await transaction.many(
            [("deliveries.get", {"id": delivery}), ("deliveries.attempts", {"id": delivery})]
        )
    if not found:
        raise unknown()
    return {
        **envelope("aos.delivery/1"),
        **_line(found[0], len(attempts), attempts[-1] if attempts else None),
        "data": found[0]["payload"],
        "log": [
            {
                "at": one["at"].isoformat(),
                "ms": one["ms"],
                "status": one["status"],
                "code": one["code"],
                "detail": one["detail"],
                "reply": one["reply"],
            }
            for one in attempts
        ],
    }


async def redeliver(database: Database, caller: Caller, delivery: UUID, key: Key | None) -> Given:
    """Send it once more, with the same id, and all its tries. Raises AosError: not_found, webhook_conflict."""

    def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
        if not rows[0]:
            raise unknown()
        row = rows[0][0]
        if refusal := kept_out(caller, row["webhook_id"], row, "redeliver"):
            return refusal
        if row["disabled_at"] is not None:
            raise AosError("webhook_conflict", "the webhook is disabled: enable it first")
        again = {**row, "state": "waiting", "due_at": now, "ended_at": None}
        body = {**envelope("aos.redelivery/1"), **_line(again, None, None)}
        entry = Entry("webhook.redelivered", row["webhook_id"], {"delivery_id": str(delivery)})
        return Effect([("deliveries.again", {"id": delivery})], entry, 202, body)

    return await change(database, caller, [("deliveries.lock", {"id": delivery})], decide, key)


def _line(row: Row, attempts: int | None, last: Row | None) -> Document:
    """A delivery in a few figures."""
    return {
        "delivery_id": str(row["id"]),
        "webhook_id": row["webhook_id"],
        "message_id": str(row["message_id"]),
        "type": row["topic"],
        "sequence": row["sequence"],
        "state": row["state"],
        "attempts": attempts,
        "status": last and last["status"],
        "code": last and last["code"],
        "next_at": row["due_at"].isoformat() if row["state"] == "waiting" else None,
        "created_at": row["created_at"].isoformat(),
        "ended_at": row["ended_at"] and row["ended_at"].isoformat(),
    }


def unknown() -> AosError:
    """The refusal of a delivery that is not there, or another tenant's."""
    return AosError(
        "not_found",
        "there is no such delivery",
        fix="`aos webhooks deliveries WEBHOOK` shows those there are.",
    )
