"""Requests and answers about what is allowed."""

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from aos_server.http.models.base import Document, Id, JsonObject, Request, SkillId, Unknown
from aos_server.http.models.runtime import Plan

__all__ = ["Evaluate", "PolicyDecision"]

_EITHER: list[Any] = [
    {"required": ["skill_id"], "properties": {"skill_id": {"type": "string"}, "plan": {"type": "null"}}},
    {
        "required": ["plan"],
        "properties": {"plan": {"type": ["array", "object"]}, "skill_id": {"type": "null"}},
    },
]


class Evaluate(Request):
    """A call (`skill_id` and its parameters as `payload`), or a plan."""

    model_config = ConfigDict(json_schema_extra={"oneOf": _EITHER})

    skill_id: SkillId | None = None
    payload: JsonObject = Field(default={})
    plan: Plan | None = None
    inputs: JsonObject = Field(default={})
    tenant_id: Id | None = None
    agent_id: Id | None = None

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.skill_id is None) == (self.plan is None):
            raise ValueError("give either a skill_id, with its payload, or a plan")
        return self


class PolicyDecision(Document):
    """The document `aos.policy-decision/1`."""

    decision: Literal["allow", "deny", "requires_approval"]
    skill_id: str | None
    tenant_id: str
    reasons: list[str]
    violations: list[JsonObject]
    simulated_cost_cents: float | None
    approval_level_required: int | None
    policy_version: str
    rulings: list[JsonObject]
    timestamp: str
    unknowns: list[Unknown]
