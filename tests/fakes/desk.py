"""A server's desk for approvals, without a server: one approved request, and who used it."""

from decimal import Decimal
from typing import Any

from aos.api.forecast.simulate import simulate
from aos.domain.approvals.envelopes import envelope
from aos.domain.plans.plan import Plan
from aos.domain.skills.skill import Catalog
from aos.errors import AosError, Exit
from aos.wire.approvals import request_digest
from aos.wire.envelopes import dump_envelope
from aos.wire.plans.read import dump_plan
from aos.wire.results.simulations import simulation


class Desk:
    """Answers as `aos.sdk.Client` does. `used` has each use by its key; `dies` raises once, after it was written."""

    def __init__(self, plan: Plan, catalog: Catalog, *, level: int = 4, status: str = "approved") -> None:
        result = simulate(plan, catalog, explain=False, alternatives=False)
        self.used: dict[str, dict[str, Any]] = {}
        self.dies = False
        self.document: dict[str, Any] = {
            "request_id": "req-1",
            "status": status,
            "tenant_id": "acme",
            "policy_type": "capability",
            "skill_id": None,
            "agent_id": None,
            "requester": {"issuer": "i", "subject": "ann", "owner": None},
            "justification": "why",
            "expires_at": "2026-11-27T04:00:00+00:00",
            "uses": 1,
            "required_level": level,
            "digests": {},
            "plan": dump_plan(plan),
            "inputs": {},
            "policy": {},
            "forecast": simulation(result, Exit.YES),
            "envelope": dump_envelope(envelope(result)),
        }
        self.document["digest"] = request_digest(self.document)

    def approval_request(self, request_id: str) -> dict[str, Any]:
        return {**self.document, "status": "consumed" if self.used else self.document["status"]}

    def consume(self, request_id: str, *, idempotency_key: str, **given: Any) -> dict[str, Any]:
        if self.used and idempotency_key not in self.used:
            raise AosError("already_consumed", "it was used")
        self.used[idempotency_key] = given
        if self.dies:
            self.dies = False
            error = AosError("unreachable", "the connection broke")
            error.effect = "unknown"
            raise error
        return self.document


def paid(name: str, cents: Decimal) -> dict[str, Any]:
    """A descriptor of a skill that costs so much."""
    flags = {
        "read_only": True,
        "idempotent": True,
        "destructive": False,
        "reversible": True,
        "open_world": True,
    }
    return {
        "purpose": name,
        "version": "1.0.0",
        "input_schema": {"type": "object"},
        "output_schema": {},
        "effects": flags,
        "latency_ms": 1,
        "cost_cents": float(cents),
        "failures": [],
    }
