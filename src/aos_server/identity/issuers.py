"""Which OpenID providers are trusted, and whose people they may speak for."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple
from urllib.parse import urlsplit

__all__ = ["Issuer", "IssuerClient", "faults", "is_private"]


class IssuerClient(NamedTuple):
    """How this server calls itself where it asks about opaque tokens (HTTP Basic)."""

    id: str
    secret: str


class Issuer(NamedTuple):
    """A trusted OpenID provider.

    `url` is the `iss` of its tokens, character by character, and `audience` what their `aud` must contain. `tenants`
    are those it may speak for (None: all). Where `human` is false its tokens are machines, whatever they say. `client`
    makes opaque tokens and live answers possible (None: JWTs alone); one issuer at most has one, since nobody can tell
    from an opaque token whom to ask.
    """

    url: str
    audience: str
    tenants: frozenset[str] | None = None
    human: bool = True
    client: IssuerClient | None = None

    def serves(self, tenant: str) -> bool:
        """Whether it may speak for that tenant."""
        return self.tenants is None or tenant in self.tenants


def faults(issuers: Sequence[Issuer]) -> list[str]:
    """Everything that makes these issuers unsafe together, in a person's words; empty where nothing does.

    A person known by two issuers could decide on their own request, so no tenant has two that speak for people.
    """
    found = [f"{issuer.url}: not https" for issuer in issuers if not is_private(issuer.url)]
    found += [f"{issuer.url}: no audience" for issuer in issuers if not issuer.audience]
    for one, other in combinations(issuers, 2):
        if one.url == other.url:
            found.append(f"{one.url}: named twice")
        elif one.human and other.human and _overlap(one.tenants, other.tenants):
            found.append(f"{one.url} and {other.url} both speak for the people of one tenant")
    if sum(issuer.client is not None for issuer in issuers) > 1:
        found.append("more than one issuer would be asked about opaque tokens")
    return found


def is_private(url: str) -> bool:
    """Whether nobody on the way can read or change what is exchanged with `url`: https, or this machine itself."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    )


def _overlap(one: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    if one is None or other is None:
        return True
    return bool(one & other)
