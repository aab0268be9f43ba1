"""An OpenID provider, auth service and clock of the tests: it signs whatever it is told to."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from aos_server.identity.auth_service import AuthService
from aos_server.identity.authenticate import Credentials, Identity
from aos_server.identity.caller import Caller
from aos_server.identity.issuers import Issuer, IssuerClient
from aos_server.identity.remote import Remote

T = TypeVar("T")

URL = "https://id.example"
AUTH = "https://auth.example"
NOW = 1_800_000_000
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
HEADER: Mapping[str, Any] = {"typ": "at+jwt", "kid": "rsa"}
CLAIMS: Mapping[str, Any] = {
    "iss": URL,
    "sub": "ada",
    "aud": "aos",
    "iat": NOW - 10,
    "exp": NOW + 3000,
    "client_id": "cli",
    "tenant_id": "acme",
    "roles": ["owner"],
}


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def without(claims: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if name not in names}


def token(
    claims: Mapping[str, Any] = CLAIMS,
    header: Mapping[str, Any] = HEADER,
    key: Any = RSA,
    algorithm: str = "RS256",
) -> str:
    return jwt.encode(dict(claims), key, algorithm, headers=dict(header))


def raw_token(payload: bytes, header: Mapping[str, Any] = HEADER, key: Any = RSA) -> str:
    """Signed as it stands, also where it is no proper JSON."""
    return jwt.PyJWS().encode(payload, key, "RS256", headers=dict(header))


class World:
    """What stands behind a `Remote`: `down` services don't answer, `introspected` and `authority` are what they say."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.asked: list[str] = []
        self.keys = [jwk(RSA, "rsa", "RS256"), jwk(EC, "ec", "ES256")]
        self.issuer = URL
        self.introspected: Mapping[str, Any] | bytes = {"active": False}
        self.authority: Mapping[str, Any] | int = 404
        self.monotonic = 1000.0

    def remote(self, timeout_s: float = 5) -> Remote:
        return Remote(timeout_s, httpx.MockTransport(self._answer))

    def identity(self, **more: Any) -> Identity:
        issuer = Issuer(
            URL, "aos", client=IssuerClient("server", "s3cret") if more.pop("client", 0) else None
        )
        remote = self.remote()
        if more.pop("auth", False):
            more["auth_service"] = AuthService(AUTH, "key", remote)
        clock = more.pop("now", lambda: NOW)
        return Identity(more.pop("issuers", [issuer]), remote, clock=clock, **more)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if request.url.host in self.down:
            raise httpx.ConnectError("refused")
        if request.url.host == "auth.example":
            return _reply(self.authority)
        routes: dict[str, Callable[[], Any]] = {
            "/.well-known/openid-configuration": lambda: {
                "issuer": self.issuer,
                "jwks_uri": f"{URL}/jwks",
                "introspection_endpoint": f"{URL}/introspect",
            },
            "/jwks": lambda: {"keys": self.keys},
            "/introspect": lambda: self.introspected,
        }
        return _reply(routes[request.url.path]())


def jwk(key: Any, kid: str, algorithm: str) -> dict[str, Any]:
    kind = RSAAlgorithm if algorithm.startswith(("R", "P")) else ECAlgorithm
    return {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", "alg": algorithm}


def identify(identity: Identity, text: str, *, live: bool = False) -> Caller:
    return run(identity.identify(Credentials(token=text), live=live))


def _reply(answer: Mapping[str, Any] | bytes | int) -> httpx.Response:
    if isinstance(answer, int):
        return httpx.Response(answer)
    return httpx.Response(200, content=answer if isinstance(answer, bytes) else json.dumps(answer).encode())


OPAQUE = {**CLAIMS, "active": True, "token_type": "Bearer"}
