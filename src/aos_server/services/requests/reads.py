"""Read requests: one with all that was said, or a page of them.

Whoever meets a request whose time is up writes that down first: so nobody is told of an end that might not come.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from aos.domain.approvals.requests import RequestStatus
from aos.wire.results.documents import Document
from aos_server.db.pool import Database, Row
from aos_server.identity.caller import Caller
from aos_server.services.pages import Place, before, cut
from aos_server.services.requests.decide import unknown
from aos_server.services.requests.stored import line, request_of, whole
from aos_server.services.requests.timeouts import expire

__all__ = ["Filter", "get", "page", "row", "tenant_of"]


class Filter(NamedTuple):
    """Which requests. `mine`: the caller's. `waiting`: those on which somebody of that level can decide now, but for
    those that the caller made or decided on. `level` is the one required. `granted`: those that were approved, used or
    not. `settled`: those that no longer wait. `unreviewed`: whose glass was broken, whatever else is asked for."""

    status: RequestStatus | None = None
    mine: bool = False
    waiting: int | None = None
    skill: str | None = None
    plan: str | None = None
    level: int | None = None
    granted: bool = False
    settled: bool = False
    unreviewed: bool = False


async def get(database: Database, tenant: str, request: str) -> Document:
    """The document `aos.request/1`. Raises AosError(not_found); another tenant's is not found either."""
    found = await row(database, tenant, request)
    return whole(found, request_of(found, found["votes"], found["review"]), found["document"], found["votes"])


async def row(database: Database, tenant: str, request: str) -> Row:
    """A request with its document, votes and review, as they are kept. Raises AosError(not_found)."""
    found = await _row(database, tenant, request)
    if found["overdue"]:
        await expire(database, tenant, request)
        found = await _row(database, tenant, request)
    return found


async def page(
    database: Database, caller: Caller, which: Filter, after: Place | None, limit: int
) -> tuple[list[Document], Place | None]:
    """A page of requests, the newest first, and where the next one starts; None: there is no more."""
    for _ in range(2):
        rows = await _page(database, caller, which, after, limit)
        overdue = [one for one in rows if one["overdue"]]
        if not overdue:
            break
        for one in overdue:
            await expire(database, caller.tenant, str(one["id"]))
    rows, following = cut(rows, limit)
    return [line(one, request_of(one, one["votes"], one["review"])) for one in rows], following


async def tenant_of(database: Database, request: str) -> str | None:
    """Of which tenant a request is; for development, where nobody says for whom they act. None: there is none."""
    try:
        UUID(request)
    except ValueError:
        return None
    async with database.transaction() as transaction:
        found = await transaction.one("requests.tenant", id=request)
    return found["tenant"] if found else None


async def _row(database: Database, tenant: str, request: str) -> Row:
    async with database.transaction(tenant) as transaction:
        found = await transaction.one("requests.get", id=request)
    if found is None:
        raise unknown()
    return found


async def _page(
    database: Database, caller: Caller, which: Filter, after: Place | None, limit: int
) -> Sequence[Row]:
    async with database.transaction(caller.tenant) as transaction:
        if which.unreviewed:
            return await transaction.all("requests.page_unreviewed", **before(after, limit))
        asked = which._asdict() | caller.principal._asdict()
        return await transaction.all("requests.page", **asked, **before(after, limit))
