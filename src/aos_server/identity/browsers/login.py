"""How a person gets an access token with a browser: the authorization code flow of OpenID Connect, with PKCE.

Everything that makes an attempt the browser's own (`state`, `nonce`, the PKCE verifier) comes from one cookie that the
browser gets before it leaves: a code that somebody else asked for is of no use here, and nothing is kept meanwhile.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import jwt
from jwt.exceptions import PyJWTError

from aos.errors import AosError
from aos.wire.problems import visible
from aos_server.identity.claims import LEEWAY_S
from aos_server.identity.provider import ALGORITHMS, Provider
from aos_server.identity.remote import Remote

__all__ = ["CodeFlow", "Granted", "WebClient"]

_WHAT = "the OpenID provider"


class WebClient(NamedTuple):
    """How the server calls itself where people log in with a browser; without a `secret` PKCE alone protects it.

    `redirect_uri` is where browsers come back to, character by character, `audience` whom access tokens are for.
    """

    issuer: str
    audience: str
    id: str
    secret: str
    redirect_uri: str


class Granted(NamedTuple):
    """What a login gave: an access token, how long it is good for, and who has logged in."""

    token: str
    life: timedelta
    subject: str


class CodeFlow:
    """Logins of one client. Methods raise AosError: login_failed, auth_unavailable."""

    def __init__(self, client: WebClient, remote: Remote) -> None:
        self._client = client
        self._remote = remote
        self._provider = Provider(client.issuer, remote)

    async def address(self, cookie: str) -> str:
        """Where a browser with this cookie goes to log in."""
        asked = {
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": self._client.redirect_uri,
            "scope": "openid",
            "state": _derived(cookie, "state"),
            "nonce": _derived(cookie, "nonce"),
            "code_challenge": _base64(sha256(_derived(cookie, "verifier").encode()).digest()),
            "code_challenge_method": "S256",
            "resource": self._client.audience,  # RFC 8707
        }
        endpoint = await self._provider.endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    async def redeem(self, cookie: str, answer: Mapping[str, str]) -> Granted:
        """What the provider gives for the code with which it sent the browser back. `answer` is the query string."""
        if not hmac.compare_digest(answer.get("state", "").encode(), _derived(cookie, "state").encode()):
            raise _failed("the answer belongs to another login, or to one that was begun too long ago")
        if answer.get("iss", self._client.issuer) != self._client.issuer:  # RFC 9207
            raise _failed("the answer is another issuer's")
        if "code" not in answer:
            raise _failed(f"the OpenID provider said: {visible(answer.get('error', 'nothing'))}")
        given = await self._tokens(answer["code"], _derived(cookie, "verifier"))
        subject = await self._subject(given.get("id_token"), _derived(cookie, "nonce"))
        token, life = given.get("access_token"), given.get("expires_in")
        if not isinstance(token, str) or str(given.get("token_type")).lower() != "bearer":
            raise _failed("the OpenID provider gave no access token")
        seconds = life if isinstance(life, int | float) and not isinstance(life, bool) else 3600
        return Granted(token, timedelta(seconds=min(max(seconds, 1), 86_400)), subject)

    async def _tokens(self, code: str, verifier: str) -> Mapping[str, Any]:
        client = self._client
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_uri,
            "code_verifier": verifier,
            "resource": client.audience,
        }
        basic = (quote(client.id, safe=""), quote(client.secret, safe="")) if client.secret else None
        endpoint = await self._provider.endpoint("token_endpoint")
        named = form if basic else {**form, "client_id": client.id}
        reply = await self._remote.post(_WHAT, endpoint, named, basic)
        if not isinstance(reply.document, dict):
            raise _failed("the OpenID provider does not know this login (any more)")
        return reply.document

    async def _subject(self, id_token: object, nonce: str) -> str:
        """Who has logged in, by an ID token that was made for this attempt (OpenID Connect Core 3.1.3.7)."""
        if not isinstance(id_token, str):
            raise _failed("the OpenID provider gave no ID token")
        try:
            header = jwt.get_unverified_header(id_token)
            algorithm = str(header.get("alg"))
            if algorithm not in ALGORITHMS:
                raise _failed("the ID token's algorithm is not accepted")
            key = await self._provider.key(str(header.get("kid")), algorithm)
            claims = jwt.decode(
                id_token,
                key,
                [algorithm],
                audience=self._client.id,
                issuer=self._client.issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "sub"]},
            )
        except PyJWTError:
            raise _failed("the ID token can't be accepted") from None
        made_for = str(claims.get("nonce", ""))
        if not hmac.compare_digest(made_for.encode(), nonce.encode()):
            raise _failed("the ID token was made for another login")
        if claims.get("azp", self._client.id) != self._client.id:
            raise _failed("the ID token was given to another client")
        return str(claims["sub"])


def _derived(cookie: str, purpose: str) -> str:
    return _base64(hmac.digest(cookie.encode(), f"aos login {purpose}".encode(), "sha256"))


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _failed(why: str) -> AosError:
    return AosError("login_failed", why, fix="Log in again.")
