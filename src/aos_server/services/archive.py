"""The archive: requests and runs that are over are moved out of the way of those that are not, and stay readable.

A row is moved once, in one transaction with the entry in the audit log that tells of it. What is deleted from the
archive is gone; its entry, with the digest of which rows it were, stays.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from aos.errors import AosError
from aos.wire.results.documents import Document, envelope
from aos_server.db.pool import Database, Row
from aos_server.identity.caller import Caller
from aos_server.services.changes import Effect, Entry, Given, change
from aos_server.services.idempotency import Key
from aos_server.services.requests.decide import CLOCK
from aos_server.services.requests.stored import stamp

__all__ = ["NEVER", "Archive", "Retention", "retention", "sweep"]

LIMIT = 500
"""Rows that are moved in one transaction: well within what a statement of the worker may take."""


class Retention(NamedTuple):
    """What is over for `age` is archived, what is over for `keep` is deleted from there. None: never."""

    age: timedelta | None
    keep: timedelta | None = None


NEVER = Retention(None)


def retention(after_days: int, keep_days: int) -> Retention:
    """The same in days; 0 is never."""
    return Retention(*(timedelta(days) if days else None for days in (after_days, keep_days)))


class _Nothing(Exception):
    """There is nothing more to move."""


class _Move(NamedTuple):
    """What is done with which rows, and by which statement."""

    what: str
    act: str
    statement: str


_ARCHIVE = _Move("requests", "archived", "archive.requests"), _Move("runs", "archived", "archive.runs")
_FORGET = (
    _Move("requests", "forgotten", "archive.forget_requests"),
    _Move("runs", "forgotten", "archive.forget_runs"),
)


async def sweep(database: Database, retention: Retention, limit: int = LIMIT) -> int:
    """Move and delete what is due, of every tenant; how many requests and runs it were."""
    age, keep = retention
    if age is None:
        return 0
    async with database.transaction() as transaction:
        rows = await transaction.all("archive.tenants", age=age, keep=keep)
    moves = [(move, age) for move in _ARCHIVE] + [(move, keep) for move in _FORGET if keep is not None]
    done = 0
    for row in rows:
        for move, least in moves:
            while moved := await _some(database, row["tenant"], move, least, limit):
                done += moved
    return done


async def _some(database: Database, tenant: str, move: _Move, age: timedelta, limit: int) -> int:
    moved = 0

    def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
        nonlocal moved
        ids = sorted(row["id"] for row in rows[0])
        if not ids:
            raise _Nothing
        moved = len(ids)
        digest = sha256("\n".join(ids).encode()).hexdigest()
        told = {"count": moved, "older_than_days": age.days, "sha256": digest}
        return Effect([], Entry(f"{move.what}.{move.act}", move.what, told), 200, {})

    clock, asked = Caller(CLOCK, tenant, "machine"), {"age": age, "limit": limit}
    with suppress(_Nothing):
        await change(database, clock, [(move.statement, asked)], decide)
    return moved


class Archive:
    """What operators see of it."""

    def __init__(self, database: Database, retention: Retention) -> None:
        self._database = database
        self._retention = retention

    async def show(self, tenant: str) -> Document:
        """How many rows there are here and there: the document `aos.archive/1`."""
        age, keep = self._retention
        (rows,) = await self._database.read(("archive.count", {"age": age}), tenant=tenant)
        return {
            **envelope("aos.archive/1"),
            "after_days": None if age is None else age.days,
            "keep_days": None if keep is None else keep.days,
            **{row["what"]: _counts(row, ever=age is not None) for row in rows},
        }

    async def order(self, caller: Caller, key: Key | None) -> Given:
        """Have a worker move now what is due. Raises AosError(bad_value) where nothing ever is."""
        if self._retention.age is None:
            raise AosError("bad_value", "nothing is archived here: AOS_ARCHIVE_DAYS is 0")

        def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
            body = {**envelope("aos.archive-order/1"), "ordered": bool(rows[0])}
            return Effect([], Entry("job.ordered", "archive"), 202, body)

        return await change(self._database, caller, [("archive.order", {})], decide, key)


def _counts(row: Row, *, ever: bool) -> Document:
    oldest = row["oldest"]
    return {
        "live": row["live"],
        "due": row["due"] if ever else None,
        "archived": row["archived"],
        "oldest_archived_at": oldest and stamp(oldest),
    }
