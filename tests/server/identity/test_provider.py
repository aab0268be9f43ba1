"""Keys of an issuer: found when they are new, kept while it is away, asked for seldom."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from aos.errors import AosError
from aos_server.identity.provider import Provider
from tests.server.identity import issuer as world
from tests.server.identity.issuer import URL, World, run


class Watched:
    """A provider, and the clock it goes by."""

    def __init__(self) -> None:
        self.there = World()
        self.now = 0.0
        self.provider = Provider(URL, self.there.remote(), lambda: self.now)

    async def knows(self, kid: str) -> bool:
        try:
            await self.provider.key(kid, "RS256")
        except AosError as error:
            if error.code != "unauthenticated":
                raise
            return False
        return True

    async def rest(self) -> None:
        """Until what was started in the background is done."""
        if self.provider._background is not None:
            await self.provider._background

    @property
    def questions(self) -> int:
        return self.there.asked.count("/jwks")


def test_a_new_key_is_found_and_unknown_ones_are_no_flood() -> None:
    async def story(w: Watched) -> None:
        assert await w.knows("rsa")
        for i in range(100):
            assert not await w.knows(f"unknown{i}")
        assert w.questions == 1
        w.there.keys.append(world.jwk(rsa.generate_private_key(65537, 2048), "new", "RS256"))
        w.now += 3
        assert await w.knows("new")
        assert w.questions == 2

    run(story(Watched()))


def test_known_keys_outlast_their_issuer_for_a_day() -> None:
    async def story(w: Watched) -> None:
        assert await w.knows("rsa")
        w.there.down.add("id.example")
        w.now += 23 * 3600
        assert await w.knows("rsa")
        await w.rest()
        w.now += 2 * 3600
        with pytest.raises(AosError, match="out of reach"):
            await w.knows("rsa")
        w.there.down.clear()
        w.now += 3
        assert await w.knows("rsa")

    run(story(Watched()))


def test_a_key_that_was_withdrawn_is_gone_after_ten_minutes() -> None:
    async def story(w: Watched) -> None:
        assert await w.knows("rsa")
        w.there.keys.clear()
        w.now += 601
        await w.knows("rsa")
        await w.rest()
        assert not await w.knows("rsa")

    run(story(Watched()))


def test_without_any_keys_nobody_is_known() -> None:
    async def story(w: Watched) -> None:
        w.there.down.add("id.example")
        for _ in range(20):
            with pytest.raises(AosError) as caught:
                await w.knows("rsa")
            assert caught.value.code == "auth_unavailable"
        assert len(w.there.asked) == 1

    run(story(Watched()))


def test_a_provider_that_calls_itself_differently_is_not_believed() -> None:
    async def story(w: Watched) -> None:
        w.there.issuer = "https://evil.example"
        with pytest.raises(AosError) as caught:
            await w.knows("rsa")
        assert caught.value.code == "auth_unavailable"

    run(story(Watched()))
