"""The part of the API that is about approval requests."""

from collections.abc import Sequence

from pydantic import BaseModel

from aos_server.http.endpoint import Endpoint, Handler
from aos_server.http.handlers.requests import ApprovalRequests
from aos_server.http.models.base import InTenant
from aos_server.http.models.requests import (
    ApprovalRequest,
    Approve,
    CancelRequest,
    Consume,
    CreateRequest,
    Decide,
    Reject,
    RequestList,
    RequestsQuery,
    RequestState,
    ReviewRequest,
)

__all__ = ["requests"]


def requests(at: str, to: ApprovalRequests) -> tuple[Endpoint, ...]:
    """Approval requests. Who decides is a person; making, withdrawing and using them may be a machine's."""
    one, keyed = f"{at}/{{request_id}}", ["idempotency_mismatch", "request_in_progress"]
    decided = ["not_found", "already_decided", *keyed]
    voted = [*decided, "already_voted", "stale_digest"]

    def deciding(
        word: str, summary: str, handler: Handler, body: type[BaseModel], codes: Sequence[str]
    ) -> Endpoint:
        path = f"{one}/{word}"
        return Endpoint("POST", path, summary, handler, RequestState, act="decide", body=body, codes=codes)

    return (
        Endpoint(
            "POST",
            at,
            "Ask for an approval of a call or a plan, which the server simulates",
            to.create_request,
            ApprovalRequest,
            act="create",
            body=CreateRequest,
            plan=True,
            codes=["invalid_plan", "policy_denied", "webhook_refused", "overloaded", "not_computed", *keyed],
            status=201,
        ),
        Endpoint(
            "GET",
            at,
            "Requests, the latest first",
            to.list_requests,
            RequestList,
            act="read",
            query=RequestsQuery,
        ),
        Endpoint(
            "GET",
            one,
            "One request with everything that an approver looks at",
            to.get_request,
            ApprovalRequest,
            act="read",
            query=InTenant,
            codes=["not_found"],
        ),
        deciding("approve", "Say yes", to.approve_request, Approve, voted),
        deciding("reject", "Say no", to.reject_request, Reject, voted),
        deciding(
            "escalate", "Ask one level higher", to.escalate_request, Decide, [*decided, "no_higher_level"]
        ),
        deciding(
            "review",
            "Say what you found in reviewing a broken glass",
            to.review_request,
            ReviewRequest,
            ["not_found", "no_open_review", *keyed],
        ),
        deciding("cancel", "No longer ask", to.cancel_request, CancelRequest, decided)._replace(act="create"),
        Endpoint(
            "POST",
            f"{one}/consume",
            "Use the approval, once, for what was approved",
            to.consume_request,
            RequestState,
            act="create",
            body=Consume,
            plan=True,
            codes=[
                *("not_found", "stale_digest", "approval_pending", "not_approved", "grant_expired"),
                *("already_consumed", "approval_void", "overloaded", "not_computed", *keyed),
            ],
        ),
    )
