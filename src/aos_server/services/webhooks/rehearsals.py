"""Rehearsals: does every webhook accept a message that the current key alone has signed?

Ordinary messages bear a signature of each live key, so they tell nothing of who has the new secret. A rehearsal is a
delivery like any other, of the type webhook.rehearsal, tried once; that it has arrived is kept with the webhook.
Webhooks of single requests end with these, and are not asked.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from aos.errors import AosError
from aos.wire.results.documents import Document, envelope
from aos_server.db.pool import Database, Row
from aos_server.identity.caller import Caller
from aos_server.services.changes import Effect, Entry, change
from aos_server.services.webhooks.targets import origin

__all__ = ["TOPIC", "begin", "keep_accepted", "report", "require_accepted", "standing"]

TOPIC = "webhook.rehearsal"
_NAMED = 20


async def begin(database: Database, caller: Caller, version: str) -> None:
    """Send one to every active webhook, unless one is on its way there."""

    def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
        return Effect(
            [("rotations.rehearse", {"version": version})], Entry("webhook_key.rehearsed", version), 200, {}
        )

    await change(database, caller, [], decide)


async def standing(database: Database, caller: Caller, version: str) -> list[Row]:
    """Every active webhook, and what it has made of that version."""
    async with database.transaction(caller.tenant) as transaction:
        return await transaction.all("rotations.rehearsal", version=version)


async def report(database: Database, caller: Caller, version: str) -> Document:
    """The document `aos.key-rehearsal/1`. Webhooks of other tenants are counted, not named."""
    rows = await standing(database, caller, version)
    elsewhere = Counter(_state(row) for row in rows if row["tenant_id"] != caller.tenant)
    states = {_state(row) for row in rows}
    return {
        **envelope("aos.key-rehearsal/1"),
        "version": version,
        "status": next((one for one in ("pending", "refused", "not_asked") if one in states), "accepted"),
        "webhooks": [
            {
                "webhook_id": row["id"],
                "url": f"{origin(row['url'])}/…",
                "state": _state(row),
                "status": row["status"],
                "code": row["code"],
            }
            for row in rows
            if row["tenant_id"] == caller.tenant
        ],
        "elsewhere": {state: elsewhere[state] for state in ("accepted", "refused", "pending", "not_asked")},
    }


def require_accepted(rows: Sequence[Row], tenant: str, current: str, old: str) -> None:
    """Raises AosError(keys_not_accepted), naming webhooks of the tenant that would refuse messages without `old`."""
    left = [row for row in rows if not row["accepted"]]
    if left:
        ours = [row["id"] for row in left if row["tenant_id"] == tenant]
        named = ours[:_NAMED]
        if len(ours) > _NAMED:
            named.append(f"{len(ours) - _NAMED:,} more")
        if len(left) > len(ours):
            named.append(f"{len(left) - len(ours):,} of other tenants")
        raise AosError(
            "keys_not_accepted",
            f"{', '.join(named)} did not accept {current} alone yet; without {old} they would refuse every message",
            fix=f"`aos keys rotate --rehearse` asks them; or say that you mean it: --confirm {old}",
        )


async def keep_accepted(database: Database, webhook: str, version: str) -> None:
    """It has accepted a message that this version alone had signed."""
    async with database.transaction() as transaction:
        await transaction.send("webhooks.accepted", id=webhook, version=version)


def _state(row: Row) -> str:
    if row["accepted"]:
        return "accepted"
    # One that has arrived, and is not accepted, was sent to another address than the webhook has now.
    return {"waiting": "pending", "failed": "refused"}.get(row["state"], "not_asked")
