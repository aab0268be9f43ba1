"""Rates on a real Redis: one count for all servers, and what is left where Redis hangs or is gone."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest

from aos_server.limits.matrix import MATRIX, Traffic
from aos_server.limits.rates import REDIS_TIMEOUT_S, Rates
from aos_server.metrics import COUNTED_LOCALLY
from tests.services.processes import Process

PATIENT_S = 10.0
"""Where a test is of counts: on a busy machine a Redis that is well may take longer than a server waits for it."""

COUNTED = [name for name, row in MATRIX.items() if row.redis == "local"]


@pytest.fixture
def url(redis_server: Process) -> Iterator[str]:
    """Redis as it was, whatever a test did to it."""
    yield f"redis://127.0.0.1:{redis_server.port}/0"
    redis_server.send(signal.SIGCONT)


@asynccontextmanager
async def counting(
    url: str, per_minute: Mapping[Traffic, int] | None = None, timeout_s: float = REDIS_TIMEOUT_S
) -> AsyncIterator[Rates]:
    rates = Rates(url, per_minute, timeout_s=timeout_s)
    try:
        yield rates
    finally:
        await rates.close()


async def allowed(rates: Rates, times: int, traffic: Traffic = "evaluate", who: str = "ada") -> int:
    taken = [await rates.take(traffic, "acme", "i", who) for _ in range(times)]
    return sum(each is None or each.allowed for each in taken)


def test_servers_count_together(url: str) -> None:
    """Four of them, each with an event loop of its own, as processes have."""

    async def count() -> int:
        async with counting(url, timeout_s=PATIENT_S) as rates:
            return await allowed(rates, 40, who="many")

    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        total = sum(pool.map(lambda _: asyncio.run(count()), range(4)))
    assert 60 <= total <= 60 + time.monotonic() - began + 1


def test_the_bucket_refills_evenly(url: str) -> None:
    async def story() -> None:
        async with counting(url, {"evaluate": 600}, PATIENT_S) as rates:
            assert await allowed(rates, 200, who="clock") < 200
            began = time.monotonic()
            await asyncio.sleep(0.5)
            found = await allowed(rates, 20, who="clock")
            assert 4 <= found <= 10 * (time.monotonic() - began) + 2

    asyncio.run(story())


@pytest.mark.parametrize("traffic", COUNTED)
def test_where_redis_hangs_the_share_of_the_matrix_is_left(
    traffic: Traffic, url: str, redis_server: Process
) -> None:
    async def story() -> None:
        async with counting(url, {traffic: 40}) as rates:
            assert await allowed(rates, 1, traffic, "warm") == 1
            redis_server.send(signal.SIGSTOP)
            began = time.monotonic()
            left = await allowed(rates, 60, traffic, f"hung-{traffic}")
            assert time.monotonic() - began < 60 * REDIS_TIMEOUT_S  # one waits, the others don't
            assert left == pytest.approx(40 * MATRIX[traffic].share, abs=1)
            assert rates.degraded

    asyncio.run(story())


@pytest.mark.parametrize("how", ["killed", "hung"])
def test_a_redis_that_is_back_is_used_again(
    how: str, url: str, redis_server: Process, caplog: pytest.LogCaptureFixture
) -> None:
    counted = COUNTED_LOCALLY.labels("decide")
    before = counted._value.get()

    async def story() -> None:
        async with counting(url) as rates:
            await allowed(rates, 1, who="warm")
            redis_server.kill() if how == "killed" else redis_server.send(signal.SIGSTOP)
            assert await allowed(rates, 200, "decide", f"back-{how}") <= 16
            assert counted._value.get() >= before + 190
            assert "Redis does not answer" in caplog.text
            assert "Redis answers again" not in caplog.text
            redis_server.start() if how == "killed" else redis_server.send(signal.SIGCONT)
            began = time.monotonic()
            while await local(rates):
                await asyncio.sleep(0.05)
                assert time.monotonic() - began < 20  # two seconds, but for a busy machine
            assert not rates.degraded
            assert "Redis answers again" in caplog.text

    async def local(rates: Rates) -> bool:
        taken: Any = await rates.take("read", "acme", "i", "probe")
        return bool(taken.local)

    asyncio.run(story())
