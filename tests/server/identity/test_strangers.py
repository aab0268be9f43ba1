"""What nobody knows can be made up without end: who is asked about it must not be asked without end."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from aos.errors import AosError
from aos_server.identity.authenticate import Credentials, Identity, credentials
from aos_server.identity.claims import refused
from aos_server.identity.service_keys import ServiceKey
from aos_server.identity.strangers import MAX_STRANGERS, REFUSED_S, Strangers, source_of
from tests.server.identity.issuer import OPAQUE, World, run


class Asked:
    """Who is asked: `good` are the credentials that it knows, `asked` how often it was asked about each."""

    def __init__(self) -> None:
        self.good: set[str] = set()
        self.asked: Counter[str] = Counter()
        self.down = False
        self.at_once = self.most_at_once = 0
        self.now = 1000.0
        self.strangers = Strangers(lambda: self.now)

    async def about(self, credential: str, source: str = "a") -> str:
        """What becomes of it: "ok" or a code."""

        async def question() -> str:
            self.asked[credential] += 1
            known = credential in self.good
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            for _ in range(5):
                await asyncio.sleep(0)
            self.at_once -= 1
            if self.down:
                raise AosError("auth_unavailable", "gone")
            if not known:
                raise refused("the token is not active")
            return "ok"

        try:
            return await self.strangers.ask(credential, source, question)
        except AosError as error:
            return error.code if error.code != "rate_limited" or error.retry_after_s else "without a time"


async def all_of(*about: Awaitable[str]) -> Counter[str]:
    return Counter(await asyncio.gather(*about))


def scenario(act: Callable[[Asked], Coroutine[Any, Any, None]]) -> None:
    run(act(Asked()))


def test_who_repeats_what_was_refused_has_it_asked_once_for_a_moment() -> None:
    async def act(who: Asked) -> None:
        assert await all_of(*(who.about("x") for _ in range(50))) == {"unauthenticated": 50}
        assert who.asked["x"] == 1
        who.good.add("x")  # it was issued just now
        assert await who.about("x") == "unauthenticated"
        who.now += REFUSED_S
        assert await who.about("x") == "ok"

    scenario(act)


def test_what_is_good_is_asked_about_each_time_and_what_is_taken_back_is_refused_at_once() -> None:
    async def act(who: Asked) -> None:
        who.good.add("x")
        assert await all_of(*(who.about("x") for _ in range(50))) == {"ok": 50}
        assert who.asked["x"] == 50
        assert who.most_at_once > 1  # the first alone, then nobody waits for another
        who.good.clear()
        assert [await who.about("x") for _ in range(2)] == ["unauthenticated"] * 2
        assert who.asked["x"] == 51

    scenario(act)


def test_what_was_said_of_it_is_remembered_for_a_minute() -> None:
    async def act(who: Asked) -> None:
        who.good.add("x")
        assert [await who.about("x"), await who.about("y")] == ["ok", "unauthenticated"]
        lately = who.strangers.lately
        assert (lately("x", str), lately("y", str), lately("x", int)) == ("ok", None, None)
        who.now += 60
        assert lately("x", str) is None

    scenario(act)


def test_a_flood_from_one_place_ends_and_nobody_else_feels_it() -> None:
    async def act(who: Asked) -> None:
        who.good |= {"known", "new", "elsewhere"}
        assert await who.about("known") == "ok"
        flood = await all_of(*(who.about(f"made up {n}") for n in range(500)))
        assert flood == {"unauthenticated": MAX_STRANGERS, "rate_limited": 500 - MAX_STRANGERS}
        assert who.asked.total() == 1 + MAX_STRANGERS
        assert await who.about("known") == "ok"
        assert await who.about("elsewhere", "b") == "ok"
        assert await who.about("new") == "rate_limited"
        who.now += 60
        assert await who.about("new") == "ok"

    scenario(act)


def test_what_is_good_or_could_not_be_asked_about_counts_for_nothing() -> None:
    async def act(who: Asked) -> None:
        who.good |= {f"good {n}" for n in range(200)}
        assert {await who.about(f"good {n}") for n in range(200)} == {"ok"}
        who.down = True
        assert {await who.about(f"lost {n}") for n in range(200)} == {"auth_unavailable"}
        who.down = False
        cut = [asyncio.ensure_future(who.about(f"cut {n}")) for n in range(MAX_STRANGERS)]
        await asyncio.sleep(0)
        for task in cut:
            task.cancel()
        await asyncio.gather(*cut, return_exceptions=True)
        assert await who.about("made up") == "unauthenticated"

    scenario(act)


def test_a_refusal_says_the_same_when_nobody_was_asked() -> None:
    async def act() -> list[object]:
        world = World()
        world.introspected = {**OPAQUE, "aud": "billing"}
        identity, said = world.identity(client=True), list[object]()
        for _ in range(2):
            with pytest.raises(AosError) as caught:
                await identity.identify(Credentials(token="opaque"), live=False)
            said.append((caught.value.detail, caught.value.findings))
        assert world.asked.count("/introspect") == 1
        return said

    first, second = run(act())
    assert first == second
    assert "it is meant for somebody else" in str(first)


class Keys:
    def __init__(self) -> None:
        self.asked = 0

    async def find(self, key_id: str) -> ServiceKey | None:
        self.asked += 1
        return None


def test_so_are_opaque_tokens_and_service_keys_by_where_they_come_from() -> None:
    async def codes(identity: Identity, name: bytes, text: str, host: str) -> Counter[str]:
        async def code(number: int) -> str:
            given = credentials([(name, text.format(number).encode())], host)
            with pytest.raises(AosError) as caught:
                await identity.identify(given, live=False)
            return caught.value.code

        return await all_of(*(code(number) for number in range(100)))

    async def act() -> None:
        world, keys = World(), Keys()
        identity = world.identity(client=True, keys=keys)
        held = {"unauthenticated": MAX_STRANGERS, "rate_limited": 100 - MAX_STRANGERS}
        assert await codes(identity, b"authorization", "Bearer made-up-{}", "192.0.2.1") == held
        assert world.asked.count("/introspect") == MAX_STRANGERS
        key = "aos_" + "a" * 16 + "_" + "b" * 40 + "{:03}"
        assert await codes(identity, b"x-aos-key", key, "192.0.2.2") == held
        assert keys.asked == MAX_STRANGERS
        assert await codes(identity, b"x-aos-key", key, "192.0.2.1") == held
        # Each was refused just now, or is from a place that has had its share.
        assert keys.asked == MAX_STRANGERS

    run(act())


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::7%eth0", "2001:db8:1:2::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_an_address_is_somebodys(host: str, source: str) -> None:
    assert source_of(host) == source


def test_places_without_end_take_no_endless_memory() -> None:
    async def act(who: Asked) -> None:
        for number in range(10_100):
            await who.about(f"made up {number}", f"place {number}")
        assert len(who.strangers._counts) == len(who.strangers._refused) == 10_000
        who.now += REFUSED_S
        await who.about("one more")
        assert len(who.strangers._refused) == 1

    scenario(act)
