"""Use an approval, exactly as it was granted: what is to be run is simulated and judged again, as things are now."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from aos.domain.approvals import requests as approvals
from aos.domain.approvals.policies import rank
from aos.domain.approvals.requests import Request
from aos.errors import AosError, Finding
from aos.wire.results.documents import Document
from aos.wire.strict import Json
from aos_server.db.pool import Row
from aos_server.identity.caller import Caller
from aos_server.services.changes import Given, answered
from aos_server.services.idempotency import Key
from aos_server.services.policy import decisions
from aos_server.services.policy.decisions import Decided
from aos_server.services.requests import reads
from aos_server.services.requests.create import Desk
from aos_server.services.requests.decide import actor_of, decided
from aos_server.services.requests.stored import request_of
from aos_server.services.runtime.simulations import Approved, forecast
from aos_server.services.tenants import Terms, check_held, held, while_held

__all__ = ["Use", "consume", "drifted"]


class Use(NamedTuple):
    """What an approval is used for. `plan` None: what was approved, as it was stored."""

    digest: str | None = None
    plan: Json = None
    inputs: Mapping[str, Json] = {}
    run: str | None = None


async def consume(desk: Desk, caller: Caller, request: str, use: Use, key: Key | None = None) -> Given:
    """Use it once. The answer is the request as it stands then, `aos.request-state/1`.

    Raises AosError: approval_void with everything that is no longer as it was approved, and what the rule raises.
    """
    if before := await answered(desk.database, caller, key):
        return before
    return await while_held(partial(_consume, desk, caller, request, use, key))


async def drifted(desk: Desk, caller: Caller, request: str) -> AosError | None:
    """What keeps it from being used if it were approved now, as AosError(approval_void); None: nothing.

    An approval that could not be used is worth asking about before somebody gives it.
    """
    row = await reads.row(desk.database, caller.tenant, request)
    terms = await desk.tenants.terms(row["tenant_id"], row["agent_id"], now=True)
    return await _void(desk, row, Use(), terms)


async def _consume(desk: Desk, caller: Caller, request: str, use: Use, key: Key | None) -> Given:
    """Raises Superseded, too."""
    row = await reads.row(desk.database, caller.tenant, request)
    terms = await desk.tenants.terms(row["tenant_id"], row["agent_id"], now=True)
    looked = _may(row, caller, use)
    void = await _void(desk, row, use, terms) if looked else None

    def rule(found: Request, now: datetime, rows: Sequence[Sequence[Row]]) -> Request:
        after = approvals.consume(found, actor_of(caller), now, digest=use.digest)
        check_held(rows, terms)
        if void is not None:
            raise void
        if not looked:  # it was approved after it was read, so nobody has held it against things as they are
            raise AosError("approval_pending", "it was approved this very moment; ask again")
        return after

    return await decided(
        desk.database, caller, request, "consume", rule, key=key, also=held(terms), run=use.run
    )


def _may(row: Row, caller: Caller, use: Use) -> bool:
    """Whether the rule will probably allow it: simulating is worth while."""
    request = request_of(row, row["votes"], row["review"])
    try:
        approvals.consume(request, actor_of(caller), row["now"], digest=use.digest)
    except AosError:
        return False
    return True


async def _void(desk: Desk, row: Row, use: Use, terms: Terms) -> AosError | None:
    """What keeps the approval from being used; None: nothing."""
    granted: Document = json.loads(row["document"])
    if granted["forecast"] is None:  # nobody could foresee it when it was approved
        same = use.plan is None or use.plan in (granted["plan"], granted["plan"]["steps"])
        return None if same else _voided([Finding("", "plan_changed", "it is another plan")])
    plan, inputs = (granted["plan"], granted["inputs"]) if use.plan is None else (use.plan, use.inputs)
    approved = Approved(granted["plan"], granted["envelope"])
    question = decisions.question(plan, inputs, terms)._replace(approved=approved)
    found = await forecast(desk.workers, question, terms)
    if found.status == "invalid_plan":
        return _voided([Finding(reason.pointer, reason.code, reason.detail) for reason in found.reasons])
    findings = [
        Finding(one.pointer, one.code, one.detail)
        for one in found.departures
        if one.code != "policy_stricter"
    ]
    findings += _stricter(row["required_level"], decisions.decide(found, terms))
    return _voided(findings) if findings else None


def _stricter(granted: int, now: Decided) -> Iterator[Finding]:
    """A new policy does not matter, one that asks for more than the level that was granted does."""
    if rank(now.decision, now.level) > granted:
        asks = "denies it" if now.decision == "deny" else f"asks for level {now.level}"
        yield Finding("", "policy_stricter", f"the policy {asks} now; level {granted} has approved it")


def _voided(findings: Sequence[Finding]) -> AosError:
    detail = (
        findings[0].detail if len(findings) == 1 else f"{len(findings)} things are not as they were approved"
    )
    return AosError("approval_void", detail, findings=findings)
