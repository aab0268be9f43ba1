"""A run under way, held to what was approved: where a step went otherwise than forecast, the rest is forecast anew."""

from collections.abc import Callable, Container, Iterable, Mapping
from decimal import Decimal
from typing import Any

from aos.api.forecast.cases import case
from aos.domain.forecasts.verdicts import Limits
from aos.domain.plans.plan import Plan
from aos.domain.plans.rest import Bounds, Rest, outside, rest
from aos.domain.runs.recorded import Attempted, Progress
from aos.domain.runs.run import RunStart
from aos.domain.skills.skill import Catalog

__all__ = ["held_to"]

_SAMPLES = 2000
_NOTABLE_MS = 100.0
"""By so much a step is late before anybody looks: less may be the machine's own."""


def held_to(
    start: RunStart, plan: Plan, catalog: Catalog, known: Container[str] = ()
) -> Callable[[Progress], str]:
    """What the executor asks when steps have ended: in what the rest has left the approval; "" where it has not.

    The rest is forecast only where a step took longer or cost more than in 95 of 100 forecast runs, or failed. A run
    without an approval, or with one that knows no bounds, is held to nothing. `known` are steps that had ended when the
    approval was given; its time counts from then.
    """
    said = start.approval.get("bounds")
    if said is None:
        return lambda progress: ""
    approved = Bounds(
        said["samples"],
        None if start.approval["most_cents"] is None else float(start.approval["most_cents"]),
        said["time_p95_ms"],
        said["success"],
    )
    forecast = {step["id"]: step for step in start.simulation["step_estimates"]}
    looked_at = set[str]()

    def ask(progress: Progress) -> str:
        new = [name for name in progress.steps if name not in known and name not in looked_at]
        looked_at.update(new)
        mine = {name: [a for a in progress.attempts if a.intent.place.step == name] for name in new}
        if not any(
            progress.steps[name].outcome == "failed" or _beyond(mine[name], forecast[name]) for name in new
        ):
            return ""
        since = progress._replace(active_ms=progress.active_ms - said.get("after_ms", 0.0))
        return _outside(approved, rest(plan, catalog, _outcomes(progress)), since)

    return ask


def _outcomes(progress: Progress) -> Mapping[str, Any]:
    return {name: end.outcome for name, end in progress.steps.items()}


def _beyond(attempts: Iterable[Attempted], forecast: Mapping[str, Any]) -> bool:
    """Whether a step took longer or cost more than in 95 of 100 forecast runs."""
    ended = [one for one in attempts if one.ended_ms is not None]
    if not ended:
        return False
    ended = [one for one in ended if one.of_try == ended[-1].of_try]
    took = max(one.ended_ms or 0.0 for one in ended) - ended[0].intent.started_ms
    time, cost = forecast["duration_ms"], forecast["cost_cents"]
    late = time and took > time["p95"] + _NOTABLE_MS
    return bool(late or (cost and float(_cost(ended)) > cost["p95"] * (1 + 1e-6)))


def _cost(attempts: Iterable[Attempted]) -> Decimal:
    costs = [one.outcome.execution.cost_cents if one.outcome else None for one in attempts]
    return sum((cost for cost in costs if cost is not None), Decimal(0))


def _outside(approved: Bounds, left: Rest, progress: Progress) -> str:
    """A step under way counts as not begun, at the time it began: so what it has taken is not counted twice.

    What was done in an earlier try of the run is done.
    """
    from aos.engine.execution.program import compile_plan
    from aos.engine.simulate import Simulation
    from aos.engine.summary import forecast

    asked = case(left.plan, left.catalog, Limits())
    program = compile_plan(asked.plan, asked.catalog, asked.prices)
    found = forecast(program, list(Simulation(program, 0).take(_SAMPLES)), 0, asked.limits)
    done, begun = list[Attempted](), list[float]()
    for one in progress.attempts:
        if one.intent.place.step in progress.steps or one.of_try < progress.of_try:
            done.append(one)
        else:
            begun.append(one.intent.started_ms)
    since = progress.at_ms - min([progress.at_ms, *begun])
    return outside(approved, found, _cost(done), max(0.0, progress.active_ms - since))
