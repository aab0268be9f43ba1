"""Apply one of a result's alternatives to the plan that was simulated."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aos.domain.forecasts.alternatives import Alternative
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import Limits
from aos.domain.plans.plan import Plan
from aos.errors import AosError, Finding
from aos.wire.plans.read import changed_document


def apply(result: SimulationResult, number: int, document: Mapping[str, Any]) -> dict[str, Any]:
    """The normal form of the plan with alternative `number` (from 1) and the limits that it has there.

    `document` is the normal form of the plan that was simulated; its free keys stay. Limits that were given
    beside the plan are written into it: the alternative keeps its promise under them, not without.
    Raises AosError(usage) where there is no such alternative, or where no change of the plan makes it true.
    """
    offers = result.alternatives
    if not 1 <= number <= len(offers):
        raise AosError("usage", f"there is no alternative {number}; {_those_there_are(offers)}")
    offer = offers[number - 1]
    if offer.declares:
        raise AosError(
            "usage",
            f"alternative {number} ({offer.summary}) is no change of the plan, but of what is known",
            fix="State the figure in a catalog, if it is true, and simulate with --catalog.",
        )
    limits = offer.limits
    changed = offer.plan._replace(budget_cents=limits.budget_cents, deadline_ms=limits.deadline_ms)
    return changed_document(document, changed)


def check(result: SimulationResult, number: int, judged: Callable[[Plan, Limits], SimulationResult]) -> None:
    """Raise AosError(policy_denied) where the rules deny the plan with alternative `number`, which there is.

    `judged` simulates a plan under limits, and says what the rules say.
    """
    offer = result.alternatives[number - 1]
    found = judged(offer.plan, offer.limits)
    if found.policy is not None and found.policy.decision == "deny":
        raise AosError(
            "policy_denied",
            f"the rules deny the plan with alternative {number} ({offer.summary})",
            findings=[
                Finding(reason.pointer, reason.code, reason.detail)
                for reason in found.verdict.reasons
                if reason.code == "permission_denied"
            ],
        )


def _those_there_are(offers: Sequence[Alternative]) -> str:
    if not offers:
        return "none was found"
    return "choose from " + "; ".join(f"{i}: {offer.summary}" for i, offer in enumerate(offers, 1))
