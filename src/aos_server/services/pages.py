"""Pages of rows, which are sorted by a moment and then by an id, the newest first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from aos_server.db.pool import Row

__all__ = ["Place", "before", "cut"]


class Place(NamedTuple):
    """The last row of a page: the next one goes on after it."""

    at: datetime
    id: str | UUID


def before(after: Place | None, limit: int) -> dict[str, Any]:
    """What a statement is given that reads a page of `limit` rows after that place, and one more."""
    at, row_id = after or (None, None)
    return {"before_at": at, "before_id": row_id, "limit": limit + 1}


def cut(rows: Sequence[Row], limit: int, moment: str = "created_at") -> tuple[Sequence[Row], Place | None]:
    """The rows of the page, and its last place; None where there is no row after it. `moment` names their column."""
    last = rows[limit - 1] if len(rows) > limit else None
    return rows[:limit], Place(last[moment], last["id"]) if last else None
