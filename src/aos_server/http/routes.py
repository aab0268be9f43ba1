"""The API: the one list of what is served where."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from starlette.routing import BaseRoute, Route, Router
from starlette.types import Receive, Scope, Send

from aos.errors import AosError
from aos.wire.encode import one_line
from aos_server.http.answers import Answer
from aos_server.http.endpoint import Call, Endpoint, Resource
from aos_server.http.gate import Gate
from aos_server.http.handlers.audit import AuditLog
from aos_server.http.handlers.health import Operations
from aos_server.http.handlers.keys import KeyCalls
from aos_server.http.handlers.people import METADATA, People
from aos_server.http.handlers.policy import Policy
from aos_server.http.handlers.policy_versions import PolicyVersions as Versions
from aos_server.http.handlers.requests import ApprovalRequests
from aos_server.http.handlers.runs import RunRecords
from aos_server.http.handlers.runtime import Runtime
from aos_server.http.handlers.webhooks import WebhookCalls
from aos_server.http.key_routes import keys
from aos_server.http.models.audit import AuditCheck, AuditEntry, AuditList, AuditQuery, VerifyAudit
from aos_server.http.models.base import InTenant
from aos_server.http.models.health import Health
from aos_server.http.models.people import ProtectedResource, Whoami
from aos_server.http.models.policy import (
    ActivatePolicy,
    ActivePolicy,
    Evaluate,
    PolicyActivation,
    PolicyDecision,
    PolicyReceipt,
    PolicyVersion,
    PolicyVersions,
    PushPolicy,
    VersionsQuery,
)
from aos_server.http.models.runs import Run, RunList, RunReceipt, RunRecord, RunsQuery
from aos_server.http.models.runtime import (
    Capabilities,
    CapabilitiesQuery,
    Query,
    QueryAnswer,
    ResourceContract,
    Simulate,
    Simulation,
    Skill,
    Skills,
)
from aos_server.http.openapi import document
from aos_server.http.request_routes import requests
from aos_server.http.webhook_routes import webhooks

__all__ = ["Handlers", "endpoints", "router"]


class Handlers(NamedTuple):
    """What answers, one per noun."""

    operations: Operations
    runtime: Runtime
    policy: Policy
    versions: Versions
    runs: RunRecords
    people: People
    audit: AuditLog
    requests: ApprovalRequests
    webhooks: WebhookCalls
    keys: KeyCalls


def endpoints(to: Handlers) -> tuple[Endpoint, ...]:
    """Every endpoint, those of one path next to each other."""
    v1 = "/api/v1"
    return (
        Endpoint("GET", "/livez", "Whether the process answers", to.operations.livez, Health),
        Endpoint(
            "GET",
            "/readyz",
            "Whether to send requests here",
            to.operations.readyz,
            Health,
            codes=["not_ready"],
        ),
        Endpoint(
            "GET",
            "/health",
            "What the server depends on, and whether it is there",
            to.operations.health,
            Health,
        ),
        Endpoint(
            "GET", f"{v1}/whoami", "Who the caller is, and may do now", to.people.whoami, Whoami, act="read"
        ),
        Endpoint(
            "GET",
            METADATA,
            "Where people log in (RFC 9728)",
            to.people.protected_resource,
            ProtectedResource,
            codes=["not_found", "bad_value"],
        ),
        Endpoint("GET", "/metrics", "Prometheus text", to.operations.metrics, None, media_type="text/plain"),
        Endpoint(
            "POST",
            f"{v1}/runtime/simulate",
            "Forecast a plan and decide whether it is feasible",
            to.runtime.simulate,
            Simulation,
            act="evaluate",
            body=Simulate,
            plan=True,
            codes=["overloaded", "not_computed"],
        ),
        Endpoint(
            "POST",
            f"{v1}/runtime/query",
            "Ask one of the six questions that come up between two steps",
            to.runtime.query,
            QueryAnswer,
            act="evaluate",
            body=Query,
            codes=["needs_ledger"],
        ),
        Endpoint(
            "GET",
            f"{v1}/runtime/capabilities",
            "Skills, budget, rate limits and permissions",
            to.runtime.capabilities,
            Capabilities,
            act="read",
            query=CapabilitiesQuery,
        ),
        Endpoint(
            "GET",
            f"{v1}/runtime/skills",
            "Every skill",
            to.runtime.skills,
            Skills,
            act="read",
            query=InTenant,
        ),
        Endpoint(
            "GET",
            f"{v1}/runtime/skills/{{skill_id}}",
            "One skill in full",
            to.runtime.skill,
            Skill,
            act="read",
            query=InTenant,
            codes=["skill_not_found"],
        ),
        Endpoint(
            "GET",
            f"{v1}/runtime/resource-contract/{{resource_id}}",
            "What a skill or a pool of slots may be asked for",
            to.runtime.resource_contract,
            ResourceContract,
            act="read",
            query=InTenant,
            codes=["resource_not_found"],
        ),
        Endpoint(
            "POST",
            f"{v1}/policy/eval",
            "Decide whether a call or a plan is allowed",
            to.policy.evaluate,
            PolicyDecision,
            act="evaluate",
            body=Evaluate,
            plan=True,
            codes=["overloaded", "not_computed"],
        ),
        Endpoint(
            "POST",
            f"{v1}/policy/versions",
            "Push rules as the next version; they hold once they are activated",
            to.versions.push_policy,
            PolicyReceipt,
            act="operate",
            body=PushPolicy,
            codes=[
                "invalid_policy",
                "overloaded",
                "not_computed",
                "idempotency_mismatch",
                "request_in_progress",
            ],
            status=201,
        ),
        Endpoint(
            "GET",
            f"{v1}/policy/versions",
            "Versions of the rules, the newest first",
            to.versions.list_policies,
            PolicyVersions,
            act="read",
            query=VersionsQuery,
        ),
        Endpoint(
            "GET",
            f"{v1}/policy/versions/{{version}}",
            "One version of the rules with its text; 0 are those that ship",
            to.versions.get_policy,
            PolicyVersion,
            act="read",
            query=InTenant,
            codes=["not_found"],
        ),
        Endpoint(
            "POST",
            f"{v1}/policy/versions/{{version}}/activate",
            "Let a version of the rules hold from now on",
            to.versions.activate_policy,
            PolicyActivation,
            act="operate",
            body=ActivatePolicy,
            codes=[
                *("not_found", "policy_conflict", "invalid_policy", "overloaded", "not_computed"),
                *("idempotency_mismatch", "request_in_progress"),
            ],
        ),
        Endpoint(
            "GET",
            f"{v1}/policy/active",
            "Which version of the rules holds",
            to.versions.active_policy,
            ActivePolicy,
            act="read",
            query=InTenant,
        ),
        Endpoint(
            "POST",
            f"{v1}/runs",
            "Upload the record of a run; the same one again changes nothing",
            to.runs.upload_run,
            RunReceipt,
            act="create",
            body=RunRecord,
            plan=True,
            codes=["run_conflict", "idempotency_mismatch", "request_in_progress"],
            status=201,
        ),
        Endpoint(
            "GET",
            f"{v1}/runs",
            "Run records, the latest first",
            to.runs.list_runs,
            RunList,
            act="read",
            query=RunsQuery,
        ),
        Endpoint(
            "GET",
            f"{v1}/runs/{{run_id}}",
            "One run record, as it was uploaded",
            to.runs.get_run,
            Run,
            act="read",
            query=InTenant,
            codes=["not_found"],
        ),
        Endpoint(
            "GET",
            f"{v1}/audit",
            "What was done, the latest first",
            to.audit.list_entries,
            AuditList,
            act="read",
            query=AuditQuery,
        ),
        Endpoint(
            "POST",
            f"{v1}/audit/verify",
            "Compute the audit log again and hold it against its signed checkpoints",
            to.audit.verify_entries,
            AuditCheck,
            act="evaluate",
            body=VerifyAudit,
        ),
        Endpoint(
            "GET",
            f"{v1}/audit/{{entry_id}}",
            "One entry, and the proof that it is in the log",
            to.audit.show_entry,
            AuditEntry,
            act="read",
            query=InTenant,
            codes=["not_found", "audit_damaged"],
        ),
        *requests(f"{v1}/policy/requests", to.requests),
        *webhooks(f"{v1}/webhooks", to.webhooks),
        *keys(f"{v1}/keys", to.keys),
    )


def router(served: Sequence[Endpoint], gate: Gate) -> Router:
    """The application of these endpoints, and of `/openapi.json` which describes them."""
    described = one_line(document(served)).encode()

    async def openapi(_: Call) -> Answer:
        return Answer(described)

    every = (*served, Endpoint("GET", "/openapi.json", "This document", openapi, None))
    routes: list[BaseRoute] = [
        Route(path, Resource(tuple(group), gate)) for path, group in groupby(every, key=lambda e: e.path)
    ]
    return Router(routes, redirect_slashes=False, default=_nothing_here)


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    raise AosError("not_found", "there is nothing at this address")
