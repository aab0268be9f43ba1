"""The worker: loops for what is due within seconds, and jobs by the clock; any number of workers may run at once."""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import aos
from aos.errors import AosError
from aos_server.db.pool import Database
from aos_server.jobs.deliveries import Deliverer
from aos_server.jobs.measuring import measure, measure_keys
from aos_server.keystores import open_backend
from aos_server.keystores.keyring import Keyring
from aos_server.metrics import KEY_ROTATE_AFTER, LAST_TURN, TURNS_FAILED
from aos_server.services.archive import retention
from aos_server.services.audit.checkpoints import signer
from aos_server.services.audit.log import sequence
from aos_server.services.requests.timeouts import escalate_due, expire_due
from aos_server.services.webhooks.queue import spread
from aos_server.services.webhooks.targets import network_of
from aos_server.settings import Settings

__all__ = ["run_worker", "working"]

_log = logging.getLogger(__name__)

WORK_S = 8.0
"""What a transaction of the worker may take: nobody waits for it."""

_LONGEST_REST_S = 10.0
"""Between two questions whether a database that was down at the start is there."""

KEYS_S = 10.0
"""How old the keys may be that a worker signs with."""

_AFTER_A_FAULT_S = 5.0

Turn = Callable[[], Awaitable[int]]
"""One turn of a loop: how much it did. After 0 the loop rests."""


async def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; what was begun is then ended.

    A database that does not answer is waited for. Raises AosError where it can't begin all the same.
    """
    stop = _stop_signal()
    async with working(settings, stop):
        _log.info("working", extra={"aos_version": aos.__version__})
        await stop.wait()
        _log.info("ending")


@asynccontextmanager
async def working(settings: Settings, stop: asyncio.Event | None = None) -> AsyncIterator[None]:
    """Work as long as the block takes, or until `stop`; what was begun is then ended.

    Raises AosError: schema_outdated, and key_missing where there is none to sign messages with.
    """
    from aos_server.jobs.periodic import Means, jobs_of  # with procrastinate, which `serve` does not need
    from aos_server.jobs.runner import order_asked, reap, run_jobs
    from aos_server.jobs.standing import measure as measure_jobs
    from aos_server.services.backups.duty import duty_of, see

    key_path, outside = settings.audit.key_path, settings.audit.checkpoints_path
    assert key_path is not None
    assert outside is not None
    key = signer(key_path)
    keystore = open_backend(settings.keys)
    keys = await asyncio.to_thread(Keyring, keystore, datetime.now(UTC))
    network = network_of(settings.webhook_hosts)
    stop = stop or asyncio.Event()
    size, days = settings.database.pool_size, settings.keys.every_days
    rotate_after = timedelta(days=days) if days else None
    if rotate_after is not None:
        KEY_ROTATE_AFTER.set(rotate_after.total_seconds())
    jobs, duty = jobs_of(settings.backups), duty_of(settings)
    async with Database.open(settings.database.url, size, deadline_s=WORK_S) as database:
        await _there(database, stop)
        async with asyncio.TaskGroup() as loops:
            loops.create_task(_loop("audit", lambda: sequence(database, key, outside), 0.5, stop))
            loops.create_task(_loop("expiry", lambda: expire_due(database), 1, stop))
            loops.create_task(_loop("escalation", lambda: escalate_due(database), 1, stop))
            loops.create_task(_loop("outbox", lambda: spread(database), 0.25, stop))
            loops.create_task(_loop("keys", lambda: _refresh(keys), KEYS_S, stop))
            loops.create_task(_loop("standing", lambda: measure(database, keys), 15, stop))
            loops.create_task(_loop("jobs left", lambda: reap(database), 5, stop))
            loops.create_task(Deliverer(database, network, keys, public_url=settings.web.url).run(stop))
            loops.create_task(_loop("jobs", lambda: measure_jobs(database, jobs), 15, stop))
            kept = retention(*settings.archiving)
            means = Means(database, keystore, rotate_after, settings.operating_tenant, kept, duty)
            loops.create_task(run_jobs(jobs, means, stop))
            if duty:
                loops.create_task(_loop("backups", partial(see, duty, database), 30, stop))
                loops.create_task(_loop("backup orders", lambda: order_asked(database), 2, stop))
            try:
                yield
            finally:
                stop.set()


async def _refresh(keys: Keyring) -> int:
    """Take over keys that were rotated elsewhere. Where their place is gone, those that were loaded sign on."""
    before = keys.trouble
    await asyncio.to_thread(keys.refresh, datetime.now(UTC))
    if keys.trouble is not None and before is None:
        _log.warning("keys: %s: %s", keys.trouble.code, keys.trouble.detail)
    measure_keys(keys)
    return 0


async def _loop(name: str, turn: Turn, rest_s: float, stop: asyncio.Event) -> None:
    """Take turns until `stop`. A failure is logged, counted, and the loop rests: the database will be back.

    So is a fault of ours: the other loops have nothing to do with it.
    """
    failed, last = TURNS_FAILED.labels(name), LAST_TURN.labels(name)
    last.set(time.time())  # else one that fails from the start would be unknown
    while not stop.is_set():
        rest = rest_s
        try:
            done = await turn()
            last.set(time.time())
            if done:
                continue
        except AosError as error:
            _log.warning("%s: %s: %s", name, error.code, error.detail)
            failed.inc()
        except Exception:
            _log.exception("%s failed", name)
            failed.inc()
            rest = max(rest_s, _AFTER_A_FAULT_S)
        await _rest(rest, stop)


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
