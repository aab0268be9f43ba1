"""Deliver what is due, many webhooks side by side, so that one that does not answer keeps only itself waiting.

A webhook has a round at a time in a worker: a few of its deliveries, the first of them alone. Only once that was
answered soon do the others follow, four at a time; else they are given back, and other webhooks have their turn first.
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
from typing import NamedTuple
from weakref import WeakValueDictionary

from aos.errors import AosError
from aos.runtime.guards.network import Network
from aos_server.db.pool import Database
from aos_server.jobs.posting import Post, post
from aos_server.metrics import DELIVERIES, DELIVERY_LAG
from aos_server.services.requests.stored import linked
from aos_server.services.webhooks import rehearsals
from aos_server.services.webhooks.health import Reason, disable_by_worker
from aos_server.services.webhooks.messages import LoadedSecrets, body_of, headers_of
from aos_server.services.webhooks.queue import Claimed, End, Try, claim, release, settle
from aos_server.services.webhooks.schedule import DELAYS_S, after_s
from aos_server.services.webhooks.targets import target_of

__all__ = ["PER_HOST", "Deliverer", "Pace"]

PER_HOST = 4
"""How many tries at once reach one host from one worker."""
ROUNDS = 100
"""How many webhooks a worker serves at once."""
OF_TENANT = 50
"""How many of those are of one tenant: one whose receivers all hang does not keep the others from theirs."""
EACH = 40
"""How many deliveries a round has at most."""
SLOW_S = 5.0
REST_S = 0.25
TOGETHER_S = 0.01
"""How long the first end of a try waits for others that are written down with it."""

_log = logging.getLogger(__name__)


class Pace(NamedTuple):
    """How long a claim lasts, how old it may be when a try begins (which takes 15 s), and when the next try is due."""

    lease_s: float = 60.0
    last_start_s: float = 40.0
    delays_s: Sequence[float] = DELAYS_S


USUAL = Pace()

_REHEARSED = 20
_REHEARSED_AGAIN_S = 1.0
"""A rehearsal is tried once; only a worker that can't get its key tries so often, and so soon."""


class Deliverer:
    """What one worker delivers, by `send`. What it tells of a request says where, at `public_url`, people decide."""

    def __init__(
        self,
        database: Database,
        network: Network,
        secrets: LoadedSecrets,
        send: Post = post,
        pace: Pace = USUAL,
        public_url: str = "",
    ) -> None:
        self._database = database
        self._network = network
        self._secrets = secrets
        self._send = send
        self._pace = pace
        self._public_url = public_url
        self._book = _Book(database)
        self._hosts: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._rounds: dict[str, str] = {}  # webhooks that are being served, and their tenants
        self._ended = asyncio.Event()
        self._refreshing = asyncio.Lock()
        self._refresh_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop`; what was begun is then ended, and what was not is given back."""
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                self._ended.clear()
                await self._begin(group, stop)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), REST_S)

    async def _begin(self, group: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        """Begin a round of each webhook that something is due for, as long as there is room."""
        free = ROUNDS - len(self._rounds)
        if not free:
            return
        try:
            claimed = await claim(
                self._database,
                webhooks=free,
                each=EACH,
                busy=self._rounds,
                of_tenant=OF_TENANT,
                lease_s=self._pace.lease_s,
            )
        except AosError as error:
            _log.warning("deliveries: %s: %s", error.code, error.detail)
            return
        for webhook, (*batch,) in groupby(claimed, key=lambda one: one.webhook):
            self._rounds[webhook] = batch[0].tenant
            group.create_task(self._round(webhook, batch, stop))

    async def _round(self, webhook: str, batch: Sequence[Claimed], stop: asyncio.Event) -> None:
        until = time.monotonic() + self._pace.last_start_s
        left, tries, settling = deque(batch), list[Try](), list[asyncio.Task[None]]()
        host = self._host(batch[0].url)

        async def lane(most: int = EACH) -> None:
            while left and most and not stop.is_set() and time.monotonic() < until:
                most -= 1
                claimed = left.popleft()
                async with host:
                    tried = await self._try(claimed)
                tries.append(tried)
                settling.append(asyncio.create_task(self._settle(claimed, tried)))

        try:
            try:
                await lane(1)
                if tries and tries[0].status not in (None, 410) and tries[0].ms < SLOW_S * 1000:
                    await asyncio.gather(*(lane() for _ in range(PER_HOST)))
                if any(one.code for one in tries):  # what is written down may disable the webhook
                    await asyncio.gather(*settling)
                if left:
                    await release(self._database, list(left))
            finally:
                del self._rounds[webhook]
                self._ended.set()
            await asyncio.gather(*settling)  # meanwhile the next round may begin
        except AosError as error:  # what is not written down is tried again, once the claim has ended
            _log.warning("deliveries: %s: %s", error.code, error.detail)
        except Exception:  # a fault of ours must not stop the others
            _log.exception("a round of %s failed", webhook)

    def _host(self, url: str) -> asyncio.Semaphore:
        """Who is to reach a host waits for this."""
        try:
            name = target_of(url, self._network).host
        except AosError:
            name = ""
        found = self._hosts.get(name)
        if found is None:
            found = self._hosts[name] = asyncio.Semaphore(PER_HOST)
        return found

    async def _try(self, claimed: Claimed) -> Try:
        try:
            if (version := _alone(claimed)) is not None:
                await self._know(version, claimed.webhook)
            about = claimed.payload
            if claimed.topic.startswith("request."):
                about = linked(about, self._public_url)
            body = body_of(claimed.topic, claimed.told_at, claimed.tenant, claimed.sequence, about)
            headers = headers_of(
                self._secrets,
                claimed.webhook,
                claimed.message,
                datetime.now(UTC),
                body,
                legacy=claimed.legacy,
                only=version,
            )
            return await self._send(self._network, claimed.url, headers, body)
        except AosError as error:  # a key that was made a moment ago
            return Try(0, code="KEY_NOT_LOADED", detail=error.detail)
        except Exception:  # a fault of ours must not stop the others
            _log.exception("delivering %s failed", claimed.id)
            return Try(0, code="INTERNAL", detail="the server failed")

    async def _know(self, version: str, webhook: str) -> None:
        """Take over a key that was made a moment ago; the keystore is asked once a second at most."""
        async with self._refreshing:
            known = self._secrets.by_version(webhook, datetime.now(UTC))
            if version not in known and time.monotonic() >= self._refresh_at:
                await asyncio.to_thread(self._secrets.refresh, datetime.now(UTC))
                self._refresh_at = time.monotonic() + _REHEARSED_AGAIN_S

    async def _settle(self, claimed: Claimed, tried: Try) -> None:
        """Write down how it went, once the webhook is disabled where that is called for."""
        gone = tried.code == "GONE"
        version = _alone(claimed)
        wait = None
        if version is not None:
            wait = (
                _REHEARSED_AGAIN_S if tried.code == "KEY_NOT_LOADED" and claimed.tries < _REHEARSED else None
            )
            if tried.code is None:
                await rehearsals.keep_accepted(self._database, claimed.webhook, version)
        elif not gone:
            wait = after_s(claimed.tries + 1, tried.retry_after_s, random.random, self._pace.delays_s)
        end = End(claimed, tried, wait)
        if end.state == "failed" and (gone or version is None):
            reason: Reason = "gone" if gone else "failing"
            if await disable_by_worker(self._database, claimed.tenant, claimed.webhook, reason):
                _log.warning("webhook %s is disabled: %s", claimed.webhook, reason)
        if not await self._book.settle(end):
            DELIVERIES.labels("lost").inc()
            _log.warning("the claim on %s was lost before its try was written down", claimed.id)
            return
        result = "retried" if end.state == "waiting" else end.state
        DELIVERIES.labels(result).inc()
        if end.state == "delivered":
            DELIVERY_LAG.observe((datetime.now(UTC) - claimed.told_at).total_seconds())
            return
        told = {
            "delivery": claimed.id,
            "webhook": claimed.webhook,
            "tenant": claimed.tenant,
            "result": result,
        }
        _log.info("delivery", extra={**told, "code": tried.code, "status": tried.status, "ms": tried.ms})


def _alone(claimed: Claimed) -> str | None:
    """The version of the key that alone is to sign it; None: all that are live."""
    return str(claimed.payload["key_version"]) if claimed.topic == rehearsals.TOPIC else None


class _Book:
    """Writes down how tries ended, together those that ended while the ones before were written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[End, asyncio.Future[bool]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def settle(self, end: End) -> bool:
        """Whether it counts: not where the claim was lost. Raises AosError where nothing could be written."""
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((end, written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return await written

    async def _write(self) -> None:
        while self._waiting:
            await asyncio.sleep(TOGETHER_S)
            taken, self._waiting = self._waiting, []
            await self._write_down(taken)
        self._writer = None

    async def _write_down(self, taken: Sequence[tuple[End, asyncio.Future[bool]]]) -> None:
        """Together; each alone where that fails by a fault of ours, so that one costs the others nothing."""
        try:
            ours = await settle(self._database, [end for end, _ in taken])
        except Exception as error:
            if isinstance(error, AosError) or len(taken) == 1:
                for _, written in taken:
                    written.set_exception(error)
            else:
                for one in taken:
                    await self._write_down([one])
        else:
            for end, written in taken:
                written.set_result(end.claimed.id in ours)
