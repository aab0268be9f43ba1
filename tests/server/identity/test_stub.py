"""The auth service of development, over HTTP, and the identity that believes it."""

import pytest

from aos.errors import AosError
from aos_server.identity.auth_service import AuthService
from aos_server.identity.authenticate import Credentials, Identity
from aos_server.identity.caller import Caller
from aos_server.identity.issuers import Issuer
from aos_server.identity.remote import Remote
from aos_server.stub.app import create_stub
from aos_server.stub.provider import StubProvider
from tests.server.identity.issuer import run
from tests.server.serve import serving


def ask(user: str, api_key: str = "k", *, by_name: bool = False) -> Caller:
    provider = StubProvider("")

    async def answer() -> Caller:
        remote = Remote(5)
        identity = Identity(
            [Issuer(provider.url, "aos")], remote, auth_service=AuthService(provider.url, api_key, remote)
        )
        try:
            if by_name:
                return await identity.named(user, "acme")
            return await identity.identify(Credentials(token=provider.token(user, "acme")), live=True)
        finally:
            await remote.close()

    with serving(create_stub(provider, "k")) as url:
        provider.url = url
        return run(answer())


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize(
    ("user", "level"), [("low_level_user", 1), ("dev", 2), ("user123", 2), ("manager1", 4), ("owner1", 5)]
)
def test_the_sample_people_have_their_levels(user: str, level: int, by_name: bool) -> None:
    caller = ask(user, by_name=by_name)
    assert (caller.principal.subject, caller.tenant, caller.kind, caller.level, caller.live) == (
        user,
        "acme",
        "human",
        level,
        True,
    )


def test_a_name_and_a_token_are_the_same_person() -> None:
    assert ask("owner1").principal.issuer.startswith("http://127.0.0.1")
    assert ask("owner1", by_name=True).principal.issuer.startswith("http://127.0.0.1")


@pytest.mark.parametrize("name", ["nobody", "../owner1", "owner1/../manager1", "a/b", "ö"])
def test_whoever_is_not_known_may_do_nothing(name: str) -> None:
    assert ask(name, by_name=True).level == 0


def test_without_its_key_the_service_says_nothing() -> None:
    with pytest.raises(AosError) as caught:
        ask("owner1", "wrong")
    assert caught.value.code == "auth_unavailable"
