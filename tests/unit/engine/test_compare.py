"""Differences against what they must be: exact where nothing is left to chance, and honest about noise."""

from decimal import Decimal
from statistics import mean, pstdev

import pytest

from aos.domain.forecasts.differences import Delta, Pair
from aos.domain.forecasts.verdicts import MAX_SAMPLES, Limits
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.distributions import Constant, Lognormal
from aos.domain.skills.skill import Catalog, Correlation
from aos.engine.compare import Compared, Side, compare, shared_streams
from aos.engine.execution.program import compile_plan
from tests.unit.engine.build import figure, skill

NOISY = Lognormal(100.0, 1.0)


def compared(
    a: Plan,
    b: Plan,
    catalog: Catalog,
    other: Catalog | None = None,
    seed: int = 0,
    limits: Limits | None = None,
) -> Compared:
    """Steps that are at the same place are the same."""
    same = {j: j for j in range(min(len(a.steps), len(b.steps)))}
    streams = shared_streams(a, b, same)
    limits = limits or Limits()
    return compare(
        Side(compile_plan(a, catalog, {}), limits),
        Side(compile_plan(b, other or catalog, {}, streams), limits),
        [(i, i) for i in same],
        samples=4_000,
        seed=seed,
    )


def chain(*skills: str) -> Plan:
    return Plan(tuple(Step(f"s{i}", name, {}) for i, name in enumerate(skills)))


def test_new_steps_have_streams_that_no_other_step_has() -> None:
    a, b = chain("work", "work"), chain("work", "work", "work")
    assert shared_streams(a, b, {0: 1, 2: 0}) == {"s0": 1, "s1": 2, "s2": 0}


def test_a_dearer_price_is_exact() -> None:
    cheap = Catalog({"work": skill(latency=NOISY, cost=Constant(2.0))})
    dear = Catalog({"work": skill(latency=NOISY, cost=Constant(5.0))})
    found = compared(chain("work"), chain("work"), cheap, dear).plan
    for pair in found.cost:
        assert pair.delta == Delta(3.0, 0.0)
        assert pair.rises
    assert all(pair.delta == Delta(0.0, 0.0) for pair in found.time)


def test_sums_in_another_order_are_no_difference() -> None:
    """(x + y) + z and (y + z) + x differ in the last bits, which a slow or quick run fills."""
    names = ("a", "b", "c")
    catalog = Catalog(
        {name: skill(name, latency=Lognormal(0.01 * 1000**i, 2.0)) for i, name in enumerate(names)},
        run_factor=figure(Lognormal(1.0, 0.3)),
    )
    a = Plan(tuple(Step(name, name, {}) for name in names))
    b = Plan(tuple(Step(name, name, {}) for name in ("b", "c", "a")))
    same = {0: 1, 1: 2, 2: 0}
    found = compare(
        Side(compile_plan(a, catalog, {}), Limits()),
        Side(compile_plan(b, catalog, {}, shared_streams(a, b, same)), Limits()),
        [],
        samples=4_000,
        seed=0,
    )
    assert all(pair.delta == Delta(0.0, 0.0) for pair in found.plan.time)


def test_what_both_have_in_common_makes_no_noise() -> None:
    """One step of ten gets slower; the other nine are as noisy as it is."""
    catalog = Catalog({"work": skill(latency=NOISY), "slow": skill("slow", latency=Lognormal(120.0, 1.0))})
    found = compared(chain(*["work"] * 10), chain(*["work"] * 9, "slow"), catalog)
    delta = found.plan.time.mean.delta
    unpaired = (found.a[0].time_at_least.mean.se ** 2 + found.b[0].time_at_least.mean.se ** 2) ** 0.5
    assert delta
    assert delta.kind == "real"
    assert delta.se < unpaired / 10
    assert [step.time.delta is not None and step.time.delta.kind for step in found.steps] == ["same"] * 9 + [
        "real"
    ]


@pytest.mark.parametrize("name", ["mean", "p50", "p95"])
def test_the_standard_error_is_what_differences_scatter_by(name: str) -> None:
    """Over 60 seeds the mean of the stated errors is the spread of the differences, within a third."""
    catalog = Catalog({"work": skill(latency=NOISY, failures={"BROKEN": 0.1})})
    a, b = chain("work", "work"), chain("work", "work", "work")
    found = [getattr(compared(a, b, catalog, seed=seed).plan.time, name).delta for seed in range(60)]
    spread = pstdev(delta.value for delta in found)
    assert 0.67 < mean(delta.se for delta in found) / spread < 1.5


def test_siblings_keep_their_common_mood_when_a_step_is_put_before_them() -> None:
    catalog = Catalog(
        {"work": skill(latency=NOISY), "free": skill("free", latency=Constant(0.0))},
        correlation=Correlation(None, figure(0.8)),
    )
    fan = [Step(f"f{i}", "work", {}, needs=()) for i in range(5)]
    a, b = Plan(tuple(fan)), Plan((Step("new", "free", {}, needs=()), *fan))
    same = {j: j - 1 for j in range(1, 6)}
    found = compare(
        Side(compile_plan(a, catalog, {}), Limits()),
        Side(compile_plan(b, catalog, {}, shared_streams(a, b, same)), Limits()),
        [],
        samples=1_000,
        seed=0,
    )
    assert all(pair.delta == Delta(0.0, 0.0) for pair in found.plan.time)


def test_an_unknown_side_leaves_the_difference_unknown() -> None:
    catalog = Catalog({"work": skill(), "vague": skill("vague", latency=None, failures=None)})
    found = compared(chain("work"), chain("vague"), catalog)
    assert found.plan.time.mean == Pair(100.0, None, None)
    assert found.plan.success == Pair(1.0, None, None)
    assert found.plan.cost.mean.delta == Delta(0.0, 0.0)
    assert found.steps[0].time == Pair(100.0, None, None)


def test_samples_double_for_both_while_one_is_too_close() -> None:
    """Of A half the runs are in time, which is what was asked for; of B all."""
    catalog = Catalog({"work": skill(latency=NOISY), "quick": skill("quick", latency=Constant(1.0))})
    limits = Limits(Decimal(0), 100.0, confidence=0.5)
    found = compared(chain("work"), chain("quick"), catalog, limits=limits)
    assert found.a[0].samples == found.b[0].samples
    assert 4_000 < found.a[0].samples <= MAX_SAMPLES
