"""Changes to steps that are offered, kind by kind, where the right answer is known beforehand."""

from decimal import Decimal
from math import log

import pytest

from aos.domain.forecasts.alternatives import Operation
from aos.domain.plans.plan import OnError, RetryOverride, Step
from aos.domain.plans.sizes import MAX_ITEMS
from aos.domain.skills.distributions import Constant, Lognormal, Quantiles, Uniform
from aos.domain.skills.skill import FailureMode, RateLimit, TokenCost
from aos.engine.alternatives.edits import Edit, patch
from tests.unit.engine.alternatives.offering import MODELS, kinds, model, offers, only, price, writer
from tests.unit.engine.build import catalog, chain, figure, skill, steps, tries

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


# -- two changes --------------------------------------------------------------------------------------------


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


def test_what_a_model_named_by_an_input_costs():
    plan = steps(Step("a", "ask", {"model": "${inputs.model}"}))
    named, odd = (plan._replace(inputs={"model": value}) for value in ("in-house", ["not", "a", "name"]))
    assert only("declare", offers(named, catalog(model()), budget=10)).declares[0].model == "in-house"
    assert only("declare", offers(odd, catalog(model()), budget=10)).declares[0].model is None
    assert only("change_model", offers(named, catalog(model()), budget=5)).summary.endswith("in-house")


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
