"""The rules of a tenant: push a version, list them, show one, activate one; and try one on what happened."""

from datetime import timedelta

from aos.errors import AosError
from aos.wire.results.documents import Document
from aos_server.http.endpoint import Call
from aos_server.http.models.base import whole
from aos_server.http.models.policy import ActivatePolicy, PushPolicy, ReplayPolicy, VersionsQuery
from aos_server.services.changes import Given
from aos_server.services.policy.replays import Replays, Wanted
from aos_server.services.policy.versions import Activation, Versions, not_found
from aos_server.services.tenants import Tenants

__all__ = ["PolicyVersions"]

PATH = "/api/v1/policy/versions"


class PolicyVersions:
    """The handlers of `/api/v1/policy/versions`, `/api/v1/policy/active` and `/api/v1/policy/replay`."""

    def __init__(self, versions: Versions | None, tenants: Tenants, replays: Replays | None = None) -> None:
        self._kept = versions
        self._tenants = tenants
        self._replays = replays

    @property
    def _versions(self) -> Versions:
        if self._kept is None:
            raise AosError("unavailable", "no versions of a policy are kept here")
        return self._kept

    async def push_policy(self, call: Call) -> Given:
        """Keep rules as the next version."""
        asked: PushPolicy = call.body
        terms = await self._tenants.terms(call.caller.tenant, None, now=True)
        key = call.key("POST", PATH)
        return await self._versions.push(call.caller, asked.files, asked.message, terms, key)

    async def list_policies(self, call: Call) -> Document:
        """A page of versions, the newest first."""
        asked: VersionsQuery = call.query
        before = None if asked.cursor is None else int(asked.cursor)
        return await self._versions.page(call.caller.tenant, before, asked.limit)

    async def get_policy(self, call: Call) -> Document:
        """One version with its text."""
        return await self._versions.get(call.caller.tenant, _number(call))

    async def active_policy(self, call: Call) -> Document:
        """Which version holds."""
        return await self._versions.active(call.caller.tenant)

    async def replay_policy(self, call: Call) -> Document:
        """Ask other rules about what is on record."""
        if self._replays is None:
            raise AosError("unavailable", "nothing is kept here that rules could be asked about")
        asked: ReplayPolicy = call.body
        window = None if asked.window_s is None else timedelta(seconds=asked.window_s)
        wanted = Wanted(asked.files, asked.version, asked.against, window, asked.limit)
        return await self._replays.replay(call.caller, wanted)

    async def activate_policy(self, call: Call) -> Given:
        """Let a version hold from now on."""
        asked: ActivatePolicy = call.body
        version = _number(call)
        terms = await self._tenants.terms(call.caller.tenant, None, now=True)
        wanted = Activation(version, asked.if_active, asked.why)
        key = call.key("POST", f"{PATH}/{version}/activate")
        return await self._versions.activate(call.caller, wanted, terms, key)


def _number(call: Call) -> int:
    text = call.path["version"]
    number = whole(text)
    if number is None:
        raise not_found(text)
    return number
