"""What happens to requests by itself: nobody decided in time, so they expire, or the next level is asked."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime

from aos.domain.approvals import requests as approvals
from aos.domain.approvals.requests import Request
from aos.errors import AosError
from aos_server.db.pool import Database, Row
from aos_server.identity.caller import Caller
from aos_server.services.requests.decide import CLOCK, Rule, decided

__all__ = ["escalate_due", "expire", "expire_due"]

LIMIT = 50

_log = logging.getLogger(__name__)


class _Unchanged(Exception):
    """Somebody else was there first."""


async def expire(database: Database, tenant: str, request: str) -> None:
    """Write down that its time is up, unless somebody has decided meanwhile."""

    def rule(found: Request, now: datetime, rows: Sequence[Sequence[Row]]) -> Request:
        if not found.is_overdue(now):
            raise _Unchanged
        return approvals.expire(found, now)

    await _happens(database, tenant, request, "expire", rule)


async def expire_due(database: Database) -> int:
    """Expire requests of every tenant whose time is up; how many it were."""
    return await _each(database, "requests.overdue", expire)


async def escalate_due(database: Database) -> int:
    """Ask the next level about requests of every tenant on which nobody of this one decided in time."""
    return await _each(database, "requests.stuck", _escalate)


async def _escalate(database: Database, tenant: str, request: str) -> None:
    def rule(found: Request, now: datetime, rows: Sequence[Sequence[Row]]) -> Request:
        if not found.is_due_to_escalate(now):
            raise _Unchanged
        return approvals.escalate(found, now)

    await _happens(database, tenant, request, "escalate", rule)


async def _each(database: Database, name: str, act: Callable[[Database, str, str], Awaitable[None]]) -> int:
    async with database.transaction() as transaction:
        rows = await transaction.all(name, limit=LIMIT)
    done = 0
    for row in rows:
        request = str(row["id"])
        try:
            await act(database, row["tenant_id"], request)
            done += 1
        except AosError:  # the database: the others would fare no better
            raise
        except Exception:  # a fault of ours with this one
            _log.exception("%s: request %s failed", name, request)
    return done


async def _happens(database: Database, tenant: str, request: str, act: str, rule: Rule) -> None:
    with suppress(_Unchanged):
        await decided(database, Caller(CLOCK, tenant, "machine"), request, act, rule)
