"""Make a request: simulate what is asked for, ask the policy, keep what the approver will see."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, NamedTuple
from uuid import uuid4

from aos.domain.approvals import requests as approvals
from aos.domain.approvals.requests import Request
from aos.errors import AosError, Finding, InputError
from aos.runtime.guards.network import Network
from aos.wire.approvals import LARGE, request_digest
from aos.wire.digests import digest
from aos.wire.encode import one_line
from aos.wire.policies import ruling_document
from aos.wire.results.documents import Document
from aos.wire.strict import Json
from aos_server.db.pool import Database, Row, Statement
from aos_server.identity.caller import Caller, Principal
from aos_server.services.changes import Effect, Entry, Given, Message, answered, change
from aos_server.services.idempotency import Key
from aos_server.services.policy import decisions
from aos_server.services.policy.decisions import Decided
from aos_server.services.refusals import refuse
from aos_server.services.requests import counts
from aos_server.services.requests.decide import actor_of
from aos_server.services.requests.stored import line, state, whole
from aos_server.services.runtime.simulations import forecast
from aos_server.services.tenants import Tenants, Terms, check_held, held, while_held
from aos_server.services.webhooks.endpoints import of_request
from aos_server.services.webhooks.targets import check
from aos_server.services.workers import Workers

__all__ = ["Asked", "Desk", "PolicyType", "create", "judge"]

PolicyType = Literal["cost", "capability", "resource", "rate_limit"]

UNFORESEEN_LEVEL = 3
"""Who may let through, in development, what no catalog describes."""

MAX_NAME = 200
"""Characters; a plan of a longer name is not found by it."""

_BY_POLICY = "level 1: the policy lets it through without anybody"
_AUDITED = (
    "status",
    "policy_type",
    "skill_id",
    "agent_id",
    "required_level",
    "digest",
    "expires_at",
    "justification",
)


class Desk(NamedTuple):
    """What making a request takes. `trusting`: in development, what nobody can simulate is accepted, too.

    `network` says how far a `webhook_url` may lead.
    """

    database: Database
    workers: Workers
    tenants: Tenants
    trusting: bool = False
    network: Network = Network()


class Asked(NamedTuple):
    """What somebody asks for. A call is a plan of one step. `level` can only raise what policy and plan require."""

    policy_type: PolicyType
    plan: Json
    inputs: Mapping[str, Json] = {}
    skill: str | None = None
    agent: str | None = None
    justification: str = ""
    expires_in: timedelta = approvals.PENDING
    escalate_after: timedelta | None = None
    uses: int = 1
    level: int | None = None
    webhook_url: str | None = None


class _Judged(NamedTuple):
    """What is asked for as it is kept, with the digests of its large parts, the level it takes, and by which terms."""

    document: Document
    digests: Mapping[str, str]
    level: int
    approver: Principal
    terms: Terms


async def create(desk: Desk, caller: Caller, asked: Asked, key: Key | None = None) -> Given:
    """Make it; one of level 1 is approved at once, by the policy. The answer is the document `aos.request/1`.

    Raises InputError(invalid_plan), AosError(policy_denied, webhook_refused), and what simulating and `change` raise.
    """
    if before := await answered(desk.database, caller, key):
        return before
    request_id = str(uuid4())
    webhook: tuple[str, Statement] | None = None
    if asked.webhook_url is not None:
        try:
            await check(desk.network, asked.webhook_url)
        except AosError as error:
            await refuse(desk.database, caller, _refused(asked, error), error)
        webhook = of_request(caller, request_id, asked.webhook_url)
    made: list[Request] = []

    async def make() -> Given:
        try:
            judged = await judge(desk, caller, asked)
        except AosError as error:
            if error.code == "policy_denied":
                await refuse(desk.database, caller, _refused(asked, error), error)
            raise
        reads = [*held(judged.terms), ("tenants.ensure", {})]
        return await change(desk.database, caller, reads, partial(decide, judged), key)

    def decide(judged: _Judged, now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
        check_held(rows, judged.terms)
        row = _row(request_id, caller, asked, judged, now)
        request = _opened(row, judged, caller, asked, now)
        made.append(request)
        document = {**judged.document, "webhook_id": webhook and webhook[0]}
        effect = _effect(row, request, judged._replace(document=document))
        return effect._replace(statements=[*effect.statements, *([webhook[1]] if webhook else [])])

    given = await while_held(make)
    if not given.again:
        counts.created(made[0], asked.policy_type)
    return given


async def judge(desk: Desk, caller: Caller, asked: Asked) -> _Judged:
    """Simulate what is asked for and ask the policy. Raises InputError(invalid_plan), AosError(policy_denied)."""
    terms = await desk.tenants.terms(caller.tenant, asked.agent, now=True)
    question = decisions.question(asked.plan, asked.inputs, terms)._replace(show=True, bind=True)
    found = await forecast(desk.workers, question, terms)
    decided = decisions.decide(found, terms)
    findings = [Finding(reason.pointer, reason.code, reason.detail) for reason in decided.violations]
    foreseen = found.status != "invalid_plan"
    if not foreseen and not (
        desk.trusting and asked.skill and {one.code for one in findings} == {"unknown_skill"}
    ):
        raise InputError.of("invalid_plan", "plan", findings)
    if foreseen and decided.decision == "deny":
        raise AosError("policy_denied", "the policy denies it, whoever approves", findings=findings)
    level = max(1, asked.level or 0, (decided.level or 0) if foreseen else UNFORESEEN_LEVEL)
    document = _document(asked, json.loads(found.body) if foreseen else None, found.envelope, decided)
    digests = {name: digest(document[name]) for name in LARGE}
    approver = Principal(approvals.POLICY_ISSUER, f"policy:{decided.policy}")
    return _Judged(document, digests, level, approver, terms)


def _document(asked: Asked, shown: Document | None, bound: Document | None, decided: Decided) -> Document:
    """What an approver looks at. `shown` is the simulation; None: there is nothing to simulate."""
    if shown is None:
        plan: Document = {"aos_plan": "1", "steps": asked.plan}
        digests: Document = {"plan": digest(plan), "catalog": None, "catalog_contract": None}
    else:
        plan, digests = shown["inputs"]["plan"], shown["digests"]
    policy = {
        "decision": decided.decision,
        "approval_level_required": decided.level,
        "violations": [reason._asdict() for reason in decided.violations],
        "rulings": [ruling_document(one) for one in decided.rulings],
    }
    reason = "no catalog describes this skill, so nobody can say what it would do"
    return {
        "plan": plan,
        "inputs": dict(asked.inputs),
        "digests": {**digests, "policy": decided.policy},
        "policy": policy,
        "forecast": shown,
        "envelope": bound,
        "unknowns": [] if shown else [{"pointer": "/forecast", "reason": reason}],
    }


def _row(request_id: str, caller: Caller, asked: Asked, judged: _Judged, now: datetime) -> dict[str, Any]:
    owner = caller.owner or (None, None)
    return {
        "id": request_id,
        "tenant_id": caller.tenant,
        "policy_type": asked.policy_type,
        "skill_id": asked.skill,
        "plan_name": _name(judged.document["plan"]),
        "agent_id": asked.agent,
        "requester_issuer": caller.principal.issuer,
        "requester_subject": caller.principal.subject,
        "owner_issuer": owner[0],
        "owner_subject": owner[1],
        "justification": asked.justification,
        "escalate_after": asked.escalate_after,
        "created_at": now,
    }


def _name(plan: Document) -> str | None:
    name = plan.get("name")
    return name if name and len(name) <= MAX_NAME else None


def _opened(row: Mapping[str, Any], judged: _Judged, caller: Caller, asked: Asked, now: datetime) -> Request:
    """The request, open; where its level is 1, approved."""
    actor = actor_of(caller)
    request = approvals.opened(
        (actor.who, actor.owner) if actor.owner else (actor.who,),
        judged.level,
        now,
        expires_in=asked.expires_in,
        escalate_after=asked.escalate_after,
        uses=asked.uses,
    )
    bound = {**judged.document, **line(row, request)}
    request = request._replace(digest=request_digest(bound, judged.digests))
    if judged.level > 1:
        return request
    return approvals.approve_by_policy(request, judged.approver.subject.removeprefix("policy:"), now)


def _effect(row: Row, request: Request, judged: _Judged) -> Effect:
    request_id, document = row["id"], one_line(judged.document)
    values = {**row, **state(request), "digest": request.digest, "uses": request.uses}
    values["expires_at"] = request.expires_at
    statements: list[Statement] = [
        ("requests.add", values),
        ("requests.describe", {"id": request_id, "document": document}),
    ]
    short = line(row, request)
    by = row["requester_subject"]
    entry = Entry("request.created", request_id, {name: short[name] for name in _AUDITED})
    messages = [Message("request.created", {**short, "by": by, "reason": row["justification"]})]
    if request.status != "approved":
        return Effect(statements, entry, 201, whole(row, request, document), messages)
    (vote,) = request.votes
    voted = {**vote.who._asdict(), **vote._asdict(), "reason": _BY_POLICY}
    statements.append(("requests.vote", {"id": request_id, **voted}))
    shown = {
        "approver_issuer": vote.who.issuer,
        "approver_subject": vote.who.subject,
        "at": row["created_at"],
    }
    messages.append(Message("request.approved", {**short, "by": vote.who.subject, "reason": _BY_POLICY}))
    return Effect(
        statements,
        entry,
        201,
        whole(row, request, document, [{**voted, **shown}]),
        messages,
        [Entry("request.approved", request_id, {"level": 1, "reason": _BY_POLICY}, judged.approver)],
    )


def _refused(asked: Asked, error: AosError) -> Entry:
    details = {"skill_id": asked.skill, "justification": asked.justification, "detail": error.detail}
    return Entry("request.create.refused", "", details)
