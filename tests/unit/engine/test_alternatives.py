"""What is offered, kind by kind, where the right answer is known beforehand."""

from collections.abc import Mapping
from decimal import Decimal
from math import log
from typing import Any

import pytest

from aos.domain.forecasts.alternatives import Alternative, Operation
from aos.domain.forecasts.forecast import Forecast
from aos.domain.forecasts.verdicts import Limits, Reason, Verdict
from aos.domain.plans.plan import MAX_ITEMS, OnError, Plan, RetryOverride, Step
from aos.domain.skills.distributions import Constant, Lognormal, Quantiles, Uniform
from aos.domain.skills.prices import ModelPrice
from aos.domain.skills.skill import Catalog, Effects, FailureMode, RateLimit, Skill, TokenCost
from aos.engine.alternatives import alternatives
from aos.engine.alternatives.edits import Edit, patch
from aos.engine.alternatives.trials import Rules
from aos.engine.execution.program import compile_plan
from aos.engine.feasibility import judge
from tests.unit.engine.build import catalog, chain, figure, skill, steps, tries

WRITES = Effects(read_only=False, idempotent=False, destructive=True, reversible=False, open_world=True)


def price(name: str, cents: int) -> ModelPrice:
    """A model at that many cents per million tokens, read or written."""
    return ModelPrice(name, "maker", Decimal(cents), Decimal(cents), None, (), None, "2026-01-01", "snapshot")


MODELS = {name: price(name, cents) for name, cents in (("large", 1000), ("medium", 400), ("small", 100))}


def model(name: str = "ask", **more: Any) -> Skill:
    """A skill of 10,000 output tokens, so that `large` costs 10c a call, `medium` 4c and `small` 1c."""
    tokens = TokenCost(figure(Constant(4.0)), figure(Constant(10_000.0)), figure(Constant(0.0)), None)
    return skill(name, cost=tokens, **more)._replace(input_schema={"properties": {"max_tokens": {}}})


def writer(name: str = "write", **more: Any) -> Skill:
    return skill(name, **more)._replace(effects=WRITES)


def offers(
    plan: Plan,
    known: Catalog,
    *,
    budget: float | None = None,
    deadline: float | None = None,
    models: Mapping[str, ModelPrice] = MODELS,
    refused: tuple[int, ...] = (),
    aim: Mapping[str, Any] | None = None,
    rules: Rules | None = None,
    samples: int = 4_000,
    **more: Any,
) -> list[Alternative]:
    limits = Limits(None if budget is None else Decimal(str(budget)), deadline, **more)
    program = compile_plan(plan, known, MODELS)
    off = [Reason("skill_unavailable", f"/steps/{i}/skill", "disabled") for i in refused]
    forecast, verdict, _ = judge(program, limits, samples=samples, seed=0, refused=off)
    if rules:
        verdict = rules(plan, limits, forecast, verdict)
    found = alternatives(
        plan,
        known,
        MODELS,
        limits,
        forecast,
        verdict,
        samples=samples,
        seed=0,
        models=models,
        refused=refused,
        aim=limits._replace(**aim) if aim else None,
        rules=rules,
    )
    assert all(offer.outlook.verdict.decision == "feasible" for offer in found)
    return list(found)


def only(kind: str, found: list[Alternative]) -> Alternative:
    (offer,) = (offer for offer in found if offer.kind == kind)
    return offer


def kinds(found: list[Alternative]) -> list[str]:
    return [offer.kind for offer in found]


# -- limits ------------------------------------------------------------------------------------------------


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


# -- models ------------------------------------------------------------------------------------------------


def test_the_dearest_model_that_is_cheap_enough():
    plan = steps(Step("a", "ask", {"model": "large"}))
    offer = only("change_model", offers(plan, catalog(model()), budget=5))
    assert offer.summary == "a: medium instead of large"
    assert offer.patch == (Operation("replace", "/steps/0/params/model", "medium"),)
    assert offer.outlook.cost_p50 == pytest.approx(4)
    assert offer.difference.cost_p50 == pytest.approx(-6)
    assert "medium answers well enough" in offer.assumes


def test_as_few_steps_as_possible_change_their_model():
    plan = steps(*(Step(f"s{i}", "ask", {"model": "large"}) for i in range(5)))
    found = offers(plan, catalog(model()), budget=33)
    assert only("change_model", found).summary == "s0 and s1: small instead of large"


def test_a_model_that_has_a_price_instead_of_one_that_has_none():
    plan = steps(Step("a", "ask", {"model": "in-house"}))
    found = offers(plan, catalog(model()), budget=5)
    assert [o.summary for o in found if o.kind == "change_model"] == ["a: medium instead of in-house"]


def test_no_model_is_offered_where_none_may_stand_in():
    plan = steps(Step("a", "ask", {"model": "large"}))
    assert "change_model" not in kinds(offers(plan, catalog(model()), budget=5, models={}))


# -- the order of steps ------------------------------------------------------------------------------------


def test_steps_that_use_nothing_of_each_other_run_side_by_side():
    plan = steps(Step("a", "work", {}), Step("b", "work", {}), Step("c", "write", {}))
    offer = only("run_in_parallel", offers(plan, catalog(skill(), writer()), deadline=250))
    assert offer.changes_meaning
    assert offer.patch == (
        Operation("add", "/steps/1/needs", []),
        Operation("add", "/steps/2/needs", ["a", "b"]),
    )
    assert offer.outlook.time_p50 == 200.0


def test_what_uses_an_output_stays_behind_it():
    plan = steps(
        Step("a", "work", {}), Step("b", "work", {"text": "${steps.a.output}"}), Step("c", "write", {})
    )
    assert "run_in_parallel" not in kinds(offers(plan, catalog(skill(), writer()), deadline=250))


def test_nothing_overtakes_a_step_that_changes_the_world():
    plan = steps(Step("a", "write", {}), Step("b", "work", {}), Step("c", "work", {}))
    found = offers(plan, catalog(skill(), writer()), deadline=250)
    assert only("run_in_parallel", found).patch == (Operation("add", "/steps/2/needs", ["a"]),)


def test_a_main_input_is_spelt_out_where_it_would_no_longer_be_clear():
    reads = skill("json_transform")
    plan = steps(Step("a", "work", {}), Step("b", "work", {}), Step("c", "json_transform", {"query": "x"}))
    known = catalog(skill()._replace(main_output="text"), reads)
    assert only("run_in_parallel", offers(plan, known, deadline=250)).patch == (
        Operation("add", "/steps/1/needs", []),
        Operation("add", "/steps/2/params/input", "${steps.b.output.text}"),
        Operation("add", "/steps/2/needs", ["a", "b"]),
    )


def test_all_together_where_one_alone_is_not_enough():
    plan = steps(*(Step(n, "work", {}) for n in "abcd"), Step("z", "write", {}))
    offer = only("run_in_parallel", offers(plan, catalog(skill(), writer()), deadline=250))
    assert offer.outlook.time_p50 == 200.0
    assert [operation.value for operation in offer.patch] == [[], [], [], ["a", "b", "c", "d"]]


def test_a_step_that_nobody_would_miss_is_dropped():
    plan = steps(Step("a", "work", {}), Step("look", "work", {}), Step("z", "write", {}))
    found = offers(plan, catalog(skill(cost=Constant(5.0)), writer()), budget=6)
    dropped = [offer for offer in found if offer.kind == "drop_step"]
    assert [offer.patch for offer in dropped] == [(Operation("remove", f"/steps/{i}"),) for i in (0, 1)]
    assert all(offer.changes_meaning for offer in dropped)


def test_who_waited_for_a_dropped_step_waits_for_those_before_it():
    plan = steps(
        Step("a", "write", {}),
        Step("b", "work", {}, needs=("a",)),
        Step("c", "write", {}, needs=("b",)),
    )
    known = catalog(skill(cost=Constant(9.0)), writer())
    assert only("drop_step", offers(plan, known, budget=5)).patch == (
        Operation("replace", "/steps/2/needs", ["a"]),
        Operation("remove", "/steps/1"),
    )


def test_what_the_plan_is_for_is_not_dropped():
    plan = steps(Step("a", "work", {}), Step("z", "write", {}))
    assert "drop_step" not in kinds(offers(plan, catalog(skill(), writer(cost=Constant(9.0))), budget=5))
    shrugged = steps(Step("a", "work", {}), Step("z", "write", {}, on_error=OnError("continue")))
    known = catalog(skill(), writer(cost=Constant(9.0)))
    assert only("drop_step", offers(shrugged, known, budget=5)).summary == "drop z"


# -- one step otherwise ------------------------------------------------------------------------------------


def test_a_retry_that_was_tightened_is_relaxed_where_it_fails_most():
    once = RetryOverride(max_attempts=1)
    plan = steps(Step("a", "work", {}, retry=once), Step("b", "shaky", {}, retry=once))
    known = catalog(
        skill(failures={"LOST": 0.05}, retry=tries(3)), skill("shaky", failures={"LOST": 0.4}, retry=tries(4))
    )
    offer = only("relax_retry", offers(plan, known, min_success=0.8))
    assert offer.patch == (Operation("remove", "/steps/1/retry"),)
    assert not offer.changes_meaning
    assert offer.assumes == ""


def test_a_retry_that_could_do_twice_what_is_not_as_well_done_twice_is_not_offered():
    plan = steps(Step("a", "write", {}, retry=RetryOverride(max_attempts=1)))
    lost = offers(plan, catalog(writer(failures={"LOST": 0.4}, retry=tries(4))), min_success=0.8)
    unmade = offers(plan, catalog(writer(failures={"CONNECTION": 0.4}, retry=tries(4))), min_success=0.8)
    assert "relax_retry" not in kinds(lost)
    assert only("relax_retry", unmade).assumes == ""


def test_a_timeout_that_cuts_off_good_attempts_is_raised():
    plan = steps(Step("a", "slow", {}, timeout_s=0.5))
    offer = only("raise_timeout", offers(plan, catalog(skill("slow", Uniform(0, 1000))), min_success=0.9))
    assert offer.patch == (Operation("replace", "/steps/0/timeout_s", 1.0),)


def test_the_most_iterations_that_fit():
    plan = chain(1, iterations=20)
    offer = only("fewer_iterations", offers(plan, catalog(skill(cost=Constant(3.0))), budget=40))
    assert offer.patch == (Operation("replace", "/steps/0/iterations", 13),)
    assert offer.changes_meaning


def test_one_iteration_is_the_default_and_leaves_no_key():
    offer = only(
        "fewer_iterations", offers(chain(1, iterations=3), catalog(skill(cost=Constant(3.0))), budget=4)
    )
    assert offer.patch == (Operation("remove", "/steps/0/iterations"),)


def test_the_longest_answers_that_fit():
    plan = steps(Step("a", "ask", {"model": "large"}))
    offer = only("limit_tokens", offers(plan, catalog(model()), budget=5, models={}))
    assert offer.patch == (Operation("add", "/steps/0/params/max_tokens", 4096),)
    assert offer.changes_meaning


def test_going_on_without_a_step_that_nobody_uses():
    plan = steps(Step("a", "work", {}), Step("z", "write", {}))
    known = catalog(skill(), writer(failures={"LOST": 0.6}))
    offer = only("continue_on_error", offers(plan, known))
    assert offer.patch == (Operation("add", "/steps/1/on_error", "continue"),)
    assert offer.changes_meaning


def test_the_most_items_that_fit_where_nobody_knows_how_many():
    plan = chain(1, for_each="${steps.x.output}")
    plan = steps(Step("x", "work", {}), Step("y", "dear", {}, for_each="${steps.x.output}"))
    known = catalog(skill(), skill("dear", cost=Constant(3.0)))
    offer = only("expect_items", offers(plan, known, budget=40))
    assert offer.patch == (Operation("add", "/steps/1/expect", {"items": 13}),)


@pytest.mark.parametrize("fails", [0.01, 0.025, 0.04, 0.05])
@pytest.mark.parametrize("limit", [None, RateLimit(600, 10)], ids=["free", "limited"])
def test_the_most_items_that_chance_allows(fails: float, limit: RateLimit | None):
    """All of n items must do: (1 - fails)^n is to be clearly a half."""
    plan = steps(Step("x", "work", {}), Step("y", "shaky", {}, for_each="${steps.x.output}"))
    shaky = skill("shaky", failures=(FailureMode("BROKEN", "PERMANENT", figure(fails)),), rate_limit=limit)
    (operation,) = only("expect_items", offers(plan, catalog(skill(), shaky), samples=10_000)).patch
    exact = min(MAX_ITEMS, log(0.51) / log(1 - fails))
    assert exact - 4 <= operation.value["items"] <= exact + 1


# -- two changes, figures nobody knows, and no change at all -----------------------------------------------


def test_two_edits_where_no_single_one_is_enough():
    once = RetryOverride(max_attempts=1)
    plan = steps(Step("a", "ask", {"model": "large"}), Step("b", "shaky", {}, retry=once))
    known = catalog(model(), skill("shaky", failures={"LOST": 0.6}, retry=tries(4)))
    found = offers(plan, known, budget=5, models={"medium": MODELS["medium"]})
    assert [offer.patch for offer in found if not offer.changes_meaning and offer.in_plan] == [
        (Operation("add", "/budget", 10), Operation("remove", "/steps/1/retry")),
        (Operation("replace", "/steps/0/params/model", "medium"), Operation("remove", "/steps/1/retry")),
    ]


def test_two_edits_are_no_stronger_than_they_have_to_be():
    """Nobody knows how many items there are: together forty are to be paid."""
    plan = steps(
        Step("x", "work", {}),
        Step("y", "dear", {}, for_each="${steps.x.output.a}"),
        Step("z", "dear", {}, for_each="${steps.x.output.b}"),
    )
    known = catalog(skill(), skill("dear", cost=Constant(1.0)))
    offer = next(offer for offer in offers(plan, known, budget=40) if offer.kind == "two_changes")
    assert 30 <= sum(operation.value["items"] for operation in offer.patch) <= 40


def test_an_edit_and_a_limit_where_neither_alone_is_enough():
    plan = steps(Step("b", "shaky", {}, retry=RetryOverride(max_attempts=1)))
    known = catalog(skill("shaky", cost=Constant(10.0), failures={"LOST": 0.6}, retry=tries(4)))
    offer = only("two_changes", offers(plan, known, budget=10, min_success=0.7))
    assert offer.flags == ("--budget", "40")
    assert offer.patch == (Operation("add", "/budget", 40), Operation("remove", "/steps/0/retry"))


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


def test_what_a_model_named_by_an_input_costs():
    plan = steps(Step("a", "ask", {"model": "${inputs.model}"}))
    named, odd = (plan._replace(inputs={"model": value}) for value in ("in-house", ["not", "a", "name"]))
    assert only("declare", offers(named, catalog(model()), budget=10)).declares[0].model == "in-house"
    assert only("declare", offers(odd, catalog(model()), budget=10)).declares[0].model is None
    assert only("change_model", offers(named, catalog(model()), budget=5)).summary.endswith("in-house")


def test_any_price_will_do_where_there_is_no_budget():
    offer = only("declare", offers(chain(1), catalog(skill(cost=None)), deadline=300))
    assert offer.declares[0].at_most is None
    assert offer.outlook.cost_p50 is None


# -- steps that are refused, and what rules deny -----------------------------------------------------------


def test_what_is_refused_and_would_be_missed_is_beyond_mending():
    assert offers(chain(1), catalog(skill(cost=Constant(9.0))), budget=5, refused=(0,)) == []
    plan = steps(Step("a", "work", {}), Step("b", "work", {"text": "${steps.a.output}"}))
    assert offers(plan, catalog(skill()), refused=(0,)) == []


def test_steps_that_are_refused_are_dropped_together():
    plan = steps(*(Step(name, "work", {}) for name in "abc"), Step("z", "write", {}))
    found = offers(plan, catalog(skill(), writer()), refused=(0, 2))
    assert [(offer.kind, offer.summary) for offer in found] == [("drop_step", "drop a and c")]
    assert found[0].patch == (Operation("remove", "/steps/2"), Operation("remove", "/steps/0"))
    assert "uses them" in found[0].assumes


def test_a_step_that_is_refused_is_dropped_and_the_limits_fit_the_rest():
    plan = steps(Step("a", "work", {}), Step("z", "write", {}))
    known = catalog(skill(), writer(cost=Constant(9.0)))
    offer = only("two_changes", offers(plan, known, budget=5, refused=(0,)))
    assert (offer.summary, offer.flags) == ("drop a; and budget 9c", ("--budget", "9"))


def denied(pointer: str) -> Verdict:
    return Verdict("infeasible", "permission_denied", (Reason("permission_denied", pointer, "no"),), ())


def test_what_the_rules_deny_is_not_offered():
    """The limits allow thirteen iterations, the rules two thirds of the budget."""

    def rules(plan: Plan, limits: Limits, forecast: Forecast, verdict: Verdict) -> Verdict:
        return verdict if forecast.cost and forecast.cost.p95.value <= 27 else denied("")

    aim = {"budget_cents": Decimal(27), "confidence": 0.95}
    known = catalog(skill(cost=Constant(3.0)))
    found = offers(chain(1, iterations=20), known, budget=40, aim=aim, rules=rules)
    assert [offer.patch for offer in found] == [(Operation("replace", "/steps/0/iterations", 9),)]
    assert found[0].limits.budget_cents == 40


def test_a_plan_that_only_the_rules_deny_is_mended():
    def rules(plan: Plan, limits: Limits, forecast: Forecast, verdict: Verdict) -> Verdict:
        return verdict if forecast.success.low.value >= 0.9 else denied("")

    plan = steps(Step("a", "work", {}), Step("b", "shaky", {}, retry=RetryOverride(max_attempts=1)))
    known = catalog(skill(), skill("shaky", failures={"LOST": 0.2}, retry=tries(4)))
    found = offers(plan, known, aim={"min_success": 0.9}, rules=rules)
    assert found[0].patch == (Operation("remove", "/steps/1/retry"),)
    assert offers(plan, known, rules=lambda *_: denied("")) == []


def test_a_step_that_the_rules_deny_is_dropped_and_no_other():
    def rules(plan: Plan, limits: Limits, forecast: Forecast, verdict: Verdict) -> Verdict:
        places = [i for i, step in enumerate(plan.steps) if step.id == "b"]
        return denied(f"/steps/{places[0]}") if places else verdict

    plan = steps(*(Step(name, "work", {}) for name in "abc"), Step("z", "write", {}))
    found = offers(plan, catalog(skill(), writer()), rules=rules)
    assert [offer.summary for offer in found] == ["drop b"]


def test_a_gain_that_the_rules_deny_is_none():
    def rules(plan: Plan, limits: Limits, forecast: Forecast, verdict: Verdict) -> Verdict:
        return denied("/steps/0") if plan.steps[0].params.get("model") == "small" else verdict

    plan = steps(Step("a", "ask", {"model": "large"}), Step("c", "write", {}))
    known = catalog(model(), writer())
    assert kinds(offers(plan, known, budget=50)) == ["change_model", "drop_step"]
    assert kinds(offers(plan, known, budget=50, rules=rules)) == ["drop_step"]


# -- a feasible plan, and what all have in common ----------------------------------------------------------


def test_a_feasible_plan_is_offered_only_what_gains_a_tenth():
    plan = steps(Step("a", "ask", {"model": "large"}), Step("b", "work", {}), Step("c", "write", {}))
    known = catalog(model(), skill(), writer())
    found = offers(plan, known, budget=50)
    assert sorted(kinds(found)) == ["change_model", "drop_step", "drop_step", "run_in_parallel"]
    assert found[0].summary == "a: small instead of large"
    assert only("run_in_parallel", found).difference.time_p50 == -100.0
    assert offers(steps(Step("c", "write", {})), known, budget=50) == []


def test_a_model_that_looks_cheaper_and_is_not():
    """Nothing is read here, and what is written is dear."""
    plan = steps(Step("a", "ask", {"model": "large"}), Step("c", "write", {}))
    chatty = price("chatty", 10)._replace(output_cents_per_mtok=Decimal(2000))
    assert "change_model" not in kinds(offers(plan, catalog(model(), writer()), models={"chatty": chatty}))


def test_steps_are_removed_last_and_from_the_end():
    plan = steps(*(Step(name, "work", {"a/b~c": 1}) for name in "abcd"))
    changes: dict[str, Step | None] = {"a": None, "b": plan.steps[1]._replace(params={"a/b~c": 2}), "c": None}
    assert patch(plan, Edit("drop_step", "", changes, 0.0)) == (
        Operation("replace", "/steps/1/params/a~1b~0c", 2),
        Operation("remove", "/steps/2"),
        Operation("remove", "/steps/0"),
    )


def test_the_same_question_has_the_same_offers():
    plan = steps(*(Step(f"s{i}", "ask", {"model": "large"}) for i in range(3)))
    known = catalog(model(latency=Lognormal(100, 0.5), failures={"LOST": 0.1}))
    assert offers(plan, known, budget=15) == offers(plan, known, budget=15)


def test_luck_is_shared_with_the_plan_as_it_is():
    """A model that costs 1 % less is 1 % cheaper in every quantile: no noise between the two simulations."""
    jumpy = Quantiles((0.0, 1.0), (100.0, 100_000.0))
    tokens = TokenCost(figure(Constant(4.0)), figure(jumpy), figure(Constant(0.0)), None)
    plan = steps(Step("a", "ask", {"model": "large"}))
    near = {"large": price("large", 1000), "nearly": price("nearly", 899)}
    (offer,) = offers(plan, catalog(skill("ask", cost=tokens)), models=near)
    assert offer.outlook.cost_p50 is not None
    assert offer.difference.cost_p50 == pytest.approx(-0.101 / 0.899 * offer.outlook.cost_p50, rel=1e-4)
    assert offer.difference.cost_p95 == pytest.approx(
        -0.101 / 0.899 * (offer.outlook.cost_p95 or 0), rel=1e-4
    )
