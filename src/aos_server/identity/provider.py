"""An OpenID provider: its metadata (OpenID Connect Discovery 1.0) and its keys (RFC 7517), cached."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from aos.wire.strict import Json
from aos_server.identity.claims import refused
from aos_server.identity.issuers import is_private
from aos_server.identity.remote import Remote, unavailable

__all__ = ["ALGORITHMS", "Provider"]

ALGORITHMS: dict[str, str] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    "EdDSA": "OKP",
}
"""The signatures that are accepted, each with the kind of key that makes it. None can be made with a public key."""

_FRESH_S = 600.0  # a key that its issuer withdraws is gone after this
_STALE_S = 24 * 3600.0  # and this long keys last while the issuer can't be reached
_PAUSE_S = 2.0  # between two questions: unknown key ids must not become a flood of them
_WHAT = "the OpenID provider"


class Provider:
    """Metadata and keys of the issuer at `url`. Asked once in a while, at most every two seconds, one at a time.

    `clock` gives monotonic seconds. Methods raise AosError: auth_unavailable where the provider is out of reach and
    nothing usable is known.
    """

    def __init__(self, url: str, remote: Remote, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._remote = remote
        self._clock = clock
        self._metadata: dict[str, Json] = {}
        self._keys: dict[str, dict[str, Any]] = {}
        self._ready: dict[tuple[str, str], PyJWK] = {}
        self._loaded_at: float | None = None
        self._asked_at: float | None = None
        self._asking = asyncio.Lock()
        self._background: asyncio.Task[None] | None = None

    async def key(self, kid: str, algorithm: str) -> PyJWK:
        """The key of that id, for one of `ALGORITHMS`. Raises AosError(unauthenticated) where there is none."""
        await self._up_to_date()
        if kid not in self._keys:
            await self._refresh()
        if kid not in self._keys:
            raise refused("the token is signed with a key that its issuer does not have")
        if (kid, algorithm) not in self._ready:
            self._ready[kid, algorithm] = _usable(self._keys[kid], algorithm)
        return self._ready[kid, algorithm]

    async def endpoint(self, name: str) -> str:
        """A URL of the metadata, such as `introspection_endpoint`."""
        await self._up_to_date()
        return self._address(name)

    async def _up_to_date(self) -> None:
        """Wait for a first answer; after that, ask again in the background."""
        age = self._age(self._loaded_at)
        if age > _STALE_S:
            await self._refresh()
        elif age > _FRESH_S and self._age(self._asked_at) > _PAUSE_S and not self._asking.locked():
            self._background = asyncio.create_task(self._refresh_quietly())
        if self._age(self._loaded_at) > _STALE_S:
            raise unavailable(_WHAT, "out of reach")

    async def _refresh_quietly(self) -> None:
        try:
            await self._refresh()
        except Exception:
            return  # what is known stays in use until it is stale

    async def _refresh(self) -> None:
        async with self._asking:
            if self._age(self._asked_at) <= _PAUSE_S:
                return
            try:
                await self._load()
            finally:
                self._asked_at = self._clock()

    async def _load(self) -> None:
        metadata = await self._document(f"{self._url.rstrip('/')}/.well-known/openid-configuration")
        if metadata.get("issuer") != self._url:
            raise unavailable(_WHAT, "it calls itself differently")
        self._metadata = metadata
        listed = (await self._document(self._address("jwks_uri"))).get("keys")
        self._keys = _by_id(listed if isinstance(listed, list) else [])
        self._ready = {}
        self._loaded_at = self._clock()

    async def _document(self, url: str) -> dict[str, Json]:
        reply = await self._remote.get(_WHAT, url)
        if not isinstance(reply.document, dict):
            raise unavailable(_WHAT, f"it answered {reply.status} instead of a document")
        return reply.document

    def _address(self, name: str) -> str:
        url = self._metadata.get(name)
        if not isinstance(url, str) or not is_private(url):
            raise unavailable(_WHAT, f"it has no usable {name}")
        return url

    def _age(self, moment: float | None) -> float:
        return float("inf") if moment is None else self._clock() - moment


def _by_id(listed: list[Json]) -> dict[str, dict[str, Any]]:
    """The signing keys by id. An id that two keys share names neither."""
    keys = [key for key in listed if isinstance(key, dict) and isinstance(key.get("kid"), str)]
    times = Counter(str(key["kid"]) for key in keys)
    return {
        str(key["kid"]): dict(key)
        for key in keys
        if times[str(key["kid"])] == 1
        and key.get("use", "sig") == "sig"
        and key.get("kty") in ALGORITHMS.values()
    }


def _usable(key: dict[str, Any], algorithm: str) -> PyJWK:
    if key["kty"] != ALGORITHMS[algorithm] or key.get("alg", algorithm) != algorithm:
        raise refused("the token's algorithm is not that of its key")
    try:
        return PyJWK(key, algorithm)
    except PyJWTError:
        raise refused("the token is signed with a key that can't be used") from None
