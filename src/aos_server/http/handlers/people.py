"""Who the caller is, told to themselves; and where one becomes a caller."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from aos.errors import AosError
from aos.wire.results.documents import Document, envelope
from aos_server.http.endpoint import Call
from aos_server.http.gate import Identifies
from aos_server.identity.authenticate import Credentials, credentials
from aos_server.identity.caller import Caller

__all__ = ["METADATA", "LoginAt", "People", "as_of_now"]

METADATA = "/.well-known/oauth-protected-resource"
"""The address that RFC 9728 gives to what a server says of itself."""

_HOST = re.compile(r"(?P<name>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE)
_HERE = ("localhost", "127.0.0.1", "[::1]")


class LoginAt(NamedTuple):
    """Where people log in, and the audience of the tokens that they need."""

    issuer: str
    audience: str


class People:
    """The handlers of `/api/v1/whoami` and `/.well-known/oauth-protected-resource`.

    `login` None: people don't log in, as where an auth service alone knows them.
    """

    def __init__(self, identity: Identifies, login: LoginAt | None) -> None:
        self._identity = identity
        self._login = login

    async def protected_resource(self, call: Call) -> Document:
        """Metadata by RFC 9728, for who knows this server's address alone. Raises AosError: not_found, bad_value."""
        if self._login is None:
            raise AosError("not_found", "people do not log in here")
        resource = _resource(call.headers)
        if resource is None:
            raise AosError("bad_value", "the Host header names no host")
        return {
            **envelope("aos.protected-resource/1"),
            "resource": resource,
            "authorization_servers": [self._login.issuer],
            "bearer_methods_supported": ["header"],
            "aos_audience": self._login.audience,
        }

    def challenge(self, headers: Mapping[bytes, bytes]) -> str:
        """WWW-Authenticate of a 401: where people log in, the address of the metadata that says where."""
        resource = _resource(headers) if self._login else None
        return f'Bearer resource_metadata="{resource}{METADATA}"' if resource else "Bearer"

    async def whoami(self, call: Call) -> Document:
        """The caller with the level that holds now; where nobody can say that now, with what the token says."""
        caller = await as_of_now(self._identity, call)
        return {
            **envelope("aos.whoami/1"),
            "issuer": caller.principal.issuer,
            "subject": caller.principal.subject,
            "tenant_id": caller.tenant,
            "kind": caller.kind,
            "roles": list(caller.roles),
            "level": caller.level,
            "live": caller.live,
            "scopes": sorted(caller.scopes),
        }


def _resource(headers: Mapping[bytes, bytes]) -> str | None:
    """The server as who asks knows it; None where the Host header names no host."""
    host = _HOST.fullmatch(headers.get(b"host", b"").decode("latin-1"))
    if host is None:
        return None
    return f"{'http' if host['name'].lower() in _HERE else 'https'}://{host[0]}"


async def as_of_now(identity: Identifies, call: Call) -> Caller:
    """The caller with the level that holds now, as decisions look at it; where nobody can say that now, as they came.

    Raises AosError(unauthenticated).
    """
    given = credentials(call.headers.items())
    if call.caller.live or given == Credentials():
        return call.caller
    try:
        return await identity.identify(given, live=True)
    except AosError as error:
        if error.code != "auth_unavailable":
            raise
        return call.caller
