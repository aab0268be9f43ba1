"""Policy decisions: may a call, or a plan, be made? By two built-in rules: permissions, and the budget that is left.

A call is a plan of one step. What the rules look at comes out of its simulation, so that what a plan costs is said in
one place. Where nobody knows whether the budget holds, people decide: nothing unknown is ever allowed by itself.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from aos.domain.verdicts import Limits, Reason
from aos.wire.results.documents import Document, envelope, significant
from aos.wire.strict import Json
from aos_server.services.runtime.simulations import Question, Simulation, forecast
from aos_server.services.tenants import Terms
from aos_server.services.workers import Workers

__all__ = ["POLICY_VERSION", "Decided", "Decision", "call_of", "decide", "document", "evaluate"]

POLICY_VERSION = "builtin/1"
UNKNOWN_LEVEL = 3
"""Who may let through what nobody can price: a team lead."""

_SAMPLES = 10_000
_FORBIDS = ("permission_denied", "skill_unavailable", "budget_insufficient")
_DOUBTS = ("unknown_cost", "unknown_items", "too_close")

Decision = Literal["allow", "deny", "requires_approval"]


class Decided(NamedTuple):
    """A decision, why, and what it would cost: the 95 % quantile, None where it is unknown.

    `level` is the least that an approver must have; None where nobody need be asked, or nobody can allow it.
    """

    decision: Decision
    violations: tuple[Reason, ...]
    cost_cents: float | None
    level: int | None


def call_of(skill: str, payload: Mapping[str, Json]) -> Json:
    """The plan of one call."""
    return [{"skill": skill, "params": dict(payload)}]


async def evaluate(workers: Workers, plan: Json, inputs: Mapping[str, Json], terms: Terms) -> Decided:
    """Decide on a plan. Raises AosError where it can't be computed now, which is never an `allow`."""
    limits = Limits(budget_cents=terms.budget.remaining_cents, min_success=0.0)
    question = Question(plan, inputs, limits, _SAMPLES, seed=0, alternatives=False)
    return decide(await forecast(workers, question, terms), terms)


def decide(found: Simulation, terms: Terms) -> Decided:
    """What the rules say of a simulation within the budget that is left."""
    if found.status == "invalid_plan":
        return Decided("deny", found.reasons, None, None)
    forbidden = tuple(reason for reason in found.reasons if reason.code in _FORBIDS)
    if forbidden:
        return Decided("deny", forbidden, found.cost_cents, None)
    doubts = list[Reason]()
    if terms.budget.total_cents is not None:
        doubts = [reason for reason in found.reasons if reason.code in _DOUBTS]
        if unpriced := terms.budget.unpriced:
            detail = (
                f"nobody knows what is left of the budget: {unpriced} recorded attempts have no known cost"
            )
            doubts.append(Reason("unknown_cost", "", detail))
    level = max(UNKNOWN_LEVEL if doubts else 0, found.approval_level or 0)
    return Decided("requires_approval" if level else "allow", tuple(doubts), found.cost_cents, level or None)


def document(decided: Decided, skill: str | None, tenant: str, timestamp: str) -> Document:
    """The document `aos.policy-decision/1`."""
    return {
        **envelope("aos.policy-decision/1"),
        "decision": decided.decision,
        "skill_id": skill,
        "tenant_id": tenant,
        "reasons": [reason.detail for reason in decided.violations] or _reasons(decided),
        "violations": [reason._asdict() for reason in decided.violations],
        "simulated_cost_cents": None if decided.cost_cents is None else significant(decided.cost_cents),
        "approval_level_required": decided.level,
        "policy_version": POLICY_VERSION,
        "timestamp": timestamp,
        "unknowns": []
        if decided.cost_cents is not None
        else [
            {
                "pointer": "/simulated_cost_cents",
                "reason": "nothing to simulate, or a price that nobody knows",
            }
        ],
    }


def _reasons(decided: Decided) -> list[str]:
    if decided.level:
        return [f"a step of the plan asks for an approval of level {decided.level}"]
    return ["permitted, and within the budget that is left"]
