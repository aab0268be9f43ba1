"""Who may come in: from the headers of a request, and what it says, to a caller who may do such an act now."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias

from aos.errors import AosError
from aos_server.identity.authenticate import Credentials
from aos_server.identity.caller import Act, Caller, require
from aos_server.limits.matrix import MATRIX
from aos_server.limits.rates import Rates

__all__ = ["DEFAULT_TENANT", "Gate", "Identifies", "Said", "check_claims"]

DEFAULT_TENANT = "default"
"""Where a caller of the development mode is who names no tenant."""

NOTHING = Credentials()
"""What somebody brings who brings no credential."""

Home: TypeAlias = Callable[[str], Awaitable[str | None]]


class Said(NamedTuple):
    """Whom a request claims to be from. It never grants anything."""

    tenant: str | None = None
    actor: str | None = None
    level: int | None = None

    @property
    def claims(self) -> dict[str, Any]:
        """What of it is claimed, for the audit log, cut where it is long."""
        claimed = {"tenant": self.tenant, "actor": self.actor, "level": self.level}
        return {
            key: value[:64] if isinstance(value, str) else value
            for key, value in claimed.items()
            if value is not None
        }

    @classmethod
    def of(cls, stated: object) -> "Said":
        """What a body or a query string states."""
        if not isinstance(stated, dict):
            return cls()
        texts = {key: value for key, value in stated.items() if isinstance(value, str)}
        level = stated.get("level")
        actor = texts.get("approver_id") or texts.get("requested_by")
        return cls(texts.get("tenant_id"), actor, level if type(level) is int and level < 100 else None)


class Identifies(Protocol):
    """What `aos_server.identity` gives."""

    async def identify(self, given: Credentials, *, live: bool) -> Caller:
        """The caller that credentials belong to."""

    async def named(self, user: str, tenant: str) -> Caller:
        """Whoever calls themselves so."""


class Keeps(Protocol):
    """What `aos_server.services.refusals` gives."""

    async def keep(self, caller: Caller, about: str, details: Mapping[str, Any], error: AosError) -> None:
        """Keep that the caller was not let in."""


class Admits(Protocol):
    """What `aos_server.services.operators` gives."""

    async def admit(self, caller: Caller) -> None:
        """Raises AosError(authorization_denied) for who may not touch what is the server's."""


class Gate:
    """Lets callers in. Where it is `trusting`, who brings no credentials is who they say: in development mode alone.

    `rates` None: requests are not counted, in development mode alone. `refusals` None: nobody keeps them. `homes` says
    there of which tenant a thing is that is named by its id. `operators` None: whoever operates a tenant may touch what
    is the server's, in development mode alone.
    """

    def __init__(
        self,
        identity: Identifies,
        rates: Rates | None,
        *,
        trusting: bool,
        refusals: Keeps | None = None,
        homes: Mapping[str, Home] = {},
        operators: Admits | None = None,
    ) -> None:
        self._identity = identity
        self._rates = rates
        self._trusting = trusting
        self._refusals = refusals
        self._homes = homes
        self._operators = operators

    async def known(self, given: Credentials) -> Caller | None:
        """The caller by what they bring, before anything of the request's body is read; what they may do comes later.

        None where the body has to say it. Raises AosError: unauthenticated, auth_unavailable, rate_limited.
        """
        if self._trusting and given == NOTHING:
            return None
        return await self._identity.identify(given, live=False)

    async def named(self, said: Said, path: Mapping[str, str]) -> Caller:
        """The caller by their own word, in the tenant that they name, else in that of what they ask for."""
        tenant = said.tenant
        for name, home in self._homes.items():
            if tenant is None and name in path:
                tenant = await home(path[name])
        return await self._identity.named(said.actor or "dev", tenant or DEFAULT_TENANT)

    async def admit(
        self, caller: Caller, act: Act, told: dict[str, str], given: Credentials = NOTHING
    ) -> Caller:
        """The caller with what they may do now, where acts of that kind are among it and they have not done too many.

        `told` gets headers that say so. They are counted first: nobody has others asked more often than they may ask.
        Raises AosError: rate_limited, unauthenticated, auth_unavailable, authorization_denied.
        """
        if self._rates is not None:
            issuer, subject = caller.principal
            taken = await self._rates.take(act, caller.tenant, issuer, subject, per_minute=caller.per_minute)
            if taken is not None:
                told.update(taken.headers)
                if refusal := taken.refusal():
                    raise refusal
        if MATRIX[act].needs_live_identity and not caller.live and given != NOTHING:
            caller = await self._identity.identify(given, live=True)
        require(caller, act)
        return caller

    async def admit_operator(self, caller: Caller) -> None:
        """Check that they may touch what is no tenant's. Raises AosError: authorization_denied, unavailable."""
        if self._operators is not None:
            await self._operators.admit(caller)

    async def refuse(self, caller: Caller, about: str, details: Mapping[str, Any], error: AosError) -> None:
        """Keep a refusal of somebody one knows. What is refused for another reason is counted and logged alone."""
        if self._refusals is not None and error.code == "authorization_denied":
            await self._refusals.keep(caller, about, details, error)


def check_claims(caller: Caller, said: Said) -> None:
    """Raise AosError(authorization_denied) where a request claims to be from somebody else."""
    if said.tenant is not None and said.tenant != caller.tenant:
        raise AosError("authorization_denied", "tenant_id is not the caller's tenant")
    if said.actor is not None and said.actor != caller.principal.subject:
        raise AosError("authorization_denied", "approver_id or requested_by is not the caller")
