"""What rules say, as JSON: every unknown fact is null."""

from collections.abc import Mapping
from typing import Any

from aos.domain.approvals.policies import Missing, PolicyDecision, PolicyVerdict, Rule, StepRuling
from aos.errors import Exit

POLICY_EXITS: Mapping[PolicyDecision, Exit] = {
    "allow": Exit.YES,
    "deny": Exit.NO,
    "requires_approval": Exit.PENDING,
}
"""The exit status of each decision."""

__all__ = ["POLICY_EXITS", "policy_verdict", "rule_document", "ruling_document"]


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


def _missing(would: Missing) -> dict[str, Any]:
    return {
        "fact": would.fact,
        "relation": would.relation,
        "value": would.value,
        "decision": would.decision,
        "approval_level_required": would.level,
    }
