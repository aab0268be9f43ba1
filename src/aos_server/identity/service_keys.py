"""Service keys: how machines without an OpenID provider say who they are.

A key reads `aos_ID_SECRET`. The id finds its row; the row holds the SHA-256 of the secret, which is 256 random bits, so
that nothing slower than a hash is needed and a stolen table opens nothing.
"""

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple, Protocol

from aos_server.identity.caller import Act, Caller, Principal
from aos_server.identity.claims import refused

__all__ = ["KEY_ISSUER", "NewKey", "ServiceKey", "ServiceKeys", "caller_of", "looks_like_key", "make"]

KEY_ISSUER = "urn:aos:service-key"
"""The issuer of every key's principal; its subject is the key's id."""

_PREFIX = "aos_"
_KEY = re.compile(r"aos_(?P<id>[a-z2-7]{16})_(?P<secret>[A-Za-z0-9_-]{43})")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


class ServiceKey(NamedTuple):
    """A key as it is stored. `expires_at_s` is Unix time (None: never); a revoked key is one that is not found."""

    id: str
    sha256: bytes
    tenant: str
    scopes: frozenset[Act]
    owner: Principal
    expires_at_s: float | None = None
    per_minute: int | None = None


class NewKey(NamedTuple):
    """What its owner is shown, once, and what is stored."""

    text: str
    key: ServiceKey


class ServiceKeys(Protocol):
    """Where keys are kept."""

    async def find(self, key_id: str) -> ServiceKey | None:
        """The key of that id, unless it was revoked. Raises AosError where the store can't be asked."""


def make(
    tenant: str,
    scopes: frozenset[Act],
    owner: Principal,
    *,
    expires_at_s: float | None = None,
    per_minute: int | None = None,
) -> NewKey:
    """A new key. "decide" among the scopes is dropped: a key is never a person."""
    key_id = "".join(secrets.choice(_ALPHABET) for _ in range(16))
    secret = secrets.token_urlsafe(32)
    key = ServiceKey(key_id, _hash(secret), tenant, scopes - {"decide"}, owner, expires_at_s, per_minute)
    return NewKey(f"{_PREFIX}{key_id}_{secret}", key)


def looks_like_key(token: str) -> bool:
    """Whether it is meant as a key; no JWT starts like that."""
    return token.startswith(_PREFIX)


async def caller_of(text: str, keys: ServiceKeys, now_s: float) -> Caller:
    """Who a key belongs to. Raises AosError(unauthenticated), the same for every reason."""
    match = _KEY.fullmatch(text)
    found = await keys.find(match["id"]) if match else None
    # Compared whether or not there is a row, so that the time taken does not tell.
    genuine = hmac.compare_digest(
        _hash(match["secret"] if match else ""), found.sha256 if found else bytes(32)
    )
    if found is None or not genuine or (found.expires_at_s is not None and found.expires_at_s <= now_s):
        raise refused("the service key is not valid")
    return Caller(
        Principal(KEY_ISSUER, found.id),
        found.tenant,
        "machine",
        live=True,
        scopes=found.scopes - {"decide"},
        owner=found.owner,
        per_minute=found.per_minute,
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
