"""People who operate webhooks and keys, and somebody of another tenant."""

from aos_server.identity.authenticate import Credentials
from aos_server.identity.caller import Caller, Principal
from tests.server.http.world import People

_LEVELS = {
    "colleague": (3, "acme"),
    "manager": (4, "acme"),
    "owner": (5, "acme"),
    "elsewhere": (4, "evil"),
    "stranger": (5, "evil"),
}


class Staff(People):
    """The people of the other tests and those above, by a token or by what the command line has for one."""

    async def identify(self, given: Credentials, *, live: bool) -> Caller:
        name = given.token or given.key or ""
        if name not in _LEVELS:
            return await super().identify(given, live=live)
        level, tenant = _LEVELS[name]
        return Caller(Principal("test", name), tenant, "human", (), level, True)


def by(who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {who}"}
