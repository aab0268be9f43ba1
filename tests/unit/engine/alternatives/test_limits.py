"""Limits that would be enough, and what an unknown figure may be at most."""

from decimal import Decimal

from aos.domain.forecasts.alternatives import Operation
from aos.domain.plans.plan import OnError, Step
from aos.domain.skills.distributions import Constant, Uniform
from aos.engine.execution.program import compile_plan
from aos.engine.feasibility import judge
from tests.unit.engine.alternatives.offering import kinds, model, offers, only
from tests.unit.engine.build import catalog, chain, skill, steps


def test_the_least_budget_that_is_enough():
    offer = only("raise_budget", offers(chain(3), catalog(skill(cost=Constant(40.123))), budget=100))
    assert offer.flags == ("--budget", "121")
    assert offer.patch == (Operation("add", "/budget", 121),)
    assert offer.limits.budget_cents == offer.plan.budget_cents == Decimal(121)
    assert not offer.changes_meaning


def test_a_budget_just_below_the_one_offered_would_not_be_clear():
    plan, known = chain(2), catalog(skill(cost=Uniform(0, 500_000)))
    offered = only("raise_budget", offers(plan, known, budget=1)).limits
    assert offered.budget_cents is not None
    less = offered._replace(budget_cents=offered.budget_cents * Decimal("0.995"))
    _, verdict, _ = judge(compile_plan(plan, known, {}), less, samples=4_000, seed=0)
    assert verdict.decision != "feasible"


def test_the_plans_own_budget_is_replaced():
    plan = chain(1)._replace(budget_cents=Decimal(1))
    offer = only("raise_budget", offers(plan, catalog(skill(cost=Constant(2.5))), budget=1))
    assert offer.patch == (Operation("replace", "/budget", 2.5),)


def test_the_least_deadline_that_is_enough():
    offer = only("move_deadline", offers(chain(3), catalog(skill(latency=Constant(411.5))), deadline=900))
    assert offer.flags == ("--deadline", "1240")
    assert offer.patch == (Operation("add", "/deadline_ms", 1240),)


def test_both_limits_where_neither_alone_is_enough():
    found = offers(chain(2), catalog(skill(cost=Constant(40.0))), budget=50, deadline=150)
    assert kinds(found) == ["raise_both", "drop_step"]
    assert found[0].flags == ("--budget", "80", "--deadline", "200")


def test_runs_that_are_late_are_no_argument_for_a_budget():
    plan, known = chain(1), catalog(skill(latency=Uniform(0, 100), cost=Uniform(0, 100)))
    # Three in four must keep both; nine in ten are in time, so five in six must be within the budget.
    offer = only("raise_budget", offers(plan, known, budget=50, deadline=90, confidence=0.75))
    assert 83 < (offer.limits.budget_cents or 0) < 87


def test_runs_of_unknown_price_are_no_argument_for_a_budget():
    plan = steps(Step("a", "dear", {}, on_error=OnError("fallback", "b")), Step("b", "mystery", {}))
    dear = skill("dear", cost=Uniform(0, 100), failures={"BROKEN": 0.1})
    found = offers(plan, catalog(dear, skill("mystery", cost=None)), budget=50, confidence=0.75)
    assert 83 < (only("raise_budget", found).limits.budget_cents or 0) < 87


def test_no_limit_mends_what_fails_too_often():
    found = offers(chain(2), catalog(skill(cost=Constant(40.0), failures={"BROKEN": 0.9})), budget=50)
    assert "raise_budget" not in kinds(found)


def test_a_plan_that_fails_more_often_than_asked_may_be_taken_as_it_is():
    found = offers(chain(1), catalog(skill(failures={"BROKEN": 0.3})), min_success=0.9)
    offer = only("accept_risk", found)
    assert found[-1] == offer
    assert 0.66 <= offer.limits.min_success <= 0.7
    assert offer.flags == ("--min-success", f"{offer.limits.min_success:g}")
    assert offer.patch == ()
    assert "of runs may fail" in offer.assumes
    assert not offer.in_plan


def test_it_may_be_taken_with_a_higher_budget():
    known = catalog(skill(cost=Constant(9.0), failures={"BROKEN": 0.3}))
    offer = only("accept_risk", offers(chain(1), known, budget=5, min_success=0.9))
    assert (offer.flags[:2], offer.flags[2]) == (("--budget", "9"), "--min-success")
    assert offer.patch == (Operation("add", "/budget", 9),)


def test_that_it_hardly_ever_works_is_not_offered():
    assert "accept_risk" not in kinds(offers(chain(1), catalog(skill(failures={"BROKEN": 0.95}))))


def test_what_an_unknown_price_may_be_at_most():
    plan = steps(*(Step(f"s{i}", "ask", {"model": "in-house"}) for i in range(4)))
    offer = only("declare", offers(plan, catalog(model()), budget=10, models={}))
    (declared,) = offer.declares
    assert (declared.skill, declared.model, declared.figure) == ("ask", "in-house", "cost_cents")
    assert 2.3 <= (declared.at_most or 0.0) <= 2.5
    assert offer.summary.startswith("in-house costs at most 2.")


def test_what_an_unknown_latency_and_chance_to_fail_may_be_at_most():
    known = catalog(skill(latency=None, failures=None))
    offer = only("declare", offers(chain(2), known, deadline=300, min_success=0.81))
    at_most = {declared.figure: declared.at_most or 0.0 for declared in offer.declares}
    assert 120 <= at_most["latency_ms"] <= 150
    assert 0.08 <= at_most["failure"] < 0.1


def test_any_price_will_do_where_there_is_no_budget():
    offer = only("declare", offers(chain(1), catalog(skill(cost=None)), deadline=300))
    assert offer.declares[0].at_most is None
    assert offer.outlook.cost_p50 is None
