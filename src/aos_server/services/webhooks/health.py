"""Webhooks that answer no more are disabled: at once where the receiver says that it is gone, else after a while.

Like any other change it has its audit row, and a message that tells of it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from aos_server.db.pool import Database, Row, Statement
from aos_server.identity.caller import Caller, Principal
from aos_server.services.changes import Effect, Entry, Message, change

__all__ = ["SILENCE", "Reason", "disable_by_worker", "disabling"]

SILENCE = timedelta(days=3)
"""A webhook is disabled where a message's last try has failed and nothing has arrived there for so long."""

Reason = Literal["asked", "gone", "failing"]


class _Unchanged(Exception):
    """There is nothing to disable."""


def disabling(webhook: str, reason: Reason, body: dict[str, object]) -> Effect:
    """What disabling leaves behind."""
    return Effect(
        [("webhooks.disable", {"id": webhook, "reason": reason})],
        Entry("webhook.disabled", webhook, {"reason": reason}),
        200,
        body,
        [Message("webhook.disabled", {"webhook_id": webhook, "reason": reason})],
    )


async def disable_by_worker(database: Database, tenant: str, webhook: str, reason: Reason) -> bool:
    """Disable a webhook because of how it answers; False where that is not called for any more."""
    caller = Caller(Principal("urn:aos:host", "worker"), tenant, "machine")

    def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
        (found, lately) = rows
        if not found or found[0]["disabled_at"] is not None or (reason == "failing" and lately):
            raise _Unchanged
        return disabling(webhook, reason, {})

    reads: list[Statement] = [
        ("webhooks.lock", {"id": webhook}),
        ("webhooks.arrived_since", {"id": webhook, "period": SILENCE}),
    ]
    try:
        await change(database, caller, reads, decide)
    except _Unchanged:
        return False
    return True
