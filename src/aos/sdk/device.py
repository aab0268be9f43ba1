"""Logging in from a terminal: the device flow (RFC 8628), and new tokens for old ones (RFC 6749, section 6).

A person opens a page on any device and types a code; meanwhile this one asks the provider every few seconds.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from aos.errors import AosError
from aos.sdk.core import MAX_REPLY_BYTES, Reply, Request
from aos.sdk.transport import Transport
from aos.wire.shape import Reader
from aos.wire.strict import parse

__all__ = ["Grant", "Provider", "Tokens"]

_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
_SCOPE = "openid offline_access"
_SLOWER_S = 5.0  # RFC 8628, section 3.5
_TIMEOUT_S = 10.0


class Grant(NamedTuple):
    """What a person needs to log in: an address and a code. `complete_uri` holds both (None: not offered)."""

    device_code: str
    user_code: str
    uri: str
    complete_uri: str | None
    expires_in_s: float
    interval_s: float


class Tokens(NamedTuple):
    """What the provider gave. `expires_in_s` None: it did not say."""

    access: str
    refresh: str | None
    expires_in_s: float | None


class Provider:
    """An OpenID provider, as a client without a secret talks to it.

    `audience` names the server that tokens are for (RFC 8707). `over` takes the network's place in tests, `clock` and
    `sleep` that of time. Methods raise AosError: login_failed, unreachable, unexpected_answer.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        audience: str | None = None,
        *,
        over: Any = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        _check(url)
        self._url = url
        self._client = {"client_id": client_id}
        self._resource = {"resource": audience} if audience else {}
        self._transport = Transport(url, _TIMEOUT_S, over)
        self._clock = clock
        self._sleep = sleep
        self._metadata: Mapping[str, Any] = {}

    def start(self) -> Grant:
        """Ask for a code."""
        answer = self._ask("device_authorization_endpoint", {"scope": _SCOPE, **self._resource})
        reader = Reader()
        fields = reader.obj(
            dict(answer), "", required=("device_code", "user_code", "verification_uri", "expires_in")
        )
        grant = Grant(
            reader.text(fields["device_code"], "/device_code", ""),
            reader.text(fields["user_code"], "/user_code", ""),
            reader.text(fields["verification_uri"], "/verification_uri", ""),
            reader.text(fields["verification_uri_complete"], "/verification_uri_complete", None),
            reader.number(fields["expires_in"], "/expires_in", 0.0, low=1, high=86_400),
            reader.number(fields["interval"], "/interval", 5.0, low=0, high=600),
        )
        reader.raise_if_any("unexpected_answer", "the OpenID provider's answer")
        return grant

    def wait(self, grant: Grant) -> Tokens:
        """Ask until the person has logged in, has refused, or took too long."""
        until, interval = self._clock() + grant.expires_in_s, grant.interval_s
        while self._clock() < until:
            self._sleep(interval)
            try:
                answer = self._token({"grant_type": _DEVICE_CODE, "device_code": grant.device_code})
            except AosError as error:
                if error.code != "unreachable":
                    raise
                interval += _SLOWER_S
                continue
            match answer.get("error"):
                case None:
                    return _tokens(answer)
                case "authorization_pending":
                    continue
                case "slow_down":
                    interval += _SLOWER_S
                case reason:
                    raise _refused(reason)
        raise AosError("login_failed", "nobody logged in while the code was valid")

    def refresh(self, token: str) -> Tokens:
        """New tokens for a refresh token; where no new one comes with them, the old one stays."""
        form = {"grant_type": "refresh_token", "refresh_token": token, **self._resource}
        answer = self._token(form)
        if "error" in answer:
            raise _refused(answer["error"])
        found = _tokens(answer)
        return found if found.refresh else found._replace(refresh=token)

    def revoke(self, token: str) -> None:
        """Make a refresh token worthless (RFC 7009), where the provider can."""
        if "revocation_endpoint" in self._known():
            self._transport.send(self._form(self._endpoint("revocation_endpoint"), {"token": token}))

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    # -- talking -----------------------------------------------------------------------------------------

    def _known(self) -> Mapping[str, Any]:
        if not self._metadata:
            url = f"{self._url.rstrip('/')}/.well-known/openid-configuration"
            reply = self._transport.send(Request("GET", url, {"accept": "application/json"}, None))
            found = _object(reply)
            if reply.status != 200 or found.get("issuer") != self._url:
                raise AosError("unexpected_answer", f"{self._url} is no OpenID provider of that name")
            self._metadata = found
        return self._metadata

    def _endpoint(self, name: str) -> str:
        url = self._known().get(name)
        if not isinstance(url, str):
            raise AosError("login_failed", f"the OpenID provider has no {name}", fix=_OTHER_WAY)
        _check(url)
        return url

    def _ask(self, endpoint: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        answer = self._token(form, endpoint)
        if "error" in answer:
            raise _refused(answer["error"])
        return answer

    def _token(self, form: Mapping[str, str], endpoint: str = "token_endpoint") -> Mapping[str, Any]:
        reply = self._transport.send(self._form(self._endpoint(endpoint), form))
        answer = _object(reply)
        if reply.status != 200 and "error" not in answer:
            raise AosError("unexpected_answer", f"the OpenID provider answered {reply.status}")
        return answer

    def _form(self, url: str, form: Mapping[str, str]) -> Request:
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        return Request("POST", url, headers, urlencode({**self._client, **form}).encode())


_OTHER_WAY = "Get a token another way and give it to `aos login --token-stdin`."


def _check(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise AosError("usage", f"{url}: an OpenID provider is reached by https")


def _object(reply: Reply) -> dict[str, Any]:
    name = "the OpenID provider's answer"
    found = parse(reply.content, "json", name=name, max_bytes=MAX_REPLY_BYTES, code="unexpected_answer")
    return found if isinstance(found, dict) else {}


def _tokens(answer: Mapping[str, Any]) -> Tokens:
    reader = Reader()
    fields = reader.obj(dict(answer), "", required=("access_token",))
    tokens = Tokens(
        reader.text(fields["access_token"], "/access_token", ""),
        reader.text(fields["refresh_token"], "/refresh_token", None),
        reader.number(fields["expires_in"], "/expires_in", None, low=0),
    )
    reader.raise_if_any("unexpected_answer", "the OpenID provider's answer")
    return tokens


def _refused(reason: object) -> AosError:
    words = {
        "access_denied": "the login was refused",
        "expired_token": "nobody logged in while the code was valid",
        "invalid_grant": "the login has ended",
    }
    return AosError("login_failed", words.get(str(reason), f"the OpenID provider says: {reason}"))
