"""What a token must say. A valid signature leaves all of this open.

One function for JWTs and for answers about opaque tokens: both are a JSON object of the claims of RFC 7519.
"""

import re
from typing import NamedTuple

from aos.errors import AosError
from aos.wire.shape import MISSING, Field, Fields, Reader
from aos.wire.strict import Json
from aos_server.identity.caller import ACTS, Act
from aos_server.identity.issuers import Issuer

__all__ = ["LEEWAY_S", "MAX_LIFE_S", "Claims", "check", "refused"]

LEEWAY_S = 30
"""How far the clocks of issuer and server may be apart."""
MAX_LIFE_S = 3600
"""A token that is good for longer is refused: nobody could take it back in time."""

_SUBJECT = re.compile(r"[^\s\x00-\x1f\x7f-\x9f](?:[^\x00-\x1f\x7f-\x9f]{0,253}[^\s\x00-\x1f\x7f-\x9f])?")
_TENANT = re.compile(r"[A-Za-z0-9._:@-]{1,64}")
# RFC 9068; OpenID Connect; what two large providers say instead
_CLIENTS = ("client_id", "azp", "cid", "appid")
_SCOPES: dict[str, Act] = {f"aos:{act}": act for act in ACTS}
_MAX_ROLES = 100


class Claims(NamedTuple):
    """What a token says about its bearer, checked. `expires_s` is Unix time."""

    subject: str
    tenant: str
    roles: tuple[str, ...]
    scopes: frozenset[Act]
    machine: bool
    expires_s: float

    def expired(self, now_s: float) -> bool:
        """Whether it has."""
        return self.expires_s <= now_s - LEEWAY_S


def refused(detail: str) -> AosError:
    """The 401 for a credential that can't be accepted."""
    return AosError("unauthenticated", detail)


def check(claims: Json, issuer: Issuer, now_s: float) -> Claims:
    """Check the claims of a token that is genuine. `now_s` is Unix time.

    Raises InputError(unauthenticated) with everything that is wrong, pointers into the claims.
    """
    reader = Reader()
    fields = reader.obj(claims, "", required=("iss", "sub", "aud", "exp", "iat", "tenant_id"))
    if fields["iss"] not in (MISSING, issuer.url):
        reader.add("/iss", "bad_value", "it was issued by somebody else")
    _check_audience(reader, fields["aud"], issuer)
    expires_s = _check_times(reader, fields, now_s)
    subject = _matching(reader, fields["sub"], "/sub", _SUBJECT)
    tenant = _matching(reader, fields["tenant_id"], "/tenant_id", _TENANT)
    if tenant and not issuer.serves(tenant):
        reader.add("/tenant_id", "bad_value", "its issuer does not speak for this tenant")
    roles = reader.texts(fields["roles"], "/roles", max_len=_MAX_ROLES)
    scope = reader.text(fields["scope"], "/scope", "")
    reader.raise_if_any("unauthenticated", "the token")
    scopes = frozenset(_SCOPES[word] for word in scope.split(" ") if word in _SCOPES)
    return Claims(subject, tenant, roles, scopes, not issuer.human or _is_machine(fields), expires_s)


def _check_audience(reader: Reader, audience: Field, issuer: Issuer) -> None:
    named = audience if isinstance(audience, list) else [audience]
    if audience is not MISSING and issuer.audience not in named:
        reader.add("/aud", "bad_value", f'it is meant for somebody else; "{issuer.audience}" must be named')


def _check_times(reader: Reader, fields: Fields, now_s: float) -> float:
    """When it expires, where nothing is wrong."""
    issued = reader.number(fields["iat"], "/iat", None)
    expires = reader.number(fields["exp"], "/exp", None)
    starts = reader.number(fields["nbf"], "/nbf", None)
    if expires is not None and expires <= now_s - LEEWAY_S:
        reader.add("/exp", "bad_value", "it has expired")
    if issued is not None and issued > now_s + LEEWAY_S:
        reader.add("/iat", "bad_value", "it was issued in the future")
    if starts is not None and starts > now_s + LEEWAY_S:
        reader.add("/nbf", "bad_value", "it is not valid yet")
    if issued is not None and expires is not None and not 0 < expires - issued <= MAX_LIFE_S:
        reader.add("/exp", "bad_value", f"it must be good for at most {MAX_LIFE_S:,} s")
    return 0.0 if expires is None else float(expires)


def _matching(reader: Reader, value: Field, pointer: str, pattern: re.Pattern[str]) -> str:
    text = reader.text(value, pointer, "")
    if isinstance(value, str) and not pattern.fullmatch(value):
        reader.add(pointer, "bad_value", "it is empty, too long, or has characters that are not allowed")
    return text


def _is_machine(fields: Fields) -> bool:
    """A client that speaks for itself, or for somebody else (RFC 8693 `act`). Whoever does not say is one, too."""
    clients = {fields[name] for name in _CLIENTS if isinstance(fields[name], str)}
    return not clients or fields["sub"] in clients or fields["act"] is not MISSING
