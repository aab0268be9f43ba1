"""How the server is: everybody may ask, and whom it asks itself is not asked more often for that."""

import asyncio
from typing import Any, cast

import pytest

from aos.errors import AosError
from aos.wire.results.documents import Document
from aos_server.http.endpoint import Call
from aos_server.http.handlers.health import Operations

CALL = cast(Call, None)


class Thing:
    """Something that the server depends on."""

    def __init__(self) -> None:
        self.there = True
        self.asked = 0

    async def check(self) -> bool:
        self.asked += 1
        await asyncio.sleep(0.01)
        return self.there


def test_a_crowd_that_asks_at_once_is_one_question() -> None:
    database, auth, redis = Thing(), Thing(), Thing()
    needed = {"database": database.check, "auth": auth.check}

    async def act() -> list[Any]:
        operations = Operations(needed, {"redis": redis.check})
        return await asyncio.gather(*(operations.readyz(CALL) for _ in range(100)), operations.health(CALL))

    first, *others = asyncio.run(act())
    assert others == [first] * 100
    assert [thing.asked for thing in (database, auth, redis)] == [1, 1, 1]


@pytest.mark.parametrize(("gone", "wanted"), [("database", False), ("auth", False), ("redis", True)])
def test_who_is_needed_says_whether_it_is_ready_and_who_is_wanted_is_missed(gone: str, wanted: bool) -> None:
    things = {name: Thing() for name in ("database", "auth", "redis")}
    things[gone].there = False
    checks = {name: thing.check for name, thing in things.items()}
    redis = {"redis": checks.pop("redis")}

    async def act() -> tuple[Document, str]:
        operations = Operations(checks, redis)
        try:
            await operations.readyz(CALL)
            ready = ""
        except AosError as error:
            ready = error.detail
        return await operations.health(CALL), ready

    health, ready = asyncio.run(act())
    assert ready == ("" if wanted else f"not ready: {gone}")
    assert health["checks"][gone] == "gone"
    assert health["status"] == ("degraded" if wanted else "unhealthy")


def test_the_metrics_tell_of_each_dependency_and_of_figures_that_nobody_could_ask_for() -> None:
    things = {name: Thing() for name in ("database", "auth", "redis")}
    things["auth"].there = False
    asked = []

    async def fails() -> None:
        asked.append("fails")
        raise AosError("unavailable", "the database can't be reached")

    async def answers() -> None:
        asked.append("answers")

    async def act() -> str:
        checks = {name: thing.check for name, thing in things.items()}
        operations = Operations(checks, {}, [fails, answers])
        await asyncio.gather(*(operations.metrics(CALL) for _ in range(10)))
        return bytes((await operations.metrics(CALL)).body).decode()

    text = asyncio.run(act())
    for name in things:
        assert f'nova_dependency_up{{dependency="{name}"}} {float(name != "auth")}' in text
    assert sorted(asked) == ["answers", "fails"]
