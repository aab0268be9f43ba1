"""Run records: upload one, read one, list them."""

from collections.abc import Mapping
from typing import Any

from aos.wire.results.documents import Document, envelope, money
from aos_server.http.cursors import paged, place
from aos_server.http.endpoint import Call
from aos_server.http.models.runs import RunRecord, RunsQuery
from aos_server.services.changes import Given
from aos_server.services.runtime.runs import Record, Runs

__all__ = ["RunRecords"]


class RunRecords:
    """The handlers of `/api/v1/runs`."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def upload_run(self, call: Call) -> Given:
        """Keep a record; the same one again changes nothing."""
        asked: RunRecord = call.body
        first = {"tries"} if asked.tries == 1 else set[str]()  # which records did not say at first
        told = asked.model_dump(mode="json", exclude=first)
        document = {**envelope("aos.run-record/1"), **told}
        del document["tenant_id"]
        record = Record(
            asked.run_id,
            asked.agent_id or "",
            asked.status,
            asked.plan_digest,
            asked.tries,
            asked.started_ms,
            asked.ended_ms,
            asked.cost_cents,
            asked.unpriced,
            document,
        )
        return await self._runs.put(call.caller, record, call.key("POST", "/api/v1/runs", told))

    async def get_run(self, call: Call) -> Mapping[str, Any]:
        """One record as it was uploaded."""
        return await self._runs.get(call.caller.tenant, call.path["run_id"])

    async def list_runs(self, call: Call) -> Document:
        """A page of records, the latest first."""
        asked: RunsQuery = call.query
        after = place(asked.cursor)
        rows, following = await self._runs.page(call.caller.tenant, asked.agent_id, after, asked.limit)
        return paged("aos.run-list/1", "runs", [_line(row) for row in rows], following)


def _line(row: Any) -> dict[str, Any]:
    return {
        "run_id": row["id"],
        "agent_id": row["agent_id"] or None,
        "status": row["status"],
        "plan_digest": row["plan_digest"],
        "cost_cents": money(row["cost_cents"]),
        "unpriced": row["unpriced"],
        "started_at": row["started_at"].isoformat(),
        "ended_at": row["ended_at"] and row["ended_at"].isoformat(),
    }
