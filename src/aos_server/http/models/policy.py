"""Requests and answers about what is allowed."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from aos_server.http.models.base import Document, Id, JsonObject, Limit, Request, SkillId, Unknown
from aos_server.http.models.runtime import Plan

__all__ = [
    *(
        "EITHER",
        "ActivatePolicy",
        "ActivePolicy",
        "Evaluate",
        "PolicyActivation",
        "PolicyDecision",
        "PolicyReceipt",
    ),
    *("PolicyVersion", "PolicyVersions", "PushPolicy", "VersionsQuery"),
]

MAX_FILES = 100
MAX_WORDS = 4096
"""Bytes of what people are told of a change."""

EITHER: list[Any] = [
    {"required": ["skill_id"], "properties": {"skill_id": {"type": "string"}, "plan": {"type": "null"}}},
    {
        "required": ["plan"],
        "properties": {"plan": {"type": ["array", "object"]}, "skill_id": {"type": "null"}},
    },
]
"""Of a call and a plan one is given."""
ONE_OF: list[Any] = [
    {"required": ["files"], "properties": {"files": {"type": "object"}, "version": {"type": "null"}}},
    {"required": ["version"], "properties": {"version": {"type": "integer"}, "files": {"type": "null"}}},
]
"""Of rules and a version one is given."""


def _name(name: str) -> str:
    if not re.fullmatch(r"[^\x00-\x1f/\x7f]{1,200}", name):
        raise ValueError("the name of a file has 1 to 200 characters, no slash and no control characters")
    return name


def _words(text: str) -> str:
    if len(text.encode()) > MAX_WORDS:
        raise ValueError(f"at most {MAX_WORDS:,} bytes")
    return _text(text)


def _text(text: str) -> str:
    if "\x00" in text:
        raise ValueError("the character NUL is not allowed")
    return text


FileName = Annotated[str, AfterValidator(_name)]
Text = Annotated[str, AfterValidator(_text)]
Words = Annotated[str, AfterValidator(_words)]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Version = Annotated[int, Field(ge=0, lt=10**9)]


class Evaluate(Request):
    """A call (`skill_id` and its parameters as `payload`), or a plan."""

    model_config = ConfigDict(json_schema_extra={"oneOf": EITHER})

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


class ReplayPolicy(Request):
    """Rules to try: their `files`, or a `version`; against another version, unless said the one that is active.

    Of requests, evaluations and runs the latest `limit` each, none older than `window_s` seconds.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": ONE_OF})

    files: Annotated[dict[FileName, Text], Field(min_length=1, max_length=MAX_FILES)] | None = None
    version: Version | None = None
    against: Version | None = None
    window_s: Annotated[float, Field(gt=0, le=1e9)] | None = None
    limit: Annotated[int, Field(ge=1, le=5_000)] = 1_000
    tenant_id: Id | None = None

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.files is None) == (self.version is None):
            raise ValueError("give either files of rules, or a version")
        return self


class PolicyReplay(Document):
    """What other rules would have said: the document `aos.policy-replay/1`."""

    current: JsonObject
    candidate: JsonObject
    total: int
    determined: int
    undetermined: int
    changed: int
    left_off: int
    changes: dict[str, int]
    window: JsonObject
    sources: list[JsonObject]
    transitions: list[JsonObject]
    approvals: list[JsonObject]
    rules: list[JsonObject]
    near: list[JsonObject]
    unknown_because: list[JsonObject]
    rows: list[JsonObject]
    rows_left_off: int
    decided_by_people: list[JsonObject]
    coverage: list[JsonObject]
    unknowns: list[Unknown]


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


class PushPolicy(Request):
    """Rules, by the names of their files, and what people are to know of them."""

    files: Annotated[dict[FileName, Text], Field(min_length=1, max_length=MAX_FILES)]
    message: Words = ""
    tenant_id: Id | None = None


class ActivatePolicy(Request):
    """Why a version is to hold, and the digest of the rules that are believed to be active."""

    if_active: Digest
    why: Words = ""
    tenant_id: Id | None = None


class VersionsQuery(Request):
    """From where a page before ended."""

    tenant_id: Id | None = None
    limit: Limit = 50
    cursor: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}$")] | None = None


class Warned(Document):
    """What may be a slip: a skill that the tenant's catalog does not have."""

    code: str
    detail: str
    rule: str
    suggestion: str | None


class PolicyReceipt(Document):
    """The version that the rules are now, or were already: the document `aos.policy-receipt/1`."""

    version: int
    policy_digest: str
    files_digest: str
    warnings: list[Warned]


class VersionLine(Document):
    """A version without its text. Version 0 is the policy that ships: nobody pushed it."""

    version: int
    policy_digest: str
    files_digest: str | None
    message: str
    pushed_by: str | None
    pushed_at: str | None


class PolicyVersion(VersionLine):
    """A version with its text: the document `aos.policy-version/1`."""

    files: dict[str, str]


class PolicyVersions(Document):
    """A page of versions, the newest first: the document `aos.policy-versions/1`. `next` null: there are no more."""

    versions: list[VersionLine]
    count: int
    active: int
    next: str | None


class ActivePolicy(Document):
    """What holds: the document `aos.policy-active/1`. Nulls: nobody ever activated anything."""

    version: int
    policy_digest: str
    activated_by: str | None
    activated_at: str | None
    why: str | None


class Before(Document):
    """What held before."""

    version: int
    policy_digest: str


class PolicyActivation(Document):
    """What holds from now on, and what did before: the document `aos.policy-activation/1`."""

    version: int
    policy_digest: str
    before: Before
    why: str
    warnings: list[Warned]
