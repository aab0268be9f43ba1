"""Laws of every comparison: a plan differs from itself by nothing, and B from A by what A differs from B by."""

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aos.api.forecast.cases import Case, case
from aos.api.forecast.diff import diff
from aos.api.forecast.simulate import simulate
from aos.domain.forecasts.differences import Comparison, Pair
from aos.domain.forecasts.forecast import Forecast
from aos.domain.forecasts.verdicts import Limits
from aos.domain.plans.plan import Plan
from aos.domain.skills.skill import Catalog
from aos.wire.catalogs.read import default_catalog, parse_catalog
from aos.wire.plans.read import dump_plan, parse_plan
from aos.wire.results.differences import comparison
from tests.strategies.plans import plans

SAMPLES = 200
SLOWER = parse_catalog(
    {
        "aos_catalog": "1",
        "skills": {
            "http_call": {"latency_ms": {"p50": 700, "p90": 2000}},
            "llm_invoke": {"latency_ms": None, "cost_cents": {"low": 1, "high": 3}},
            "fs_read": {"failures": []},
        },
    },
    name="slower.json",
    base=default_catalog(),
)


def compared(a: Plan, b: Plan, catalog_b: Catalog | None = None) -> Comparison:
    return diff(asked(a), asked(b, catalog_b), samples=SAMPLES)


def asked(plan: Plan, catalog: Catalog | None = None) -> Case:
    return case(plan, catalog or default_catalog(), Limits(confidence=0.0, min_success=0.0))


def pairs(found: Comparison) -> list[Pair]:
    figures = found.figures
    wholes = [
        *figures.cost,
        *figures.time,
        figures.feasible,
        figures.success,
        figures.in_budget,
        figures.in_time,
    ]
    return wholes + [pair for step in found.steps for pair in step.figures]


@given(plans(), st.randoms(use_true_random=False), st.sampled_from(["own", "new", "swapped"]))
def test_a_plan_differs_from_itself_by_nothing_whatever_its_steps_are_called(
    plan: Plan, chance: Any, kind: str
) -> None:
    own = [step.id for step in plan.steps]
    names = {
        "own": own,
        "new": [f"new-{i}" for i in range(len(own))],
        "swapped": chance.sample(own, len(own)),
    }[kind]
    found = compared(plan, renamed(plan, dict(zip(own, names, strict=True))))
    assert_nothing_differs(found)
    assert [step.b for step in found.steps] == names


@given(plans())
def test_there_and_back_again_is_nothing_and_of_a_is_said_what_simulate_says(plan: Plan) -> None:
    """The same steps in another catalog: every figure, to the last digit."""
    there = diff(asked(plan), asked(plan, SLOWER), samples=SAMPLES)
    back = diff(asked(plan, SLOWER), asked(plan), samples=SAMPLES)
    for pair, other in zip(pairs(there), pairs(back), strict=True):
        assert (pair.a, pair.b) == (other.b, other.a)
        if pair.delta is None or other.delta is None:
            assert pair.delta is other.delta
        else:
            assert (pair.delta.value, pair.delta.se) == (-other.delta.value, other.delta.se)
    assert (there.worse, there.better) == (back.better, back.worse)
    limits = Limits(confidence=0.0, min_success=0.0)
    alone = simulate(plan, limits=limits, samples=SAMPLES, explain=False, alternatives=False)
    if there.a.forecast.samples == alone.forecast.samples:  # else B was too close to call
        assert there.a == alone


@given(plans(max_steps=6), plans(max_steps=6))
def test_what_one_adds_the_other_removes_and_every_null_is_named(a: Plan, b: Plan) -> None:
    there, back = compared(a, b), compared(b, a)
    opposite = {"added": "removed", "removed": "added"}
    assert {(step.a, step.b, step.status) for step in there.steps} == {
        (step.b, step.a, opposite.get(step.status, step.status)) for step in back.steps
    }
    for quantity in ("cost", "time"):
        one, other = getattr(there.figures, quantity).typical, getattr(back.figures, quantity).typical
        assert (one.a, one.b) == (other.b, other.a)
    assert {(x.a, x.b) for x in there.approvals} == {(x.b, x.a) for x in back.approvals}
    document = json.loads(json.dumps(comparison(there, 0), allow_nan=False))
    named = {entry["pointer"] for entry in document["unknowns"]}
    assert named == set(unknown_figures(document))


def unknown_figures(value: Any, pointer: str = "") -> list[str]:
    """Pointers of the nulls in pairs of figures."""
    if isinstance(value, list):
        return [p for i, inner in enumerate(value) for p in unknown_figures(inner, f"{pointer}/{i}")]
    if not isinstance(value, dict):
        return []
    if "difference" in value:
        return [f"{pointer}/{key}" for key in ("a", "b", "change", "se") if value[key] is None]
    return [p for key, inner in value.items() for p in unknown_figures(inner, f"{pointer}/{key}")]


def assert_nothing_differs(found: Comparison) -> None:
    assert all(pair.a == pair.b for pair in pairs(found))
    assert all(pair.delta is None or pair.delta.kind == "same" for pair in pairs(found))
    assert {step.status for step in found.steps} == {"same"}
    assert (found.worse, found.better, found.changes, found.approvals) == ((), (), (), ())
    assert nameless(found.a.forecast) == nameless(found.b.forecast)


def nameless(forecast: Forecast) -> Forecast:
    """The forecast without what names its steps."""
    stop = forecast.budget_stop and forecast.budget_stop._replace(unbounded=())
    return forecast._replace(steps=(), risks=(), unknowns=(), budget_stop=stop)


def renamed(plan: Plan, names: dict[str, str]) -> Plan:
    """By text: every place in a plan's document that names a step."""
    document = dump_plan(plan)
    for step in document["steps"]:
        step["id"] = names[step["id"]]
        if "needs" in step:
            step["needs"] = [names[name] for name in step["needs"]]
        if str(step.get("on_error", "")).startswith("fallback:"):
            step["on_error"] = "fallback:" + names[step["on_error"].removeprefix("fallback:")]
        for key in step.keys() & {"when", "params", "for_each"}:
            text = json.dumps(step[key])
            step[key] = json.loads(re.sub(r"(steps\.)([\w-]+)(?=\.out)", lambda m: m[1] + names[m[2]], text))
    return parse_plan(document, default_catalog(), name="renamed").plan
