"""A login with a browser: what must be right about the provider's answer before anybody is let in."""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from aos.errors import AosError
from aos_server.identity.browsers.login import CodeFlow, WebClient
from aos_server.identity.browsers.sessions import new_cookie
from aos_server.identity.remote import Remote
from tests.server.identity.issuer import EC, RSA, URL, jwk, run

CLIENT = WebClient(URL, "aos", "web", "s3cret", "https://aos.example/inbox/callback")


class Provider:
    """It gives for any code what a test wants it to; `asked` is what it was asked with."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {"kid": "rsa"}
        self.given: dict[str, Any] = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 600}
        self.key: Any = RSA
        self.algorithm = "RS256"
        self.asked: list[Mapping[str, list[str]]] = []
        self.flow = CodeFlow(CLIENT, Remote(5, httpx.MockTransport(self._answer)))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/jwks":
            return httpx.Response(200, content=json.dumps({"keys": [jwk(RSA, "rsa", "RS256")]}))
        if request.url.path == "/token":
            self.asked.append(parse_qs(request.content.decode()))
            id_token = jwt.encode(self.claims, self.key, self.algorithm, headers=self.header)
            return httpx.Response(200, content=json.dumps({"id_token": id_token, **self.given}))
        told = {f"{name}_endpoint": f"{URL}/{name}" for name in ("authorization", "token")}
        return httpx.Response(200, content=json.dumps({"issuer": URL, "jwks_uri": f"{URL}/jwks", **told}))

    async def begun(self, cookie: str) -> dict[str, str]:
        """What the browser is sent away with; the ID token that it will come back for is right in everything."""
        asked = {
            key: one for key, (one,) in parse_qs(urlsplit(await self.flow.address(cookie)).query).items()
        }
        now = int(time.time())
        self.claims = {
            "iss": URL,
            "sub": "ada",
            "aud": "web",
            "iat": now,
            "exp": now + 60,
            "nonce": asked["nonce"],
        }
        return asked


def redeemed(provider: Provider, **changed: Any) -> str:
    """Who is let in, where of the answer and the ID token something is changed; None takes it away."""

    async def story() -> str:
        cookie = new_cookie()
        asked = await provider.begun(cookie)
        answer = {"code": "c", "state": asked["state"], "iss": URL}
        for name, value in changed.items():
            where = answer if name in answer else provider.claims
            where.pop(name, None)
            where |= {} if value is None else {name: value}
        return (await provider.flow.redeem(cookie, answer)).subject

    return run(story())


def test_what_the_provider_is_asked_and_told() -> None:
    provider = Provider()
    assert redeemed(provider) == "ada"
    (asked,) = provider.asked
    assert asked["redirect_uri"] == [CLIENT.redirect_uri]
    assert asked["resource"] == ["aos"]
    begun = run(provider.begun("x" * 43))
    assert (begun["response_type"], begun["code_challenge_method"], begun["resource"]) == (
        "code",
        "S256",
        "aos",
    )
    assert begun["code_challenge"] != asked["code_verifier"][0]
    assert run(provider.begun("x" * 43))["state"] == begun["state"] != run(provider.begun("y" * 43))["state"]


@pytest.mark.parametrize(
    "changed", [{"state": "another"}, {"state": ""}, {"iss": "https://evil.example"}, {"code": None}]
)
def test_an_answer_to_another_login_asks_nobody(changed: dict[str, Any]) -> None:
    provider = Provider()
    with pytest.raises(AosError) as caught:
        redeemed(provider, **changed)
    assert (caught.value.code, provider.asked) == ("login_failed", [])


@pytest.mark.parametrize(
    "changed",
    [{"nonce": "another"}, {"nonce": None}, {"aud": "other"}, {"sub": None}, {"exp": 1}, {"azp": "other"}],
)
def test_an_id_token_for_another_login_lets_nobody_in(changed: dict[str, Any]) -> None:
    with pytest.raises(AosError) as caught:
        redeemed(Provider(), **changed)
    assert caught.value.code == "login_failed"


@pytest.mark.parametrize(
    "how", ["foreign key", "no signature", "by secret", "unknown key", "no token", "no bearer"]
)
def test_an_id_token_that_its_issuer_did_not_make_lets_nobody_in(how: str) -> None:
    provider = Provider()
    match how:
        case "foreign key":
            provider.key, provider.algorithm = EC, "ES256"
        case "no signature":
            provider.key, provider.algorithm = None, "none"
        case "by secret":
            provider.key, provider.algorithm = "s3cret" * 9, "HS256"
        case "unknown key":
            provider.header = {"kid": "other"}
        case "no token":
            provider.given["id_token"] = None
        case "no bearer":
            provider.given["token_type"] = "DPoP"
    with pytest.raises(AosError) as caught:
        redeemed(provider)
    assert caught.value.code in ("login_failed", "unauthenticated")
