"""Asking a token's issuer about it (RFC 7662): the only way for opaque tokens, and a live answer for all."""

from urllib.parse import quote

from aos_server.identity.claims import Claims, check, refused
from aos_server.identity.issuers import Issuer
from aos_server.identity.provider import Provider
from aos_server.identity.remote import Remote, unavailable

__all__ = ["introspect"]

_WHAT = "the OpenID provider"


async def introspect(token: str, issuer: Issuer, provider: Provider, remote: Remote, now_s: float) -> Claims:
    """What the issuer says of a token right now; `issuer.client` must be set.

    Raises AosError: unauthenticated for a token that is not active or not meant for this server, auth_unavailable where
    there is no answer to rely on.
    """
    assert issuer.client is not None
    endpoint = await provider.endpoint("introspection_endpoint")
    client = (quote(issuer.client.id, safe=""), quote(issuer.client.secret, safe=""))  # RFC 6749, 2.3.1
    reply = await remote.post(_WHAT, endpoint, {"token": token, "token_type_hint": "access_token"}, client)
    answer = reply.document
    if not isinstance(answer, dict) or not isinstance(answer.get("active"), bool):
        raise unavailable(_WHAT, f"it answered {reply.status} when asked about a token")
    if not answer["active"]:
        raise refused("the token is not active")
    if str(answer.get("token_type")).lower() != "bearer":  # a refresh token is active, too
        raise refused("the token is no access token")
    # Of a client's own token, some say no sub.
    itself = {"sub": answer["client_id"]} if "client_id" in answer else {}
    return check({"iss": issuer.url, **itself, **answer}, issuer, now_s)
