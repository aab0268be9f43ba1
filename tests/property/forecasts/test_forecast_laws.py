"""Laws of every forecast: more room is never worse, quantiles are ordered, the same question has the same answer."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aos.api.forecast.simulate import simulate
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import Limits
from aos.domain.plans.plan import Plan
from aos.domain.skills.skill import Catalog, Skill
from aos.wire.catalogs.read import default_catalog
from aos.wire.results.simulations import simulation
from tests.strategies.plans import plans

SAMPLES = 400
CATALOG = default_catalog()


def forecast(
    plan: Plan, catalog: Catalog = CATALOG, limits: Limits | None = None, **more: Any
) -> SimulationResult:
    return simulate(plan, catalog, limits or Limits(confidence=0.0, min_success=0.0), samples=SAMPLES, **more)


@given(plans(), st.decimals(0, 1000, places=2), st.decimals(0, 1000, places=2))
def test_more_budget_is_never_worse(plan: Plan, one: Decimal, other: Decimal) -> None:
    """In every single run, hence without any tolerance where both forecasts rest on the same runs."""
    less, more = (
        forecast(plan, limits=Limits(budget, 1e6, 0.0, 0.0)).forecast for budget in sorted((one, other))
    )
    assert less.samples == more.samples == SAMPLES
    assert less.in_budget.low.value <= more.in_budget.low.value
    assert less.feasible.low.value <= more.feasible.low.value
    if less.budget_stop and more.budget_stop:
        assert less.budget_stop.chance.value >= more.budget_stop.chance.value


@given(plans(), st.floats(1, 1e6), st.floats(1, 1e6))
def test_a_later_deadline_is_never_worse(plan: Plan, one: float, other: float) -> None:
    sooner, later = (
        forecast(plan, limits=Limits(Decimal(100), deadline, 0.0, 0.0)).forecast
        for deadline in sorted((one, other))
    )
    assert sooner.samples == later.samples == SAMPLES
    assert sooner.in_time.low.value <= later.in_time.low.value
    assert sooner.feasible.low.value <= later.feasible.low.value


@given(plans())
def test_fewer_failures_are_never_worse_where_nothing_waits_for_one(plan: Plan) -> None:
    steps = tuple(step._replace(when=None) for step in plan.steps)
    plan = plan._replace(steps=steps)
    kept = forecast(plan, _failing(1.0)).forecast
    halved = forecast(plan, _failing(0.5)).forecast
    assert halved.success.low.value >= kept.success.low.value - 3 * (kept.success.low.se + 1 / SAMPLES)


def _failing(share: float) -> Catalog:
    return CATALOG._replace(skills={name: _milder(skill, share) for name, skill in CATALOG.skills.items()})


def _milder(skill: Skill, share: float) -> Skill:
    milder = tuple(
        mode._replace(probability=mode.probability._replace(value=mode.probability.value * share))
        for mode in skill.failures or ()
        if mode.probability
    )
    return skill._replace(failures=milder)


@given(plans(), st.integers(0, 2**53 - 1))
def test_figures_are_ordered_and_have_the_same_bytes_each_time(plan: Plan, seed: int) -> None:
    limits = Limits(Decimal(50), 60_000, 0.0, 0.0)
    first, second = (forecast(plan, limits=limits, seed=seed) for _ in range(2))
    assert json.dumps(simulation(first, 0)) == json.dumps(simulation(second, 0))
    found = first.forecast
    for spread in (found.cost_at_least, found.time_at_least):
        assert spread.p05 <= spread.p50.value <= spread.p90.value <= spread.p95.value <= spread.p99.value
        assert sum(spread.counts) <= found.samples
    assert found.feasible.low.value <= min(found.success.low.value, found.in_limits.low.value)
    assert found.in_limits.low.value <= min(found.in_budget.low.value, found.in_time.low.value)
    for chance in (found.success, found.in_budget, found.in_time, found.in_limits, found.feasible):
        assert 0 <= chance.low.value <= chance.high.value <= 1
    for step in found.steps:
        assert 0 <= step.runs <= 1
        assert 0 <= step.succeeds <= 1
        if step.time:
            assert step.time.p50 <= step.time.p90 <= step.time.p95 <= step.time.p99


@given(plans(max_steps=5), st.integers(0, 4))
def test_renaming_steps_changes_no_figure(plan: Plan, seed: int) -> None:
    renamed = _renamed(plan)
    before, after = forecast(plan, seed=seed).forecast, forecast(renamed, seed=seed).forecast
    assert before.cost_at_least == after.cost_at_least
    assert before.time_at_least == after.time_at_least
    assert before.feasible == after.feasible


def _renamed(plan: Plan) -> Plan:
    from aos.wire.plans.read import dump_plan, parse_plan

    document = dump_plan(plan)
    new = {step["id"]: f"renamed-{i}" for i, step in enumerate(document["steps"])}

    def rename(value: Any) -> Any:
        if isinstance(value, str):
            for old, name in new.items():
                value = value.replace(f"${{steps.{old}.", f"${{steps.{name}.")
            return value
        if isinstance(value, list):
            return [rename(item) for item in value]
        return {key: rename(item) for key, item in value.items()} if isinstance(value, dict) else value

    for step in document["steps"]:
        step["params"] = rename(step.get("params", {}))
        step["id"] = new[step["id"]]
        if "needs" in step:
            step["needs"] = [new[name] for name in step["needs"]]
        if isinstance(step.get("for_each"), str):
            step["for_each"] = rename(step["for_each"])
        if str(step.get("on_error", "")).startswith("fallback:"):
            step["on_error"] = "fallback:" + new[step["on_error"].removeprefix("fallback:")]
        if "when" in step:
            before, _, rest = step["when"].removeprefix("steps.").partition(".outcome")
            step["when"] = f"steps.{new[before]}.outcome{rest}"
    return parse_plan(document, CATALOG, name="renamed").plan
