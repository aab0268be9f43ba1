"""Requests a minute: GCRA (the generic cell rate algorithm, ITU-T I.371) by throttled-py, on Redis' own clock.

Where Redis takes longer than 50 ms or is gone, each process counts for itself, with the share of the rate that the
matrix leaves: a limit that is never off. Without a Redis URL (development, one process) it counts so all the time.
"""

import asyncio
import hashlib
import logging
import math
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from redis.exceptions import RedisError
from throttled.asyncio import MemoryStore, RateLimiterRegistry, RedisStore, per_min
from throttled.asyncio.store import BaseStore
from throttled.exceptions import BaseThrottledError

from aos.errors import AosError
from aos_server.limits.breaker import Breaker
from aos_server.limits.matrix import MATRIX, Traffic
from aos_server.metrics import COUNTED_LOCALLY

__all__ = ["BURST", "REDIS_TIMEOUT_S", "Rates", "Taken"]

_log = logging.getLogger(__name__)

BURST = 60
"""So many requests may come at once, however high the rate."""
REDIS_TIMEOUT_S = 0.05
_PAUSE_S = 1.0
_SUBJECTS = 100_000  # in memory, of about 200 bytes each; beyond it the one unseen for longest starts anew


class Taken(NamedTuple):
    """What a request took from its rate. `local` where Redis was not asked."""

    allowed: bool
    traffic: Traffic
    per_minute: int
    remaining: int
    reset_after_s: float
    retry_after_s: float
    local: bool

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers), for every answer."""
        name = f'"{self.traffic}"'
        return (
            ("RateLimit-Policy", f"{name};q={self.per_minute};w=60"),
            ("RateLimit", f"{name};r={self.remaining};t={math.ceil(self.reset_after_s)}"),
        )

    def refusal(self) -> AosError | None:
        """The 429, or None where it is allowed."""
        if self.allowed:
            return None
        return AosError(
            "rate_limited",
            f'more than {self.per_minute} requests a minute of the class "{self.traffic}"',
            retry_after_s=math.ceil(self.retry_after_s),
        )


class Rates:
    """Counts requests. `per_minute` replaces the rates of the matrix, by class; `redis_url` None counts in the process.

    One for each process, used within one event loop.
    """

    def __init__(
        self,
        redis_url: str | None = None,
        per_minute: Mapping[Traffic, int] | None = None,
        timeout_s: float = REDIS_TIMEOUT_S,
    ) -> None:
        self._per_minute = dict(per_minute or {})
        self._timeout_s = timeout_s
        self._breaker = Breaker(_PAUSE_S)
        self._local = _Counter(MemoryStore(options={"MAX_SIZE": _SUBJECTS}))
        self._store = None if redis_url is None else _redis_store(redis_url, timeout_s)
        self._redis = None if self._store is None else _Counter(self._store)

    @property
    def degraded(self) -> bool:
        """Whether Redis did not answer when it was asked last."""
        return self._breaker.is_open

    async def take(
        self, traffic: Traffic, tenant: str, issuer: str, subject: str, *, per_minute: int | None = None
    ) -> Taken | None:
        """Count one request of a subject; None where its class is not counted. Raises nothing.

        `per_minute` is a rate of the subject's own (a service key's) and replaces that of the class.
        """
        row = MATRIX[traffic]
        rate = per_minute or self._per_minute.get(traffic) or row.per_minute
        if rate is None:
            return None
        key = hashlib.sha256("\0".join((tenant, issuer, subject, traffic)).encode()).hexdigest()
        if row.redis == "local" and self._redis is not None:
            if (found := await self._ask_redis(self._redis, key, rate)) is not None:
                return _taken(traffic, rate, found, local=False)
            COUNTED_LOCALLY.labels(traffic).inc()
            rate = max(1, math.floor(rate * row.share))
        return _taken(traffic, rate, await self._local.count(key, rate), local=True)

    async def close(self) -> None:
        """Close every connection."""
        if self._store is not None:
            await self._store.close()

    async def _ask_redis(self, redis: "_Counter", key: str, rate: int) -> Any:
        if not self._breaker.lets_through():
            return None
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await redis.count(key, rate)
        except (RedisError, BaseThrottledError, OSError, TimeoutError):
            if not self.degraded:
                _log.warning("Redis does not answer: until it does, each process counts requests for itself")
            self._breaker.failed()
            return None
        if self.degraded:
            _log.warning("Redis answers again")
        self._breaker.succeeded()
        return found


class _Counter:
    """GCRA over one store, for any rate."""

    def __init__(self, store: BaseStore) -> None:
        gcra = RateLimiterRegistry.get("gcra")
        self._of = cache(lambda rate: gcra(per_min(rate, min(rate, BURST)), store, key_prefix="aos:rate"))

    async def count(self, key: str, rate: int) -> Any:
        return await self._of(rate).limit(key)


class _RedisStore(RedisStore):
    async def close(self) -> None:
        client: Any = self._backend.get_client()
        await client.connection_pool.aclose()


def _redis_store(url: str, timeout_s: float) -> _RedisStore:
    """No retries: a hung Redis must cost `timeout_s`, not twelve seconds."""
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    limits = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), 0),
        "max_connections": 100,
    }
    return _RedisStore(url, {"CONNECTION_POOL_KWARGS": limits})


def _taken(traffic: Traffic, rate: int, found: Any, *, local: bool) -> Taken:
    state = found.state
    return Taken(
        not found.limited, traffic, rate, state.remaining, state.reset_after, state.retry_after, local
    )
