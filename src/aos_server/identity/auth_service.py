"""The auth service: which roles somebody has in a tenant, now. Its answers are never kept."""

from typing import NamedTuple
from urllib.parse import quote

from aos.wire.shape import Reader
from aos.wire.strict import Json
from aos_server.identity.remote import Remote, Reply, unavailable
from aos_server.identity.roles import MAX_LEVEL, level_of

__all__ = ["AuthService", "Authority"]

_WHAT = "the auth service"
_NOBODY = "aos-readiness"
"""A user and a tenant that there are not, to ask about where it matters only whether there is an answer."""


class Authority(NamedTuple):
    """What somebody may do: `level` is 0 for whoever is not known."""

    roles: tuple[str, ...]
    level: int


class AuthService:
    """`GET {url}/api/v1/users/{user_id}/roles?tenant_id=…` with `api_key` as bearer token."""

    def __init__(self, url: str, api_key: str | None, remote: Remote) -> None:
        self._url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._remote = remote

    async def authority(self, user: str, tenant: str) -> Authority:
        """Ask. Raises AosError(auth_unavailable) for anything but a proper answer about that user and tenant."""
        reply = await self._ask(user, tenant)
        if reply.status == 404:
            return Authority((), 0)
        if reply.status != 200:
            raise unavailable(_WHAT, f"it answered {reply.status}")
        return _authority(reply.document, user, tenant)

    async def check(self) -> None:
        """Return if it can be asked, with the key that we have. Raises AosError(auth_unavailable)."""
        reply = await self._ask(_NOBODY, _NOBODY)
        if reply.status == 200:
            _authority(reply.document, _NOBODY, _NOBODY)
        elif reply.status == 401 or reply.status >= 500:  # 403 and 422 may be about nobody: so it is there
            raise unavailable(_WHAT, f"it answered {reply.status}")

    async def _ask(self, user: str, tenant: str) -> Reply:
        url = f"{self._url}/api/v1/users/{quote(user, safe='')}/roles?tenant_id={quote(tenant, safe='')}"
        return await self._remote.get(_WHAT, url, self._headers)


def _authority(document: Json, user: str, tenant: str) -> Authority:
    """The level is the lower of what it says and what the roles give: neither alone is enough."""
    reader = Reader()
    fields = reader.obj(document, "", required=("user_id", "roles", "max_approval_level", "tenant_id"))
    roles = reader.texts(fields["roles"], "/roles", max_len=100)
    level = reader.integer(fields["max_approval_level"], "/max_approval_level", 0, low=0, high=MAX_LEVEL)
    if reader.findings or (fields["user_id"], fields["tenant_id"]) != (user, tenant):
        raise unavailable(_WHAT, "its answer makes no sense")
    return Authority(roles, min(level, level_of(roles)))
