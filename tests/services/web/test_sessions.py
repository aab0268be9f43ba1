"""Sessions of browsers on a real database: what is kept opens nothing, and when one is over."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import pytest

from aos.errors import AosError
from aos_server.db.pool import Database
from aos_server.identity.browsers import sessions
from aos_server.services.sessions import Sessions
from tests.services.conftest import Base
from tests.services.requests.requesting import ANN, BOB

TOKEN = "ey.an-access.token"

T = TypeVar("T")


def run(base: Base, act: Callable[[Sessions], Awaitable[T]]) -> T:
    async def main() -> T:
        async with Database.open(base.pooled("aos_app"), 3, deadline_s=20) as database:
            return await act(Sessions(database))

    return asyncio.run(main())


def test_a_session_is_found_by_its_cookie_alone_and_the_table_opens_nothing(base: Base) -> None:
    async def act(kept: Sessions) -> tuple[str, str | None, str | None]:
        cookie = await kept.open(ANN, TOKEN)
        return cookie, await kept.token(cookie), await kept.token(sessions.new_cookie())

    cookie, found, other = run(base, act)
    assert (found, other) == (TOKEN, None)
    ((sha256, sealed, subject),) = base.rows("SELECT sha256, sealed, subject FROM sessions")
    assert isinstance(sha256, bytes)
    assert isinstance(sealed, bytes)
    assert subject == "ann"
    for secret in (cookie.encode(), TOKEN.encode()):
        assert secret not in sha256 + sealed
    with pytest.raises(AosError, match="damaged"):
        sessions.unseal(sessions.new_cookie(), sealed)
    assert base.unaudited() == []


@pytest.mark.parametrize("column", ["seen_at", "expires_at"])
def test_it_ends_by_itself(base: Base, column: str) -> None:
    cookie = run(base, lambda kept: kept.open(ANN, TOKEN, timedelta(days=3)))
    assert base.rows("SELECT expires_at - created_at FROM sessions") == [(timedelta(hours=1),)]
    by = {"seen_at": "29 min 59 s", "expires_at": "59 min 50 s"}[column]
    moved = {"seen_at": ["seen_at"], "expires_at": ["created_at", "expires_at"]}[column]
    move = ", ".join(f"{name} = {name} - interval '{{}}'" for name in moved)
    base.server.execute(f"UPDATE sessions SET {move.format(*[by] * 2)}", base.name)
    assert run(base, lambda kept: kept.token(cookie)) == TOKEN  # which counts as a use
    again = {"seen_at": "29 min 59 s", "expires_at": "11 s"}[column]
    base.server.execute(f"UPDATE sessions SET {move.format(*[again] * 2)}", base.name)
    assert run(base, lambda kept: kept.token(cookie)) == (TOKEN if column == "seen_at" else None)
    base.server.execute("UPDATE sessions SET seen_at = seen_at - interval '31 min'", base.name)
    assert run(base, lambda kept: kept.token(cookie)) is None


def test_whoever_has_one_ends_it_or_all_of_theirs_and_nobody_elses(base: Base) -> None:
    async def act(kept: Sessions) -> list[bool]:
        first, second, third = [await kept.open(ANN, TOKEN) for _ in range(3)]
        theirs = await kept.open(BOB, TOKEN)
        assert await kept.end(BOB, first) == 0
        assert await kept.end(ANN, first) == 1
        ended = [await kept.token(one) is None for one in (first, second, third, theirs)]
        assert await kept.end(ANN, second, everywhere=True) == 2
        return [*ended, *[await kept.token(one) is None for one in (second, third, theirs)]]

    assert run(base, act) == [True, False, False, False, True, True, False]
    told = base.rows("SELECT subject, details FROM audit WHERE action = 'browser.logout' ORDER BY at")
    assert told == [("bob", {"sessions": 0}), ("ann", {"sessions": 1}), ("ann", {"sessions": 2})]
