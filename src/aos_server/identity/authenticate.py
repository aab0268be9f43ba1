"""From the headers of a request to its caller."""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from aos.errors import AosError
from aos_server.identity import tokens
from aos_server.identity.auth_service import AuthService
from aos_server.identity.caller import Caller, Principal
from aos_server.identity.claims import Claims, refused
from aos_server.identity.introspection import introspect
from aos_server.identity.issuers import Issuer, faults
from aos_server.identity.provider import Provider
from aos_server.identity.remote import Remote
from aos_server.identity.roles import MAX_CLAIMED_LEVEL, level_of
from aos_server.identity.service_keys import ServiceKeys, caller_of, looks_like_key
from aos_server.identity.strangers import Strangers, source_of

__all__ = ["Credentials", "Identity", "credentials"]

_NO_TOKEN = "aos-readiness"
_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)


class Credentials(NamedTuple):
    """What a request brings to say who it is from; None where it brings nothing. `source` is whence it comes."""

    token: str | None = None
    key: str | None = None
    source: str = ""


def credentials(headers: Iterable[tuple[bytes, bytes]], host: str = "") -> Credentials:
    """Read Authorization and X-AOS-Key. Raises AosError(unauthenticated) where they are not one clear credential.

    `headers` are those of an ASGI scope: names in lower case, repeated where they were repeated. `host` is the client's
    address. Nothing brought is `Credentials()`.
    """
    given = [(name, value) for name, value in headers if name in (b"authorization", b"x-aos-key")]
    if not given:
        return Credentials()
    if len(given) > 1:
        raise refused("more than one credential; send one Authorization or one X-AOS-Key")
    name, value = given[0]
    text = value.decode("latin-1").strip()
    if len(text) > tokens.MAX_TOKEN_BYTES:
        raise refused(f"a credential has at most {tokens.MAX_TOKEN_BYTES:,} bytes")
    source = source_of(host)
    if name == b"x-aos-key":
        return Credentials(key=text, source=source)
    match = _BEARER.fullmatch(text)
    if match is None:
        raise refused("Authorization must read `Bearer TOKEN`")
    if looks_like_key(match[1]):
        return Credentials(key=match[1], source=source)
    return Credentials(token=match[1], source=source)


class Identity:
    """Says who sends a request.

    `auth_service`, where there is one, alone says what a person may do; otherwise the token's issuer does. Where
    `unrestricted`, in development alone, nobody is asked: every person holds the highest level. Raises ValueError for
    issuers that are unsafe together. `clock` gives Unix time.
    """

    def __init__(
        self,
        issuers: Sequence[Issuer],
        remote: Remote,
        *,
        auth_service: AuthService | None = None,
        keys: ServiceKeys | None = None,
        unrestricted: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if unsafe := faults(issuers):
            raise ValueError("; ".join(unsafe))
        self._issuers = {issuer.url: issuer for issuer in issuers}
        self._providers = {issuer.url: Provider(issuer.url, remote) for issuer in issuers}
        self._remote = remote
        self._auth_service = auth_service
        self._keys = keys
        self._unrestricted = unrestricted
        self._clock = clock
        self._strangers = Strangers()

    async def identify(self, given: Credentials, *, live: bool) -> Caller:
        """The caller. `live` asks for the level that holds now, which takes an answer from elsewhere.

        Raises AosError: unauthenticated, auth_unavailable where who must be asked can't be, or rate_limited where
        from there too many were refused. Without `live` a JWT needs nobody but the keys in the cache, and an opaque
        token nobody for a minute.
        """
        if given.key is not None:
            return await self._by_key(given.key, given.source)
        if given.token is None:
            raise refused("this needs a token: `Authorization: Bearer TOKEN`")
        if tokens.looks_like_jwt(given.token):
            return await self._by_jwt(given.token, live)
        return await self._by_opaque_token(given.token, given.source, live)

    async def named(self, user: str, tenant: str) -> Caller:
        """Whoever calls themselves `user`: for development mode alone, where names are believed.

        They are the same person as the bearer of the first issuer's token for that subject.
        """
        principal = Principal(next(iter(self._issuers)), user)
        return await self._empowered(Caller(principal, tenant, "human"))

    async def can_decide(self) -> bool:
        """Whether anybody could decide now: the issuers' keys are there, and who must be asked for a level answers."""
        try:
            for provider in self._providers.values():
                await provider.endpoint("jwks_uri")
            if self._unrestricted:
                return True
            if self._auth_service is not None:
                await self._auth_service.check()
                return True
            for issuer in self._issuers.values():
                if issuer.client is not None:
                    await self._introspected(_NO_TOKEN, issuer)
        except AosError as error:
            return error.code == "unauthenticated"  # it said that it knows no such token
        return True

    async def _by_key(self, key: str, source: str) -> Caller:
        if (keys := self._keys) is None:
            raise refused("service keys are not accepted here")
        return await self._strangers.ask(key, source, lambda: caller_of(key, keys, self._clock()))

    async def _by_jwt(self, token: str, live: bool) -> Caller:
        jwt = tokens.read(token)
        issuer = self._issuers.get(str(jwt.claims.get("iss")))
        if issuer is None:
            raise refused("the token's issuer is not trusted here")
        provider = self._providers[issuer.url]
        claims = await tokens.verify(jwt, issuer, provider, self._clock())
        asked = live and self._auth_service is None and issuer.client is not None
        if asked:
            now = await self._introspected(token, issuer)
            if (now.subject, now.tenant) != (claims.subject, claims.tenant):
                raise refused("the token's issuer says that it is somebody else's")
            claims = now
        return await self._person_or_machine(claims, issuer, live, asked)

    async def _by_opaque_token(self, token: str, source: str, live: bool) -> Caller:
        issuer = next((issuer for issuer in self._issuers.values() if issuer.client is not None), None)
        if issuer is None:
            raise refused("opaque tokens are not accepted here")
        known = None if live else self._strangers.lately(token, Claims)
        if known is not None and not known.expired(self._clock()):
            return await self._person_or_machine(known, issuer, live, False)
        claims = await self._strangers.ask(token, source, partial(self._introspected, token, issuer))
        return await self._person_or_machine(claims, issuer, live, True)

    async def _introspected(self, token: str, issuer: Issuer) -> Claims:
        provider = self._providers[issuer.url]
        return await introspect(token, issuer, provider, self._remote, self._clock())

    async def _person_or_machine(self, claims: Claims, issuer: Issuer, live: bool, asked: bool) -> Caller:
        principal = Principal(issuer.url, claims.subject)
        if claims.machine:
            return Caller(principal, claims.tenant, "machine", live=asked, scopes=claims.scopes - {"decide"})
        level, told = level_of(claims.roles), asked and self._auth_service is None
        person = Caller(
            principal,
            claims.tenant,
            "human",
            claims.roles,
            level if told else min(level, MAX_CLAIMED_LEVEL),
            told,
        )
        return await self._empowered(person) if live or self._unrestricted else person

    async def _empowered(self, person: Caller) -> Caller:
        """The person with the level that the auth service gives them now."""
        if self._unrestricted:
            return person._replace(roles=("owner",), level=level_of(("owner",)), live=True)
        if self._auth_service is None:
            return person
        held = await self._auth_service.authority(person.principal.subject, person.tenant)
        return person._replace(roles=held.roles, level=held.level, live=True)
