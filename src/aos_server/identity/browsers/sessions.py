"""A browser's session. Its cookie is 256 random bits, and nothing that is kept on this side opens without them.

The database has the cookie's SHA-256, by which a session is found, and the access token, sealed with a key that comes
from the cookie: neither a stolen table nor a stolen backup lets anybody in, or ask in somebody's name. A token that was
unsealed is a credential like any other: `Identity` says who it is, by the rules for all of them.
"""

import hashlib
import hmac
import re
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aos_server.identity.claims import refused

__all__ = ["form_token", "hash_of", "is_cookie", "new_cookie", "seal", "unseal"]

_COOKIE = re.compile(r"[A-Za-z0-9_-]{43}")
_NONCE_BYTES = 12


def new_cookie() -> str:
    """What the browser keeps, and nobody else."""
    return secrets.token_urlsafe(32)


def is_cookie(text: str) -> bool:
    """Whether it could be one: nobody is asked about anything else."""
    return _COOKIE.fullmatch(text) is not None


def hash_of(cookie: str) -> bytes:
    """By what its session is found."""
    return hashlib.sha256(cookie.encode()).digest()


def form_token(cookie: str) -> str:
    """What each form of the session holds: a page of another site can't know it (CSRF)."""
    return _derived(cookie, "form").hex()


def seal(cookie: str, token: str) -> bytes:
    """The access token, as it may be kept."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(_derived(cookie, "token")).encrypt(nonce, token.encode(), hash_of(cookie))


def unseal(cookie: str, sealed: bytes) -> str:
    """The access token. Raises AosError(unauthenticated) where it was not sealed with this cookie."""
    nonce, box = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return AESGCM(_derived(cookie, "token")).decrypt(nonce, box, hash_of(cookie)).decode()
    except InvalidTag:
        raise refused("the session is damaged") from None


def _derived(cookie: str, purpose: str) -> bytes:
    """A key of its own for each purpose; a cookie is random enough to be one itself."""
    return hmac.digest(cookie.encode(), f"aos session {purpose}".encode(), "sha256")
