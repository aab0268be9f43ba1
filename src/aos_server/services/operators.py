"""Who may touch what is the server's and no tenant's: a right within a tenant is none over the others."""

from aos.errors import AosError
from aos_server.db.pool import Database
from aos_server.identity.caller import Caller

__all__ = ["Operators"]


class Operators:
    """The callers of `tenant`. Where none is named: those of the only tenant there is; where there are two, nobody."""

    def __init__(self, database: Database, tenant: str = "") -> None:
        self._database = database
        self._tenant = tenant

    async def admit(self, caller: Caller) -> None:
        """Raises AosError: authorization_denied for everybody else, unavailable where it can't be told."""
        if self._tenant and caller.tenant != self._tenant:
            raise AosError(
                "authorization_denied", "this is the server's, and its operators are of another tenant"
            )
        if not self._tenant and await self._shared(caller):
            raise AosError(
                "authorization_denied",
                "this is the server's, which several tenants share",
                fix="AOS_OPERATING_TENANT, a setting of the server, names the tenant whose operators may do this.",
            )

    async def _shared(self, caller: Caller) -> bool:
        ((found,),) = await self._database.read(("tenants.shared", {}), tenant=caller.tenant)
        return bool(found["shared"])
