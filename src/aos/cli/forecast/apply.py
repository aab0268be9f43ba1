"""`aos simulate --apply`."""

from collections.abc import Callable, Mapping
from typing import Any

from aos.api.forecast.apply import apply, check
from aos.cli.answer import Answer
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import Limits
from aos.domain.plans.plan import Plan
from aos.wire.encode import indented
from aos.wire.results.documents import envelope


def changed_plan(
    result: SimulationResult,
    number: int,
    document: Mapping[str, Any],
    judged: Callable[[Plan, Limits], SimulationResult] | None,
) -> Answer:
    """The plan with one of the alternatives, as `aos plan fmt` prints plans; `judged` asks the rules, if any."""
    plan = apply(result, number, document)
    if judged is not None:
        check(result, number, judged)
    notes = {"notes": list(result.notes), "written": []}
    return Answer(
        lambda: {**envelope("aos.plan/1"), "plan": plan, **notes},
        lambda _: indented(plan),
        aside=result.notes,
    )
