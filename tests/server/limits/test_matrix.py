"""The matrix holds for the auth service: each class of requests with it there, gone, hung and talking nonsense.

What Redis does to each class is shown in tests/services, with a real one.
"""

import asyncio
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from aos.errors import AosError
from aos_server.http.gate import Gate
from aos_server.identity.auth_service import AuthService
from aos_server.identity.authenticate import Credentials, Identity
from aos_server.identity.caller import ACTS, Act
from aos_server.identity.issuers import Issuer
from aos_server.identity.remote import Remote
from aos_server.limits.matrix import MATRIX
from aos_server.limits.rates import Rates
from aos_server.stub.app import create_stub
from aos_server.stub.provider import StubProvider
from tests.server.serve import serving


class Service:
    """The auth service of development, and what has become of its answers about roles."""

    def __init__(self, provider: StubProvider) -> None:
        self._stub = create_stub(provider, "k")
        self.state = "there"
        self.asked = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += scope.get("path", "").startswith("/api")
        if scope["type"] != "http" or self.state == "there" or not scope["path"].startswith("/api"):
            await self._stub(scope, receive, send)
        elif self.state == "hung":
            await asyncio.sleep(30)
        elif self.state == "nonsense":
            await PlainTextResponse('{"roles": ["owner"], "max_approval_level": 5}')(scope, receive, send)
        else:
            await PlainTextResponse("gone", 502)(scope, receive, send)


@pytest.mark.parametrize("state", ["there", "gone", "hung", "nonsense"])
def test_each_class_does_what_the_matrix_says(state: str) -> None:
    provider = StubProvider("")
    service = Service(provider)

    async def outcomes() -> tuple[dict[Act, str], bool]:
        remote = Remote(0.3)
        auth = AuthService(provider.url, "k", remote)
        identity = Identity([Issuer(provider.url, "aos")], remote, auth_service=auth)
        gate = Gate(identity, None, trusting=False)
        token = provider.token("owner1", "acme")
        given = Credentials(token=token)
        await gate.known(given)  # the keys are in the cache
        service.state = state
        found: dict[Act, str] = {}
        for act in ACTS:
            try:
                caller = await gate.known(given)
                assert caller is not None
                await gate.admit(caller, act, {}, given)
                found[act] = "passes"
            except AosError as error:
                found[act] = "refuse" if error.row.status == 503 and error.retry_after_s else error.code
        ready = await identity.can_decide()
        await remote.close()
        return found, ready

    with serving(service, timeout_graceful_shutdown=0) as provider.url:
        found, ready = asyncio.run(outcomes())
    refusing = {act: "refuse" if MATRIX[act].auth == "refuse" else "passes" for act in ACTS}
    assert found == (dict.fromkeys(ACTS, "passes") if state == "there" else refusing)
    assert ready == (state == "there" or MATRIX["health"].auth != "ready_false")


def test_who_asks_too_often_has_nobody_asked_for_it() -> None:
    provider = StubProvider("")
    service = Service(provider)

    async def codes() -> list[str]:
        remote = Remote()
        auth = AuthService(provider.url, "k", remote)
        identity = Identity([Issuer(provider.url, "aos")], remote, auth_service=auth)
        gate = Gate(identity, Rates(None, {"evaluate": 3}), trusting=False)
        given, found = Credentials(token=provider.token("owner1", "acme")), []
        for _ in range(10):
            caller = await gate.known(given)
            assert caller is not None
            try:
                found.append(f"level {(await gate.admit(caller, 'evaluate', {}, given)).level}")
            except AosError as error:
                found.append(error.code)
        await remote.close()
        return found

    with serving(service, timeout_graceful_shutdown=0) as provider.url:
        assert asyncio.run(codes()) == ["level 5"] * 3 + ["rate_limited"] * 7
    assert service.asked == 3
