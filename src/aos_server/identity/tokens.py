"""A JWT (RFC 7519, profile RFC 9068 for access tokens): from its characters to verified claims.

PyJWT verifies the signature, and refuses what is critical and unknown to it. Header and claims are read by the one
strict parser of the project, since PyJWT keeps the last of two claims of one name, and checked here and in `claims`.
"""

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from jwt import PyJWK, PyJWS
from jwt.exceptions import PyJWTError

from aos.wire.strict import Json, parse
from aos_server.identity.claims import Claims, check, refused
from aos_server.identity.issuers import Issuer
from aos_server.identity.provider import ALGORITHMS, Provider

__all__ = ["MAX_TOKEN_BYTES", "Jwt", "looks_like_jwt", "read", "verify"]

MAX_TOKEN_BYTES = 8192
_TYPES = ("at+jwt", "application/at+jwt")  # RFC 9068, section 2.1; an ID token says "JWT" or nothing
_FOREIGN_KEYS = ("jwk", "jku", "x5c", "x5u")
_JWS = PyJWS(list(ALGORITHMS), {"enforce_minimum_key_length": True})


class Jwt(NamedTuple):
    """A token that was read and not verified."""

    text: str
    algorithm: str
    kid: str
    claims: Mapping[str, Json]


def looks_like_jwt(token: str) -> bool:
    """Whether it has a JWT's three parts; anything else is opaque."""
    return token.count(".") == 2


def read(token: str) -> Jwt:
    """Read a token without believing it. Raises AosError(unauthenticated) for anything but an access token."""
    header_part, claims_part, _ = token.split(".")
    header = _object(header_part, "the token's header")
    if str(header.get("typ")).lower() not in _TYPES:
        raise refused(f"the token is no access token: its typ must be {_TYPES[0]}")
    if header.get("alg") not in ALGORITHMS:
        raise refused(f"the token's algorithm is not accepted; use one of {', '.join(ALGORITHMS)}")
    if any(name in header for name in _FOREIGN_KEYS):
        raise refused("the token brings its own key")
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= 255:
        raise refused("the token does not name its key (kid)")
    return Jwt(token, str(header["alg"]), kid, _object(claims_part, "the token's claims"))


async def verify(jwt: Jwt, issuer: Issuer, provider: Provider, now_s: float) -> Claims:
    """Verify signature and claims.

    Raises AosError: unauthenticated for a token that can't be accepted, auth_unavailable where its issuer's keys are
    not known and can't be had.
    """
    key = await provider.key(jwt.kid, jwt.algorithm)
    try:
        _check_signature(jwt.text, key, jwt.algorithm)
    except PyJWTError:
        raise refused("the token's signature is wrong") from None
    return check(dict(jwt.claims), issuer, now_s)


@lru_cache(maxsize=1024)
def _check_signature(text: str, key: PyJWK, algorithm: str) -> None:
    """Raise PyJWTError unless it is right: then it stays right for as long as the issuer has this very key.

    Only what is right is remembered, so that nobody can fill the memory with tokens of their own making.
    """
    _JWS.decode_complete(text, key, [algorithm])


def _object(part: str, name: str) -> dict[str, Json]:
    try:
        data = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise refused(f"{name}: not base64url") from None
    document = parse(data, "json", name=name, max_bytes=MAX_TOKEN_BYTES, code="unauthenticated")
    if not isinstance(document, dict):
        raise refused(f"{name}: not an object")
    return document
