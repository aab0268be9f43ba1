"""How many records would settle it: against closed forms, and against drawing the records."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from aos.domain.forecasts.attribution import Evidence
from aos.domain.forecasts.verdicts import Limits
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.distributions import Constant, Lognormal, Uniform
from aos.domain.skills.skill import Catalog, FailureMode, Figure, Provenance, Skill
from aos.engine.attribution import attribution
from aos.engine.evidence import evidence, influence, records_for_p95
from aos.engine.feasibility import judge
from aos.engine.sampling.distributions import SIZE, quantile_table
from tests.unit.engine.build import catalog, chain, program, skill, steps


def wanted(plan: Plan, known: Catalog, limits: Limits, samples: int = 10_000) -> list[Evidence]:
    compiled = program(plan, known)
    forecast, verdict, chunk = judge(compiled, limits, samples=samples, seed=0)
    shares = attribution(compiled, chunk, limits)
    return list(evidence(compiled, chunk, known, shares, forecast, verdict, limits))


def measured(value: Any, n: int) -> Figure[Any]:
    return Figure(value, Provenance("measured", n=n))


def failing(p: float, n: int | None) -> Skill:
    """A skill whose chance to fail was measured in n records, or declared."""
    figure = Figure(p, Provenance("declared")) if n is None else measured(p, n)
    return skill(failures=(FailureMode("BROKEN", "PERMANENT", figure),))


def test_records_for_a_p95_do_what_they_say():
    """Draw that many records again and again: their p95 is within a tenth of the true one in 95 of 100."""
    for distribution in (Lognormal(100, 0.5), Lognormal(100, 1.2)):
        table = quantile_table(distribution)
        records = records_for_p95(table)
        drawn = np.random.default_rng(0).choice(table, (2_000, records))
        off = np.abs(np.quantile(drawn, 0.95, axis=1) / table[int(0.95 * SIZE)] - 1)
        assert (off < 0.1).mean() == pytest.approx(0.95, abs=0.015)


def test_a_figure_that_never_varies_takes_enough_records_to_see_its_p95():
    assert records_for_p95(np.full(SIZE, 7.0)) == 59
    assert records_for_p95(np.zeros(SIZE)) == 59


def test_influence_of_a_step_on_success():
    rng = np.random.default_rng(0)
    ok = rng.random((3, 100_000)) < 0.9
    expected = 0.81 * np.sqrt(0.9 * 0.1)
    assert influence(np.logical_and.reduce(ok), ok[0]) == pytest.approx(expected, rel=0.02)


def test_influence_of_one_latency_on_a_deadline():
    x, y = np.random.default_rng(0).random((2, 100_000))
    # E[x + y <= 1 | x] = 1 - x, whose standard deviation is sqrt(1/12).
    assert influence(np.array(x + y <= 1), x) == pytest.approx(np.sqrt(1 / 12), rel=0.02)


def test_what_has_no_influence_is_not_given_any_by_chance():
    x, y = np.random.default_rng(0).random((2, 2_000))
    assert influence(np.array(x <= 0.5), y) < 0.02


def test_too_few_records_for_the_margin_ask_for_more():
    """Two steps that fail in 3 of 10 succeed together in 0.49; asked are 0.45."""
    known, limits = catalog(failing(0.3, 100)), Limits(min_success=0.45)
    (entry,) = [e for e in wanted(chain(2), known, limits) if e.figure == "failures"]
    slope, spread = 2 * 0.7, np.sqrt(0.3 * 0.7)
    total = (2 * slope * spread / 0.04) ** 2
    assert entry.why == "few_records"
    assert entry.records == 100
    assert entry.runs == pytest.approx(total - 100, rel=0.35)  # the margin itself is sampled
    assert not [e for e in wanted(chain(2), catalog(failing(0.3, 100_000)), limits) if e.figure == "failures"]


def test_somebodys_word_is_called_that():
    known = catalog(skill(latency=Lognormal(100, 0.5)))
    (entry,) = wanted(chain(2), known, Limits(None, 1000.0))
    assert (entry.why, entry.skill, entry.figure) == ("declared", "work", "latency_ms")
    assert entry.share == pytest.approx(1)
    assert entry.runs == pytest.approx(records_for_p95(quantile_table(Lognormal(100, 0.5))), rel=0.1)


def test_calls_of_one_step_ask_for_no_fewer_records_than_so_many_steps():
    limits = Limits(None, 700.0, 0.5)
    known = catalog(skill(latency=None)._replace(latency=measured(Lognormal(100, 0.5), 10)))
    entries = [wanted(plan, known, limits) for plan in (chain(6), chain(1, iterations=6))]
    runs = [entry.runs or 0 for found in entries for entry in found if entry.figure == "latency_ms"]
    assert runs[0] < runs[1] < 2 * runs[0]


def test_what_carries_little_weight_is_left_out():
    plan = steps(Step("a", "slow", {}), Step("b", "quick", {}))
    known = catalog(skill("slow", Lognormal(1000, 0.5)), skill("quick", Uniform(0, 10)))
    assert [entry.skill for entry in wanted(plan, known, Limits(None, 1e6))] == ["slow"]


def test_what_nobody_knows_comes_first():
    plan = steps(Step("a", "work", {}), Step("b", "mystery", {}), Step("c", "mystery", {}))
    known = catalog(skill(latency=Lognormal(100, 0.5)), skill("mystery", cost=None))
    first, *rest = wanted(plan, known, Limits(Decimal(5)))
    assert (first.why, first.skill, first.figure, first.records, first.runs) == (
        "unknown",
        "mystery",
        "cost_cents",
        0,
        59,
    )
    assert [entry.why for entry in rest] == ["declared"]


def test_too_close_to_call_says_where_it_would_be_clear():
    known = catalog(skill(cost=Uniform(0, 100)))
    entries = wanted(chain(1), known, Limits(Decimal(90)))
    assert entries[0].why == "too_close"
    assert entries[0].clear is not None
    low, high = entries[0].clear
    for confidence, decision in ((low - 0.001, "feasible"), (high + 0.002, "infeasible")):
        limits = Limits(Decimal(90), confidence=confidence)
        _, verdict, _ = judge(program(chain(1), known), limits, samples=160_000, seed=0)
        assert verdict.decision == decision


def test_a_firm_verdict_on_figures_that_never_vary_wants_nothing():
    assert wanted(chain(2), catalog(skill(cost=Constant(1.0))), Limits(Decimal(5), 1000.0)) == []
