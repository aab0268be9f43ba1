"""Steps that are refused, and changes that the rules deny."""

from decimal import Decimal

from aos.domain.forecasts.alternatives import Operation
from aos.domain.forecasts.forecast import Forecast
from aos.domain.forecasts.verdicts import Limits, Reason, Verdict
from aos.domain.plans.plan import Plan, RetryOverride, Step
from aos.domain.skills.distributions import Constant
from tests.unit.engine.alternatives.offering import kinds, model, offers, only, writer
from tests.unit.engine.build import catalog, chain, skill, steps, tries


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
