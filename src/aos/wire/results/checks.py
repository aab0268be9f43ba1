"""What there is to say of a plan that is sound, as a JSON document."""

from collections.abc import Sequence

from aos.domain.plans.nulls import Doubt
from aos.wire.plans.read import ParsedPlan, plan_digest
from aos.wire.results.documents import Document, envelope

__all__ = ["plan_check"]


def plan_check(parsed: ParsedPlan, doubts: Sequence[Doubt]) -> Document:
    """The document `aos.plan-check/1`."""
    return {
        **envelope("aos.plan-check/1"),
        "ok": True,
        "steps": len(parsed.plan.steps),
        "notes": list(parsed.notes),
        "warnings": [{"pointer": doubt.pointer, "detail": doubt.detail} for doubt in doubts],
        "digest": plan_digest(parsed.plan),
    }
