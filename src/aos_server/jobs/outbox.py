"""Deliver what is in the outbox. How a message is delivered is the sink's business."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aos_server.db.pool import Database
from aos_server.services.outbox import Again, Claimed, Outcome, claim, settle

__all__ = ["Sink", "deliver_due"]

_log = logging.getLogger(__name__)

Sink: TypeAlias = Callable[[Claimed], Awaitable[Outcome]]
"""Delivers one message. It may be called more than once for a message, with the same id."""


async def deliver_due(database: Database, sink: Sink, *, limit: int = 20, lease_s: float = 60) -> int:
    """Deliver messages that are due, side by side; returns how many were tried."""
    claimed = await claim(database, limit=limit, lease_s=lease_s)
    await asyncio.gather(*(_deliver(database, sink, message, lease_s) for message in claimed))
    return len(claimed)


async def _deliver(database: Database, sink: Sink, message: Claimed, lease_s: float) -> None:
    try:
        async with asyncio.timeout(lease_s * 0.8):  # the claim must still be ours when it is settled
            outcome = await sink(message)
    except Exception as error:  # a fault of the sink must not stop the others
        _log.exception("delivering %s failed", message.id)
        outcome = Again(min(60.0 * 2**message.attempt, 3600.0), type(error).__name__)
    if not await settle(database, message, outcome):
        _log.warning("the claim on %s was lost before its delivery was written down", message.id)
