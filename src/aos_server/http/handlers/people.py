"""Who the caller is, told to themselves."""

from aos.errors import AosError
from aos.wire.encode import one_line
from aos.wire.results.documents import envelope
from aos_server.http.endpoint import Call
from aos_server.http.gate import Identifies
from aos_server.identity.authenticate import Credentials, credentials
from aos_server.identity.caller import Caller

__all__ = ["People"]


class People:
    """The handler of `/api/v1/whoami`."""

    def __init__(self, identity: Identifies) -> None:
        self._identity = identity

    async def whoami(self, call: Call) -> bytes:
        """The caller with the level that holds now; where nobody can say that now, with what the token says."""
        caller = await self._as_of_now(call)
        document = {
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
        return one_line(document).encode()

    async def _as_of_now(self, call: Call) -> Caller:
        given = credentials(call.headers.items())
        if call.caller.live or given == Credentials():
            return call.caller
        try:
            return await self._identity.identify(given, live=True)
        except AosError as error:
            if error.code != "auth_unavailable":
                raise
            return call.caller
