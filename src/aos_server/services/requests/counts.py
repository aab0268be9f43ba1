"""What is counted of requests, once it is committed."""

from collections.abc import Iterable
from datetime import datetime
from math import nan

from aos.domain.approvals.requests import OPEN, Request
from aos.errors import AosError
from aos_server.db.pool import Database, Row
from aos_server.metrics import (
    APPROVAL_DECISIONS,
    APPROVAL_REQUESTS,
    APPROVAL_REVIEWS_OPEN,
    APPROVAL_SECONDS,
    APPROVALS_PENDING,
    BREAK_GLASS,
)

__all__ = ["count", "created", "refresh"]


def created(request: Request, policy_type: str) -> None:
    """A request was made; one of level 1 was approved with it."""
    APPROVAL_REQUESTS.labels(policy_type, request.required_level).inc()
    if request.status == "approved":
        APPROVAL_DECISIONS.labels("approved", request.required_level).inc()


def count(before: Request, after: Request, created_at: datetime) -> None:
    """What became of a request."""
    if after.used > before.used:
        APPROVAL_DECISIONS.labels("consumed", after.required_level).inc()
    elif (after.status, after.required_level) != (before.status, before.required_level):
        APPROVAL_DECISIONS.labels(after.status, after.required_level).inc()
        if after.decided_at is not None and after.status not in OPEN:
            APPROVAL_SECONDS.labels(after.status).observe((after.decided_at - created_at).total_seconds())
    if after.review and before.review is None:
        BREAK_GLASS.inc()


async def refresh(database: Database) -> None:
    """Ask the database how many wait now. Raises AosError where it can't be asked: then nobody knows."""
    try:
        (rows,) = await database.read(("requests.waiting", {}))
    except AosError:
        _tell({"level": level, "waiting": nan, "reviews": nan} for level in range(1, 6))
        raise
    _tell(rows)


def _tell(rows: Iterable[Row]) -> None:
    for row in rows:
        APPROVALS_PENDING.labels(row["level"]).set(row["waiting"])
        APPROVAL_REVIEWS_OPEN.set(row["reviews"])
