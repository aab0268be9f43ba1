"""Requests and answers about plans and skills. The names of the keys are those that clients have always read."""

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, WithJsonSchema

from aos.domain.forecasts.verdicts import (
    DEFAULT_CONFIDENCE,
    DEFAULT_MIN_SUCCESS,
    DEFAULT_SAMPLES,
    MAX_SAMPLES,
)
from aos.wire.strict import MAX_INTEGER
from aos_server.http.models.base import Cents, Document, Id, JsonObject, ProblemEntry, Request, Unknown
from aos_server.services.runtime.queries import QUERIES

__all__ = [
    "Capabilities",
    "CapabilitiesQuery",
    "Plan",
    "Query",
    "QueryAnswer",
    "ResourceContract",
    "Simulate",
    "Simulation",
    "Skill",
    "Skills",
]

Plan = Annotated[
    list[Any] | JsonObject,
    WithJsonSchema(
        {
            "type": ["array", "object"],
            "description": 'An array of steps, `{"skill", "params"}` each, or a whole plan. What is wrong inside it is'
            " part of the answer.",
            "examples": [[{"skill": "fs_read", "params": {"path": "notes.txt"}}]],
        }
    ),
]
Chance = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[float, Field(gt=0, le=1e12)]
Decision = Literal["feasible", "infeasible", "undetermined"]
QueryType = Literal[
    "remaining_budget_cents",
    "what_did_i_try_already",
    "allowed_skills",
    "last_step_outcome",
    "skills_available_for_goal",
    "why_did_step_fail",
]
assert get_args(QueryType) == tuple(QUERIES)


class Simulate(Request):
    """A plan to forecast. Limits that are left out are the plan's own."""

    plan: Plan
    inputs: JsonObject = Field(default={})
    budget_cents: Cents | None = None
    deadline_ms: Milliseconds | None = None
    confidence: Chance = DEFAULT_CONFIDENCE
    min_success: Chance = DEFAULT_MIN_SUCCESS
    samples: Annotated[int, Field(ge=100, le=MAX_SAMPLES)] = DEFAULT_SAMPLES
    seed: Annotated[int, Field(ge=0, le=MAX_INTEGER)] = 0
    alternatives: Annotated[
        bool | None, Field(description="Whether to seek changes; null: if the plan is not feasible")
    ] = None
    agent_id: Id | None = None
    tenant_id: Id | None = None


class Simulation(Document):
    """The forecast and the verdict: the document `aos.simulation/1`, or `aos.invalid-plan/1` with `errors`."""

    verdict: Decision
    feasible: bool | None
    status: str
    estimated_cost_cents: float | None
    estimated_duration_ms: float | None
    budget_remaining_cents: float | None
    budget_sufficient: bool | None
    permission_gaps: list[JsonObject]
    risks: list[JsonObject]
    step_estimates: list[JsonObject]
    alternatives: list[JsonObject]
    warnings: list[str]
    errors: list[ProblemEntry] = Field(default=[])


class Query(Request):
    """A question; `params` depend on it."""

    query_type: QueryType
    params: JsonObject = Field(default={})
    agent_id: Id | None = None
    run_id: Id | None = None
    tenant_id: Id | None = None


class QueryAnswer(Document):
    """The document `aos.query/1`."""

    query_type: str
    result: JsonObject
    supported_queries: list[str]
    unknowns: list[Unknown]


class CapabilitiesQuery(Request):
    """For whom; both may be left out."""

    agent_id: Id | None = None
    tenant_id: Id | None = None


class Ability(Document):
    """A skill in a few figures."""

    available: bool
    cost_estimate_cents: float | None
    avg_latency_ms: float | None
    known_failure_patterns: list[str]


class Budget(Document):
    """Money of the tenant."""

    total_cents: float | None
    spent_cents: float | None
    remaining_cents: float | None


class Capabilities(Document):
    """What the caller can do: the document `aos.server-capabilities/1`."""

    agent_id: str | None
    tenant_id: str
    skills: dict[str, Ability]
    skills_available: list[str]
    budget: Budget
    budget_remaining_cents: float | None
    rate_limits: dict[str, JsonObject]
    permissions: list[str]
    unknowns: list[Unknown]


class Skills(Document):
    """The tenant's catalog: the document `aos.skills/1`."""

    skills: list[str]
    count: int
    descriptors: dict[str, JsonObject]
    unknowns: list[Unknown]


class Skill(Document):
    """One skill in full: the document `aos.skill/1`."""

    skill_id: str
    version: str
    description: str
    input_schema: JsonObject
    output_schema: JsonObject
    failure_modes: list[JsonObject]
    constraints: JsonObject
    composition_hints: JsonObject
    unknowns: list[Unknown]


class ResourceContract(Document):
    """What a skill or a pool of slots may be asked for: the document `aos.resource-contract/1`."""

    resource_id: str
    kind: Literal["skill", "pool"]
    budget: Budget
    rate_limits: JsonObject
    concurrency: JsonObject
    time: JsonObject
    unknowns: list[Unknown]
