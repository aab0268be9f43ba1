"""How far the clock of this machine is from the database's, by which requests expire."""

from datetime import UTC, datetime
from math import nan

from aos.errors import AosError
from aos_server.db.pool import Database
from aos_server.metrics import CLOCK_AHEAD

__all__ = ["ahead", "measure"]


async def measure(database: Database) -> None:
    """Ask the database what time it is. Raises AosError(unavailable): then nobody knows."""
    before = datetime.now(UTC)
    try:
        ((row,),) = await database.read(("session.clock", {}))
    except AosError:
        CLOCK_AHEAD.set(nan)
        raise
    CLOCK_AHEAD.set(ahead(before, row["now"], datetime.now(UTC)))


def ahead(before: datetime, there: datetime, after: datetime) -> float:
    """Seconds, at least: 0 where the other clock says a time between those of the question and of its answer here."""
    if there < before:
        return (before - there).total_seconds()
    return min((after - there).total_seconds(), 0.0)
