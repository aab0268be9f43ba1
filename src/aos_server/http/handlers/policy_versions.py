"""The rules of a tenant: push a version, list them, show one, activate one."""

from aos.errors import AosError
from aos.wire.encode import one_line
from aos_server.http.answers import Answer
from aos_server.http.endpoint import Call
from aos_server.http.models.base import whole
from aos_server.http.models.policy import ActivatePolicy, PushPolicy, VersionsQuery
from aos_server.services.idempotency import Key, key_of
from aos_server.services.policy.versions import Activation, Versions, not_found
from aos_server.services.tenants import Tenants

__all__ = ["PolicyVersions"]

PATH = "/api/v1/policy/versions"


class PolicyVersions:
    """The handlers of `/api/v1/policy/versions` and `/api/v1/policy/active`."""

    def __init__(self, versions: Versions | None, tenants: Tenants) -> None:
        self._kept = versions
        self._tenants = tenants

    @property
    def _versions(self) -> Versions:
        if self._kept is None:
            raise AosError("unavailable", "no versions of a policy are kept here")
        return self._kept

    async def push_policy(self, call: Call) -> Answer:
        """Keep rules as the next version."""
        asked: PushPolicy = call.body
        terms = await self._tenants.terms(call.caller.tenant, None, now=True)
        key = _key(call, PATH)
        given = await self._versions.push(call.caller, asked.files, asked.message, terms, key)
        return Answer(one_line(given.body).encode(), given.status)

    async def list_policies(self, call: Call) -> bytes:
        """A page of versions, the newest first."""
        asked: VersionsQuery = call.query
        before = None if asked.cursor is None else int(asked.cursor)
        return one_line(await self._versions.page(call.caller.tenant, before, asked.limit)).encode()

    async def get_policy(self, call: Call) -> bytes:
        """One version with its text."""
        return one_line(await self._versions.get(call.caller.tenant, _number(call))).encode()

    async def active_policy(self, call: Call) -> bytes:
        """Which version holds."""
        return one_line(await self._versions.active(call.caller.tenant)).encode()

    async def activate_policy(self, call: Call) -> Answer:
        """Let a version hold from now on."""
        asked: ActivatePolicy = call.body
        version = _number(call)
        terms = await self._tenants.terms(call.caller.tenant, None, now=True)
        wanted = Activation(version, asked.if_active, asked.why)
        key = _key(call, f"{PATH}/{version}/activate")
        given = await self._versions.activate(call.caller, wanted, terms, key)
        return Answer(one_line(given.body).encode(), given.status)


def _key(call: Call, path: str) -> Key | None:
    header = call.headers.get(b"idempotency-key")
    if header is None:
        return None
    return key_of(header.decode("latin-1"), "POST", path, call.body.model_dump(mode="json"))


def _number(call: Call) -> int:
    text = call.path["version"]
    number = whole(text)
    if number is None:
        raise not_found(text)
    return number
