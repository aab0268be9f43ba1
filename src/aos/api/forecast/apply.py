"""Apply one of a result's alternatives to the plan that was simulated."""

from collections.abc import Mapping, Sequence
from typing import Any

from aos.domain.forecasts.alternatives import Alternative
from aos.domain.forecasts.results import SimulationResult
from aos.errors import AosError, Finding
from aos.wire.plans.read import changed_document


def apply(result: SimulationResult, number: int, document: Mapping[str, Any]) -> dict[str, Any]:
    """The normal form of the plan with alternative `number` (from 1) and the limits that it has there.

    `document` is the normal form of the plan that was simulated; its free keys stay. Limits that were given
    beside the plan are written into it: the alternative keeps its promise under them, not without.
    Raises AosError(usage) where there is no such alternative, or where no change of the plan makes it true;
    AosError(policy_denied) where there is none that the rules do not deny.
    """
    offers = result.alternatives
    if not offers and result.policy and result.policy.decision == "deny":
        raise AosError(
            "policy_denied",
            "the rules deny the plan, and no change was found that they do not deny",
            findings=[
                Finding(reason.pointer, reason.code, reason.detail)
                for reason in result.verdict.reasons
                if reason.code == "permission_denied"
            ],
        )
    if not 1 <= number <= len(offers):
        raise AosError("usage", f"there is no alternative {number}; {_those_there_are(offers)}")
    offer = offers[number - 1]
    if not offer.in_plan:
        of_what, fix = _elsewhere(offer)
        raise AosError(
            "usage",
            f"alternative {number} ({offer.summary}) is no change of the plan, but of {of_what}",
            fix=fix,
        )
    limits = offer.limits
    changed = offer.plan._replace(budget_cents=limits.budget_cents, deadline_ms=limits.deadline_ms)
    return changed_document(document, changed)


def _elsewhere(offer: Alternative) -> tuple[str, str]:
    """What would have to change besides the plan, and what to do about it."""
    if offer.declares:
        return "what is known", "State the figure in a catalog, if it is true, and simulate with --catalog."
    if offer.agreed:
        return (
            "what others allow",
            "State the limit in a catalog, once they allow it, and simulate with --catalog.",
        )
    return "what is asked of it", f"Simulate it, and run it, with {' '.join(offer.flags)}."


def _those_there_are(offers: Sequence[Alternative]) -> str:
    if not offers:
        return "none was found"
    return "choose from " + "; ".join(f"{i}: {offer.summary}" for i, offer in enumerate(offers, 1))
