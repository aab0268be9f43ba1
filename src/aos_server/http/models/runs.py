"""Run records as they are uploaded and told."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from aos.domain.plans.plan import Outcome as StepOutcome
from aos.domain.runs.run import RunStatus
from aos.domain.skills.failures import Effect
from aos.domain.skills.skill import Category
from aos_server.http.models.base import (
    Cents,
    Cursor,
    Document,
    Id,
    JsonObject,
    Limit,
    Request,
    SkillId,
    decimal,
    without_nul,
)

__all__ = ["Run", "RunList", "RunReceipt", "RunRecord", "RunsQuery"]

_MOST_CENTS = 10**9

Moment = Annotated[float, Field(ge=0, le=2.5e14, description="Unix time in milliseconds")]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
StepId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Words = Annotated[str, StringConstraints(max_length=4096)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class Attempt(Request):
    """One attempt of one step. `cost_cents` null: nobody knows. Its result stays where it was made."""

    step: StepId
    item: Count = 0
    iteration: Count = 0
    skill: SkillId
    attempt: Annotated[int, Field(ge=1, le=1000)] = 1
    outcome: Literal["succeeded", "failed", "unknown"]
    code: Code | None = None
    category: Category | None = None
    detail: Words | None = None
    retryable: bool | None = None
    effect: Effect = "none"
    started_ms: Moment
    latency_ms: Annotated[float, Field(ge=0, le=1e12)] | None = None
    cost_cents: Cents | None = None
    alternatives: Annotated[list[SkillId], Field(max_length=50)] = Field(default=[])
    next_actions: Annotated[list[Words], Field(max_length=50)] = Field(default=[])


class RunRecord(Request):
    """A run: the document `aos.run-record/1`."""

    run_id: Id
    agent_id: Id | None = None
    tenant_id: Id | None = None
    name: Annotated[str, StringConstraints(max_length=200)] | None = None
    status: RunStatus
    plan_digest: Digest
    contract: Digest | None = None
    budget_cents: Cents | None = None
    deadline_ms: Annotated[float, Field(gt=0, le=1e12)] | None = None
    started_ms: Moment
    ended_ms: Moment | None = None
    active_ms: Annotated[float, Field(ge=0, le=1e12)] | None = None
    tries: Annotated[int, Field(ge=1, le=10_000)] = 1
    attempts: Annotated[list[Attempt], Field(max_length=20_000)] = Field(default=[])
    steps: dict[StepId, StepOutcome] = Field(default={})
    forecast: Annotated[JsonObject | None, AfterValidator(without_nul)] = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        without_nul(self.model_dump(exclude={"forecast"}))
        if self.ended_ms is not None and self.ended_ms < self.started_ms:
            raise ValueError("ended_ms is before started_ms")
        if self.cost_cents > _MOST_CENTS:
            raise ValueError(f"the attempts cost more than {_MOST_CENTS:,} cents")
        return self

    @property
    def cost_cents(self) -> Decimal:
        """What the attempts cost that have a price."""
        return sum((decimal(one.cost_cents) or Decimal(0) for one in self.attempts), Decimal(0))

    @property
    def unpriced(self) -> int:
        """How many attempts have no price."""
        return sum(one.cost_cents is None for one in self.attempts)


class Run(Document):
    """A record as it was uploaded: the document `aos.run-record/1`."""

    run_id: str
    agent_id: str | None
    status: RunStatus
    plan_digest: str
    started_ms: float
    ended_ms: float | None
    attempts: list[JsonObject]
    steps: dict[str, str]


class RunReceipt(Document):
    """What was kept: the document `aos.run-receipt/1`."""

    run_id: str
    status: str
    cost_cents: float
    unpriced: int
    digest: str


class RunsQuery(Request):
    """Which runs: those of an agent; from where a page before ended."""

    agent_id: Id | None = None
    tenant_id: Id | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class RunLine(Document):
    """A run in a few figures."""

    run_id: str
    agent_id: str | None
    status: str
    plan_digest: str
    cost_cents: float
    unpriced: int
    started_at: str
    ended_at: str | None


class RunList(Document):
    """A page of runs, the latest first: the document `aos.run-list/1`. `next` null: there are no more."""

    runs: list[RunLine]
    count: int
    next: str | None
