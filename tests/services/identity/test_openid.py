"""Identity against a real OpenID provider: its tokens, its keys, its silence. And `aos login` the whole way."""

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from aos.errors import AosError
from aos_server.app import application
from aos_server.identity.authenticate import Credentials, Identity
from aos_server.identity.caller import Caller, Principal
from aos_server.identity.issuers import Issuer, IssuerClient
from aos_server.identity.remote import Remote
from tests.cli.process import aos, clean, command
from tests.server.http.world import NO_RUNS
from tests.server.serve import serving
from tests.services.oidc.provider import JWT, OPAQUE, OpenId, log_in

T = TypeVar("T")
SERVER = IssuerClient("aos-server", "s3cret")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def issuer(provider: OpenId, audience: str) -> Issuer:
    """This provider answers questions about opaque tokens only: of JWTs it keeps no record."""
    return Issuer(provider.url, audience, client=SERVER if audience == OPAQUE else None)


@asynccontextmanager
async def knowing(provider: OpenId, audience: str = JWT) -> AsyncIterator[Identity]:
    remote = Remote(1.0)
    try:
        yield Identity([issuer(provider, audience)], remote)
    finally:
        await remote.close()


def identify(provider: OpenId, token: str, audience: str = JWT, *, live: bool = False) -> Caller:
    async def once() -> Caller:
        async with knowing(provider, audience) as who:
            return await who.identify(Credentials(token=token), live=live)

    return run(once())


async def code_of(who: Identity, token: str, *, live: bool = False) -> str | None:
    try:
        await who.identify(Credentials(token=token), live=live)
    except AosError as error:
        return error.code
    return None


def test_a_person_with_a_jwt(provider: OpenId) -> None:
    token = provider.person("ada")["access_token"]
    caller = identify(provider, token)
    assert (caller.principal, caller.tenant, caller.kind) == (Principal(provider.url, "ada"), "acme", "human")
    assert (caller.level, caller.live) == (3, False)
    now = identify(provider, token, live=True)
    assert (now.level, now.live) == (3, False)  # nobody can be asked


def test_a_person_with_an_opaque_token_until_it_is_revoked(provider: OpenId) -> None:
    token = provider.person("ada", OPAQUE)["access_token"]

    async def story() -> None:
        async with knowing(provider, OPAQUE) as who:
            caller = await who.identify(Credentials(token=token), live=True)
            assert (caller.principal.subject, caller.level, caller.live) == ("ada", 5, True)
            provider.revoke(token)
            assert await code_of(who, token) is None  # for a minute it reads
            assert [await code_of(who, token, live=live) for live in (True, False)] == ["unauthenticated"] * 2

    run(story())


def test_only_access_tokens_for_this_server(provider: OpenId) -> None:
    jwts, opaque = provider.person("ada"), provider.person("ada", OPAQUE)

    async def story() -> None:
        async with knowing(provider) as who, knowing(provider, OPAQUE) as other:
            for token in (jwts["id_token"], jwts["refresh_token"], opaque["access_token"], "never-issued"):
                assert await code_of(who, token) == "unauthenticated"
            for token in (jwts["id_token"], jwts["access_token"], opaque["refresh_token"]):
                assert await code_of(other, token) == "unauthenticated"

    run(story())


@pytest.mark.parametrize("resource", [JWT, OPAQUE])
def test_a_machine_is_one(resource: str, provider: OpenId) -> None:
    for live in (False, True):
        robot = identify(provider, provider.robot(resource), resource, live=live)
        assert (robot.kind, robot.level, set(robot.scopes)) == ("machine", 0, {"read"})


def test_a_provider_that_is_gone_is_missed_only_by_who_needs_it(provider: OpenId) -> None:
    jwt, opaque = provider.person("ada")["access_token"], provider.person("ada", OPAQUE)["access_token"]

    async def story() -> None:
        async with (
            knowing(provider) as by_jwt,
            knowing(provider, OPAQUE) as by_asking,
            knowing(provider) as new,
        ):
            assert await code_of(by_jwt, jwt) is await code_of(by_asking, opaque) is None
            provider.send(signal.SIGSTOP)
            try:
                began = time.monotonic()
                assert await code_of(by_jwt, jwt) is None
                assert time.monotonic() - began < 1.5  # it did not wait for an answer
                assert await code_of(by_asking, opaque) is None
                assert await code_of(by_asking, opaque, live=True) == "auth_unavailable"
                assert time.monotonic() - began < 10
                assert await code_of(new, jwt) == "auth_unavailable"  # it has no keys yet
            finally:
                provider.send(signal.SIGCONT)
            assert await code_of(by_jwt, jwt) is await code_of(by_asking, opaque) is None

    run(story())


def test_keys_that_change_are_followed_without_a_restart(provider: OpenId) -> None:
    old = provider.person("ada")["access_token"]

    async def story() -> None:
        async with knowing(provider) as who:
            assert await code_of(who, old) is None
            provider.kill()
            provider.new_key("two")
            assert await code_of(who, old) is None
            provider.start()
            new = await asyncio.to_thread(provider.robot)
            began = time.monotonic()
            while (code := await code_of(who, new)) is not None and time.monotonic() - began < 5:
                await asyncio.sleep(0.2)
            assert code is None
            assert await code_of(who, old) == "unauthenticated"

    run(story())


def app_of(provider: OpenId) -> Any:
    """A server that trusts the provider."""
    remote = Remote()
    app = application(Identity([issuer(provider, OPAQUE)], remote), runs=NO_RUNS)

    async def closing(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)
        if scope["type"] == "lifespan":
            await remote.close()

    return closing


def test_a_person_logs_in_from_a_terminal(provider: OpenId, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "AOS_KEYRING": "off"}
    with serving(app_of(provider)) as url:
        words = command("login", "--server", url, "--issuer", provider.url, "--audience", OPAQUE)
        with subprocess.Popen(
            words, env={**clean(), **home}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as login:
            assert login.stderr is not None
            log_in(login.stderr.readline().split()[1], "ada")
            out, err = login.communicate(timeout=30)
        assert login.returncode == 0, err
        assert f"logged in to {url} as ada, tenant acme" in out
        who = aos("whoami", "--json", env=home).document
        assert (who["subject"], who["level"], who["live"]) == ("ada", 5, True)
        assert aos("logout", env=home).status == 0
        assert aos("whoami", env=home).status == 4
