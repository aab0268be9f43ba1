"""`aos plan check`."""

from typing import Any

from aos.api.files.sources import load_catalog, load_plan
from aos.cli.answer import Answer, Look
from aos.cli.options import Catalogs, Inputs, PlanArgument, PlanOption, one_plan
from aos.cli.values import named_values
from aos.files.config import find_config
from aos.wire.plans.read import plan_digest
from aos.wire.results.documents import envelope


def check(
    plan: PlanArgument = None,
    plan_option: PlanOption = None,
    catalogs: Catalogs = None,
    inputs: Inputs = None,
) -> Answer:
    """Find everything that is wrong with a plan, at once."""
    catalog = load_catalog(catalogs or (), find_config())
    parsed = load_plan(one_plan(plan, plan_option), catalog, named_values(inputs or []))
    steps = len(parsed.plan.steps)

    def document() -> dict[str, Any]:
        return {
            **envelope("aos.plan-check/1"),
            "ok": True,
            "steps": steps,
            "notes": list(parsed.notes),
            "digest": plan_digest(parsed.plan),
        }

    def text(_: Look) -> str:
        lines = [f"ok: {steps} step" + "s" * (steps != 1), *(f"note: {note}" for note in parsed.notes)]
        return "\n".join(lines)

    return Answer(document, text)
