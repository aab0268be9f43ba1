"""The worker: loops side by side, each of which any number of workers may run at once."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from aos.errors import AosError
from aos_server.db.pool import Database
from aos_server.jobs.outbox import Sink, deliver_due
from aos_server.services.audit.checkpoints import signer
from aos_server.services.audit.log import sequence
from aos_server.services.requests.timeouts import escalate_due, expire_due
from aos_server.settings import Settings

__all__ = ["run_worker", "working"]

_log = logging.getLogger(__name__)

WORK_S = 8.0
"""What a transaction of the worker may take: nobody waits for it."""

_LONGEST_REST_S = 10.0
"""Between two questions whether a database that was down at the start is there."""

Turn = Callable[[], Awaitable[int]]
"""One turn of a loop: how much it did. After 0 the loop rests."""


async def run_worker(settings: Settings, sink: Sink | None = None) -> None:
    """Work until SIGTERM or SIGINT; what was begun is then ended.

    A database that does not answer is waited for. Raises AosError where it can't begin all the same.
    """
    stop = _stop_signal()
    async with working(settings, sink, stop):
        await stop.wait()


@asynccontextmanager
async def working(
    settings: Settings, sink: Sink | None = None, stop: asyncio.Event | None = None
) -> AsyncIterator[None]:
    """Work as long as the block takes, or until `stop`; what was begun is then ended. Raises AosError: schema_outdated.

    Without a `sink` there is nobody to deliver to: messages wait in the outbox, untouched, until there is.
    """
    key_path, outside = settings.audit.key_path, settings.audit.checkpoints_path
    assert key_path is not None
    assert outside is not None
    key = signer(key_path)
    stop = stop or asyncio.Event()
    size = settings.database.pool_size
    async with Database.open(settings.database.url, size, deadline_s=WORK_S) as database:
        await _there(database, stop)
        async with asyncio.TaskGroup() as loops:
            loops.create_task(_loop("audit", lambda: sequence(database, key, outside), 0.5, stop))
            loops.create_task(_loop("expiry", lambda: expire_due(database), 1, stop))
            loops.create_task(_loop("escalation", lambda: escalate_due(database), 1, stop))
            loops.create_task(_loop("idempotency", lambda: _forget(database), 60, stop))
            if sink is not None:
                loops.create_task(_loop("outbox", lambda: deliver_due(database, sink), 0.5, stop))
            try:
                yield
            finally:
                stop.set()


async def _forget(database: Database) -> int:
    async with database.transaction() as transaction:
        gone = await transaction.one("idempotency.forget")
    return int(gone["count"]) if gone else 0


async def _loop(name: str, turn: Turn, rest_s: float, stop: asyncio.Event) -> None:
    """Take turns until `stop`. A failure is logged and the loop rests: the database will be back."""
    while not stop.is_set():
        try:
            done = await turn()
        except AosError as error:
            _log.warning("%s: %s: %s", name, error.code, error.detail)
            done = 0
        if not done:
            await _rest(rest_s, stop)


async def _there(database: Database, stop: asyncio.Event) -> None:
    """Return when the database answers, asking ever more seldom, or at `stop`. Raises AosError(schema_outdated)."""
    rest_s = 0.5
    while not stop.is_set():
        try:
            await database.ready()
            return
        except AosError as error:
            if error.code != "unavailable":
                raise
            _log.warning("%s; asking again in %g s", error.detail, rest_s)
        await _rest(rest_s, stop)
        rest_s = min(2 * rest_s, _LONGEST_REST_S)


async def _rest(seconds: float, stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
