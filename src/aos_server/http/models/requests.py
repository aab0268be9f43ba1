"""Approval requests as they are made, decided on and told."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from aos.domain.approvals.requests import RequestStatus, ReviewOutcome
from aos_server.http.models.base import (
    WHOLE,
    Cursor,
    Document,
    Flag,
    Id,
    JsonObject,
    Limit,
    Request,
    SkillId,
    Unknown,
    without_nul,
)
from aos_server.http.models.policy import EITHER
from aos_server.http.models.runtime import Plan
from aos_server.services.requests.create import MAX_NAME, PolicyType

__all__ = [
    *("ApprovalRequest", "Approve", "CancelRequest", "Consume", "CreateRequest", "Decide", "Reject"),
    *("RequestList", "RequestState", "RequestsQuery", "ReviewRequest"),
]

MAX_REASON_BYTES = 4096
MAX_PENDING_S = 7 * 24 * 3600


def _short(text: str) -> str:
    if len(text.encode()) > MAX_REASON_BYTES:
        raise ValueError(f"it has more than {MAX_REASON_BYTES:,} bytes")
    return text


Reason = Annotated[
    str,
    StringConstraints(pattern=r"^[^\x00]*$", max_length=MAX_REASON_BYTES),
    AfterValidator(_short),
    Field(description=f"At most {MAX_REASON_BYTES:,} bytes of UTF-8"),
]
Subject = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,255}$")]
PlanName = Annotated[str, StringConstraints(pattern=rf"^[^\x00]{{1,{MAX_NAME}}}$")]
Level = Annotated[int, Field(ge=1, le=5)]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Seconds = Annotated[int, Field(ge=60, le=MAX_PENDING_S)]


class CreateRequest(Request):
    """Ask for an approval of a call (`skill_id` and its parameters as `payload`), or of a plan.

    What it takes is decided by policy and plan; `required_level` can only raise it. With `escalate_after_seconds` the
    next level is asked each time that nobody has decided for so long.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": EITHER})

    policy_type: PolicyType
    skill_id: SkillId | None = None
    payload: JsonObject = Field(default={})
    plan: Plan | None = None
    inputs: JsonObject = Field(default={})
    tenant_id: Id | None = None
    agent_id: Id | None = None
    requested_by: Subject | None = None
    justification: Reason = ""
    expires_in_seconds: Seconds = 24 * 3600
    escalate_after_seconds: Seconds | None = None
    uses: Annotated[int, Field(ge=1, le=1000, description="How often the approval may be used")] = 1
    required_level: Level | None = None
    webhook_url: Annotated[
        str | None,
        StringConstraints(min_length=1, max_length=2048),
        Field(description="Told what becomes of it"),
    ] = None

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.skill_id is None) == (self.plan is None):
            raise ValueError("give either a skill_id, with its payload, or a plan")
        without_nul([self.payload, self.plan, self.inputs])
        return self


class Decide(Request):
    """Who decides, and why; `approver_id` grants nothing: it has to be the caller's own."""

    approver_id: Subject | None = None
    tenant_id: Id | None = None
    reason: Reason = ""


class Reject(Decide):
    """A no. A `level` above the caller's is refused, below it they act at that level. `digest`: what they saw."""

    level: Level | None = None
    digest: Digest | None = None


class Approve(Reject):
    """A yes. With `break_glass` one person of level 5 is enough; the reason is then a must, and a review follows."""

    break_glass: bool = False

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if self.break_glass and not self.reason.strip():
            raise ValueError("whoever breaks the glass gives a reason")
        return self


class ReviewRequest(Decide):
    """What somebody found who looked at a broken glass."""

    outcome: ReviewOutcome
    reason: Annotated[Reason, Field(min_length=1)]


class CancelRequest(Request):
    """No longer ask. `requested_by` grants nothing: it has to be the caller's own."""

    requested_by: Subject | None = None
    tenant_id: Id | None = None
    reason: Reason = ""


class Consume(Request):
    """Use the approval, for `plan` with `inputs`; without them for what was approved, as it is kept."""

    digest: Digest | None = None
    plan: Plan | None = None
    inputs: JsonObject = Field(default={})
    run_id: Id | None = None
    requested_by: Subject | None = None
    tenant_id: Id | None = None


class RequestsQuery(Request):
    """Which requests. `mine`: those that the caller made. `level`: those that take this level. `granted`: those that
    were approved, used or not. `waiting`: those on which the caller can decide now, who neither made them nor
    decided on them; with `level`, those that take no more. `review`: those whose glass was broken and that nobody has
    reviewed."""

    status: RequestStatus | None = None
    mine: Flag = False
    waiting: Flag = False
    level: Annotated[Level, WHOLE] | None = None
    skill_id: SkillId | None = None
    plan_name: PlanName | None = None
    granted: Flag = False
    review: Literal["open"] | None = None
    tenant_id: Id | None = None
    limit: Limit = 50
    cursor: Cursor | None = None

    @model_validator(mode="after")
    def _one_filter(self) -> Self:
        picked = self.mine or self.granted or self.status is not None
        if sum([picked, self.waiting, self.review is not None]) > 1:
            raise ValueError(
                "`waiting` and `review` go with none of `status`, `mine`, `granted`, nor with each other"
            )
        if self.review and (self.level or self.skill_id or self.plan_name):
            raise ValueError("`review` goes with no other filter")
        return self


class Requester(Document):
    """Who asks; `owner` is whose service key it is."""

    issuer: str
    subject: str
    owner: JsonObject | None


class RequestLine(Document):
    """A request in a few figures. `approvals` counts the people whose level is enough for `required_level`."""

    request_id: str
    status: RequestStatus
    tenant_id: str
    policy_type: PolicyType
    skill_id: str | None
    plan_name: str | None
    agent_id: str | None
    requested_by: str
    requester: Requester
    justification: str
    required_level: int
    min_approvals: int
    approvals: int
    digest: str
    created_at: str
    expires_at: str
    escalates_at: str | None
    decided_at: str | None
    uses: int
    used: int
    grant_expires_at: str | None
    break_glass: bool
    review: Literal["open", "justified", "not_justified"] | None


class RequestState(RequestLine):
    """What a decision has made of a request: the document `aos.request-state/1`."""


class RequestDecision(Document):
    """What one approver said."""

    approver_id: str
    issuer: str
    decision: Literal["approve", "reject"]
    level: int
    break_glass: bool
    reason: str
    at: str


class Consumption(Document):
    """One use of the approval."""

    number: int
    consumed_by: str
    issuer: str
    run_id: str | None
    at: str


class Digests(Document):
    """What the request rests on; null where no catalog describes the skill."""

    plan: str
    catalog: str | None
    catalog_contract: str | None
    policy: str


class ApprovalRequest(RequestLine):
    """A request with everything that an approver looks at: the document `aos.request/1`.

    `digest` is that of what is asked for (docs/approvals.md). `forecast` is what the server simulated, null where
    nobody can foresee it; `envelope` what of it the approval binds; `webhook_id` what is told of what becomes of it.
    `inbox_url` is the page on which people decide.
    """

    decisions: list[RequestDecision]
    consumptions: list[Consumption]
    reviewed: JsonObject | None
    plan: JsonObject
    inputs: JsonObject
    digests: Digests
    policy: JsonObject
    forecast: JsonObject | None
    envelope: JsonObject | None
    webhook_id: str | None = None
    inbox_url: str | None = None
    unknowns: list[Unknown]


class RequestList(Document):
    """A page of requests, the latest first: the document `aos.request-list/1`. `next` null: there are no more."""

    requests: list[RequestLine]
    count: int
    next: str | None
