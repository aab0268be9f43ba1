"""`aos simulate --apply`."""

from collections.abc import Mapping
from typing import Any

from aos.api.forecast.apply import apply
from aos.cli.answer import Answer
from aos.domain.forecasts.results import SimulationResult
from aos.wire.encode import indented
from aos.wire.results.documents import envelope


def changed_plan(
    result: SimulationResult,
    number: int,
    document: Mapping[str, Any],
) -> Answer:
    """The plan with one of the alternatives, as `aos plan fmt` prints plans."""
    plan = apply(result, number, document)
    notes = {"notes": list(result.notes), "written": []}
    return Answer(
        lambda: {**envelope("aos.plan/1"), "plan": plan, **notes},
        lambda _: indented(plan),
        aside=result.notes,
    )
