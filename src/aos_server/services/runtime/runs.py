"""Run records: what happened elsewhere, uploaded by whoever ran it. Queries, budgets and policies rest on them.

A record may grow as long as its run goes on. Once the run has ended it never changes, unless the run had failed or was
stopped and is tried again: then that try's record takes its place. The same record again is recognised by its digest.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from aos.errors import AosError
from aos.wire.digests import digest
from aos.wire.problems import visible
from aos.wire.results.documents import Document, envelope, headed, money
from aos_server.db.pool import Database, Row, Statement
from aos_server.identity.caller import Caller
from aos_server.metrics import RUN_CENTS, RUN_UNPRICED, RUNS
from aos_server.services.changes import Effect, Entry, Given, Message, change
from aos_server.services.idempotency import Key
from aos_server.services.pages import Place, before, cut

__all__ = ["Record", "Runs"]

_OVER = ("succeeded", "failed", "cancelled")


class Record(NamedTuple):
    """A run as it was uploaded. `cost_cents` adds up the attempts that have a price, `unpriced` counts the others."""

    id: str
    agent: str
    status: str
    plan_digest: str
    tries: int
    started_ms: float
    ended_ms: float | None
    cost_cents: Decimal
    unpriced: int
    document: Mapping[str, Any]


class _Unchanged(Exception):
    """What is uploaded is there already."""


class Runs:
    """The records of every tenant, each visible to its own callers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, caller: Caller, record: Record, key: Key | None) -> Given:
        """Keep a record, add its costs to what was spent, and say so in the audit log.

        Raises AosError: run_conflict where the run has ended otherwise, and what `change` raises.
        """
        told = digest(dict(record.document))
        known: Row | None = None

        def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
            nonlocal known
            (known,) = (found,) = rows[1] or (None,)
            if found is not None and found["digest"] == told:
                raise _Unchanged
            if found is not None and found["status"] in _OVER and not _goes_on(record, found):
                raise AosError(
                    "run_conflict", "this run has ended, and what was recorded of it never changes"
                )
            if found is not None and found["agent_id"] != record.agent:
                raise AosError("run_conflict", "this run was recorded for another agent")
            return _effect(record, told, found)

        reads = [(name, {"id": record.id}) for name in ("runs.lock", "runs.state")]
        try:
            given = await change(self._database, caller, reads, decide, key)
        except _Unchanged:
            return Given(200, _receipt(record, told), again=True)
        if not given.again:
            _count(record, known)
        return given

    async def get(self, tenant: str, run: str) -> Mapping[str, Any]:
        """The record as it was uploaded. Raises AosError(not_found); another tenant's is not found either."""
        (found,) = await self._database.read(("runs.get", {"id": run}), tenant=tenant)
        if not found:
            raise AosError("not_found", f'there is no run "{visible(run)}"')
        return headed(found[0]["document"])

    async def page(
        self, tenant: str, agent: str | None, after: Place | None, limit: int
    ) -> tuple[Sequence[Row], Place | None]:
        """Records, the latest first, and where the next page starts; None: there is no more."""
        asked = {"agent": agent, **before(after, limit)}
        (rows,) = await self._database.read(("runs.page", asked), tenant=tenant)
        return cut(rows, limit, "started_at")

    async def latest(self, tenant: str, agent: str | None, limit: int) -> list[Mapping[str, Any]]:
        """The documents of the latest runs."""
        rows, _ = await self.page(tenant, agent, None, limit)
        return [row["document"] for row in rows]


def _goes_on(record: Record, known: Row) -> bool:
    """Whether a run that had failed or was stopped was gone on with: all that it had cost it still has."""
    later = record.tries > known["tries"] or (
        known["status"] == "cancelled" and record.tries == known["tries"]
    )
    return bool(known["status"] != "succeeded" and later and record.cost_cents >= known["cost_cents"])


def _effect(record: Record, told: str, known: Row | None) -> Effect:
    """Write the record, and spend what it has cost more than the one before it."""
    row = {
        "id": record.id,
        "agent": record.agent,
        "status": record.status,
        "plan_digest": record.plan_digest,
        "cost_cents": record.cost_cents,
        "unpriced": record.unpriced,
        "started_at": _moment(record.started_ms),
        "ended_at": None if record.ended_ms is None else _moment(record.ended_ms),
        "digest": told,
        "document": dict(record.document),
    }
    cents = record.cost_cents - (known["cost_cents"] if known else 0)
    unpriced = record.unpriced - (known["unpriced"] if known else 0)
    spend: list[Statement] = [
        ("tenants.spend", {"agent": agent, "cents": cents, "unpriced": unpriced})
        for agent in sorted({"", record.agent})
    ]
    recalled: list[Statement] = [("runs.recall", {"id": record.id})] if known else []
    ended = record.status in _OVER
    receipt = _receipt(record, told)
    return Effect(
        [("tenants.ensure", {}), *recalled, ("runs.put", row), *spend],
        Entry("run.recorded", record.id, {"status": record.status, "cost_cents": str(record.cost_cents)}),
        200 if known else 201,
        receipt,
        [Message("run.ended", {"run_id": record.id, "status": record.status})] if ended else [],
    )


def _count(record: Record, known: Row | None) -> None:
    """What was kept, for the metrics; what was told anew of attempts may also be less than before."""
    RUNS.labels(record.status).inc()
    RUN_CENTS.inc(max(0.0, float(record.cost_cents - (known["cost_cents"] if known else 0))))
    RUN_UNPRICED.inc(max(0, record.unpriced - (known["unpriced"] if known else 0)))


def _receipt(record: Record, told: str) -> Document:
    return {
        **envelope("aos.run-receipt/1"),
        "run_id": record.id,
        "status": record.status,
        "cost_cents": money(record.cost_cents),
        "unpriced": record.unpriced,
        "digest": told,
    }


def _moment(unix_ms: float) -> datetime:
    return datetime.fromtimestamp(unix_ms / 1000, UTC)
