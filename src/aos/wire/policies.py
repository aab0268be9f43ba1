"""What rules say, as JSON: every unknown fact is null."""

from collections.abc import Mapping, Sequence
from typing import Any

from aos.domain.approvals.policies import (
    Facts,
    Missing,
    PolicyDecision,
    PolicyVerdict,
    Principal,
    Question,
    Rule,
    StepRuling,
)
from aos.domain.approvals.replays import Asked
from aos.errors import Exit

POLICY_EXITS: Mapping[PolicyDecision, Exit] = {
    "allow": Exit.YES,
    "deny": Exit.NO,
    "requires_approval": Exit.PENDING,
}
"""The exit status of each decision."""

__all__ = ["POLICY_EXITS", "asked_then", "policy_verdict", "rule_document", "ruling_document"]


def policy_verdict(said: PolicyVerdict) -> dict[str, Any]:
    """The decision on a plan, and on the plan as a whole and each step of it."""
    return {
        "decision": said.decision,
        "approval_level_required": said.level,
        "policy_digest": said.digest,
        "rulings": [ruling_document(one) for one in said.rulings],
    }


def rule_document(rule: Rule) -> dict[str, Any]:
    """A rule and where it stands."""
    return {**rule._asdict(), "reason": rule.reason or None}


def ruling_document(one: StepRuling) -> dict[str, Any]:
    """The answer to one question, with the facts that it rests on."""
    question, ruling = one.question, one.ruling
    return {
        "step": one.step or None,
        "pointer": one.pointer,
        "action": question.action,
        "resource": question.resource,
        "decision": ruling.decision,
        "ground": ruling.ground,
        "approval_level_required": ruling.level,
        "rules": [rule_document(rule) for rule in ruling.rules],
        "errors": list(ruling.errors),
        "missing": [_missing(would) for would in one.missing],
        "facts": question.facts._asdict(),
    }


def asked_then(rulings: Sequence[Mapping[str, Any]], principal: Principal) -> tuple[Asked, ...]:
    """The questions of rulings that were kept, with the facts that rules saw then, as this principal asks them.

    Raises ValueError where there is none, or they are no rulings.
    """
    try:
        asked = tuple(
            Asked(
                one["step"] or "",
                one["pointer"],
                Question(principal, one["action"], one["resource"], _facts(one["facts"])),
            )
            for one in rulings
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"a ruling that was kept can't be read: {error}") from None
    if not asked:
        raise ValueError("no ruling was kept")
    return asked


def _facts(told: Mapping[str, Any]) -> Facts:
    """As they were; a fact of another kind than it has to be is no fact."""
    facts = Facts(**{**told, "risks": None if told["risks"] is None else tuple(map(str, told["risks"]))})
    flags = (facts.read_only, facts.idempotent, facts.destructive, facts.reversible, facts.open_world)
    figures = (facts.steps, facts.cost_p95_cents, facts.duration_p95_ms, facts.success_bp)
    if not all(type(flag) is bool for flag in flags):
        raise TypeError("an effect is neither true nor false")
    if not all(figure is None or (type(figure) is int and abs(figure) < 2**63) for figure in figures):
        raise TypeError("a figure is not a whole number")
    return facts


def _missing(would: Missing) -> dict[str, Any]:
    return {
        "fact": would.fact,
        "relation": would.relation,
        "value": would.value,
        "decision": would.decision,
        "approval_level_required": would.level,
    }
