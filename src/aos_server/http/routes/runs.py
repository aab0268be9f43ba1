"""The part of the API that is about records of runs."""

from aos_server.http.endpoint import Endpoint
from aos_server.http.handlers.runs import RunRecords
from aos_server.http.models.base import InTenant
from aos_server.http.models.runs import Run, RunList, RunReceipt, RunRecord, RunsQuery

__all__ = ["runs"]


def runs(at: str, to: RunRecords) -> tuple[Endpoint, ...]:
    """Uploading run records and reading them."""
    return (
        Endpoint(
            "POST",
            at,
            "Upload the record of a run; the same one again changes nothing",
            to.upload_run,
            RunReceipt,
            act="create",
            body=RunRecord,
            plan=True,
            codes=["run_conflict", "idempotency_mismatch", "request_in_progress"],
            status=201,
            again=200,
        ),
        Endpoint(
            "GET",
            at,
            "Run records, the latest first",
            to.list_runs,
            RunList,
            act="read",
            query=RunsQuery,
        ),
        Endpoint(
            "GET",
            f"{at}/{{run_id}}",
            "One run record, as it was uploaded",
            to.get_run,
            Run,
            act="read",
            query=InTenant,
            codes=["not_found"],
        ),
    )
