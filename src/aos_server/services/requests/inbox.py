"""What the inbox shows of requests: the open ones, the most urgent first, their forecasts' headlines, and one whole."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from aos.domain.approvals.envelopes import Departure, Envelope
from aos.domain.approvals.requests import Request
from aos.domain.plans.sizes import MAX_STEPS_API
from aos.errors import InputError
from aos.wire.catalogs.read import default_catalog
from aos.wire.envelopes import changed, parse_envelope
from aos.wire.plans.read import parse_plan
from aos.wire.results.documents import Document
from aos_server.db.pool import Database, Row
from aos_server.identity.caller import Caller
from aos_server.services.pages import Place, cut
from aos_server.services.requests import reads
from aos_server.services.requests.stored import line, request_of, whole

__all__ = ["Looked", "headlines", "look", "urgent"]

SMALL_BYTES = 256 * 1024
"""Of a document: one that is larger is not read for a line of a list, nor compared with another one."""


class Looked(NamedTuple):
    """A request with all that somebody looks at who decides: its document, how the rules see it, its envelope (None:
    nobody could foresee it), what changed since the last approved plan of its name (None: there is none, or it is too
    large to be compared), and Postgres' clock."""

    document: Document
    request: Request
    envelope: Envelope | None
    changes: Sequence[Departure] | None
    now: datetime


async def look(database: Database, caller: Caller, request: str) -> Looked:
    """One request. Raises AosError(not_found); another tenant's is not found either."""
    row = await reads.row(database, caller.tenant, request)
    state = request_of(row, row["votes"], row["review"])
    document = whole(row, state, row["document"], row["votes"])
    stated = document["envelope"]
    changes = await _since_last(database, caller, row, document)
    return Looked(document, state, None if stated is None else parse_envelope(stated), changes, row["now"])


async def urgent(
    database: Database, caller: Caller, waiting: int | None, after: Place | None, limit: int
) -> tuple[list[Document], Place | None]:
    """A page of open requests, those first whose time is up first; with `waiting` those on which the caller can decide
    at that level."""
    at, row_id = after or (None, None)
    asked = {"waiting": waiting, **caller.principal._asdict(), "after_at": at, "after_id": row_id}
    async with database.transaction(caller.tenant) as transaction:
        found = await transaction.all("requests.urgent", **asked, limit=limit + 1)
    rows, following = cut(found, limit, "expires_at")
    return [line(row, request_of(row, row["votes"], row["review"])) for row in rows], following


async def headlines(database: Database, tenant: str, requests: Sequence[str]) -> Mapping[str, Row]:
    """What was forecast of each, in a few figures; of one whose document is large, nothing."""
    if not requests:
        return {}
    async with database.transaction(tenant) as transaction:
        ids = [UUID(one) for one in requests]
        rows = await transaction.all("requests.headlines", ids=ids, most=SMALL_BYTES)
    return {str(row["request_id"]): row for row in rows}


async def _since_last(
    database: Database, caller: Caller, row: Row, document: Mapping[str, Any]
) -> Sequence[Departure] | None:
    """What is different from the last plan of this name that was approved."""
    if row["plan_name"] is None or document["forecast"] is None or len(row["document"]) > SMALL_BYTES:
        return None
    which = reads.Filter(plan=row["plan_name"], granted=True)
    found, _ = await reads.page(database, caller, which, None, 2)
    last = next((one for one in found if one["request_id"] != document["request_id"]), None)
    if last is None:
        return None
    granted = await reads.row(database, caller.tenant, last["request_id"])
    if len(granted["document"]) > SMALL_BYTES:
        return None
    plans = (json.loads(granted["document"])["plan"], document["plan"])
    try:
        before, now = (
            parse_plan(one, default_catalog(), name="a plan", max_steps=MAX_STEPS_API).plan for one in plans
        )
    except InputError:  # it calls a skill of a catalog of the tenant's own
        return None
    return changed(before, now)
