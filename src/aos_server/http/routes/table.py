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
from aos_server.http.handlers.archive import ArchiveCalls
from aos_server.http.handlers.audit import AuditLog
from aos_server.http.handlers.backups import BackupCalls
from aos_server.http.handlers.health import Operations
from aos_server.http.handlers.keys import KeyCalls
from aos_server.http.handlers.people import People
from aos_server.http.handlers.policy import Policy
from aos_server.http.handlers.policy_versions import PolicyVersions
from aos_server.http.handlers.requests import ApprovalRequests
from aos_server.http.handlers.runs import RunRecords
from aos_server.http.handlers.runtime import Runtime
from aos_server.http.handlers.webhooks import WebhookCalls
from aos_server.http.openapi import document
from aos_server.http.routes.archive import archive
from aos_server.http.routes.audit import audit
from aos_server.http.routes.backups import backups
from aos_server.http.routes.keys import keys
from aos_server.http.routes.operations import operations
from aos_server.http.routes.people import people
from aos_server.http.routes.policy import policy, versions
from aos_server.http.routes.requests import requests
from aos_server.http.routes.runs import runs
from aos_server.http.routes.runtime import runtime
from aos_server.http.routes.webhooks import webhooks

__all__ = ["Handlers", "endpoints", "router"]


class Handlers(NamedTuple):
    """What answers, one per noun."""

    operations: Operations
    runtime: Runtime
    policy: Policy
    versions: PolicyVersions
    runs: RunRecords
    people: People
    audit: AuditLog
    requests: ApprovalRequests
    webhooks: WebhookCalls
    keys: KeyCalls
    archive: ArchiveCalls
    backups: BackupCalls


def endpoints(to: Handlers) -> tuple[Endpoint, ...]:
    """Every endpoint, those of one path next to each other."""
    v1 = "/api/v1"
    return (
        *operations(to.operations),
        *people(v1, to.people),
        *runtime(f"{v1}/runtime", to.runtime),
        *policy(f"{v1}/policy", to.policy),
        *versions(f"{v1}/policy", to.versions),
        *runs(f"{v1}/runs", to.runs),
        *audit(f"{v1}/audit", to.audit),
        *requests(f"{v1}/policy/requests", to.requests),
        *webhooks(f"{v1}/webhooks", to.webhooks),
        *keys(f"{v1}/keys", to.keys),
        *archive(f"{v1}/archive", to.archive),
        *backups(f"{v1}/backups", to.backups),
    )


def router(served: Sequence[Endpoint], gate: Gate, beside: Sequence[BaseRoute] = ()) -> Router:
    """The application of these endpoints, of `/openapi.json` which describes them, and what is `beside` it."""
    described = one_line(document(served)).encode()

    async def openapi(_: Call) -> Answer:
        return Answer(described)

    every = (*served, Endpoint("GET", "/openapi.json", "This document", openapi, None))
    routes: list[BaseRoute] = [
        Route(path, Resource(tuple(group), gate)) for path, group in groupby(every, key=lambda e: e.path)
    ]
    return Router([*routes, *beside], redirect_slashes=False, default=_nothing_here)


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    raise AosError("not_found", "there is nothing at this address")
