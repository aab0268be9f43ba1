"""`aos plan check`."""

from aos.api.files.sources import load_catalog, load_plan
from aos.cli.answer import Answer, Look
from aos.cli.options import Catalogs, Inputs, PlanArgument, PlanOption, one_plan
from aos.cli.values import named_values
from aos.domain.plans.nulls import doubts
from aos.files.config import find_config
from aos.wire.results.checks import plan_check


def check(
    plan: PlanArgument = None,
    plan_option: PlanOption = None,
    catalogs: Catalogs = None,
    inputs: Inputs = None,
) -> Answer:
    """Find everything that is wrong with a plan, at once."""
    catalog = load_catalog(catalogs or (), find_config())
    parsed = load_plan(one_plan(plan, plan_option), catalog, named_values(inputs or []))

    found = doubts(parsed.plan, catalog.skills)

    def text(_: Look) -> str:
        steps = len(parsed.plan.steps)
        lines = [f"ok: {steps} step" + "s" * (steps != 1), *(f"note: {note}" for note in parsed.notes)]
        return "\n".join([*lines, *(f"warning: {doubt.detail}" for doubt in found)])

    return Answer(lambda: plan_check(parsed, found), text)
