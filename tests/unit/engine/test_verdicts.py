"""Verdicts: which threshold decides, when nobody can tell, and when more samples are drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.domain.durations import rounded_up
from aos.domain.forecasts.verdicts import Limits, Reason
from aos.domain.plans.plan import Expect, OnError, Step, When
from aos.domain.skills.distributions import Constant, Lognormal, Uniform
from aos.engine.feasibility import judge
from tests.unit.engine.build import catalog, chain, decide, program, skill, steps


def test_a_plan_within_all_limits_is_feasible():
    forecast, verdict = decide(chain(3), catalog(skill(cost=Constant(2.0))), budget=6, deadline=300)
    assert (verdict.decision, verdict.status, verdict.reasons) == ("feasible", "feasible", ())
    assert forecast.feasible.low.value == 1.0
    assert (forecast.typical_cents, forecast.typical_ms) == (6.0, 300.0)


def test_money_adds_up_exactly():
    # Three times 0.1 is more than 0.3 in binary floating point.
    _, verdict = decide(chain(3), catalog(skill(cost=Constant(0.1))), budget=0.3)
    assert verdict.decision == "feasible"
    _, verdict = decide(chain(3), catalog(skill(cost=Constant(0.1))), budget=0.299999)
    assert verdict.decision == "infeasible"


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        ({"budget": 5.99}, "budget_insufficient"),
        ({"deadline": 299}, "deadline_exceeded"),
        ({"budget": 5, "deadline": 10_000}, "budget_insufficient"),
    ],
)
def test_the_limit_that_breaks_names_the_status_and_what_would_do(limits, status):
    forecast, verdict = decide(chain(3), catalog(skill(cost=Constant(2.0))), **limits)
    assert (verdict.decision, verdict.status) == ("infeasible", status)
    assert [reason.code for reason in verdict.reasons] == [status]
    assert forecast.cost_for_confidence == 6.0
    assert forecast.time_for_confidence == 300.0


def test_limits_that_are_kept_singly_but_not_together():
    # Either step is dear or slow, at odds with each other: 6 % break one limit, 12 % one of the two.
    plan = steps(Step("a", "dear", {}), Step("b", "slow", {}))
    known = catalog(
        skill("dear", Constant(1.0), Uniform(0, 100)), skill("slow", Uniform(0, 1000), Constant(0.0))
    )
    forecast, verdict = decide(plan, known, budget=94, deadline=941)
    assert forecast.in_budget.low.value > 0.9
    assert forecast.in_time.low.value > 0.9
    assert [reason.code for reason in verdict.reasons] == ["limits_exceeded"]
    assert verdict.status in ("budget_insufficient", "deadline_exceeded")


def test_risk_too_high_names_the_step_that_fails_most():
    plan = steps(Step("a", "work", {}), Step("b", "shaky", {}))
    _, verdict = decide(plan, catalog(skill(), skill("shaky", failures={"BROKEN": 0.6})))
    assert (verdict.decision, verdict.status) == ("infeasible", "risk_too_high")
    assert "b fails most, with BROKEN" in verdict.reasons[0].detail


def test_too_close_to_call_draws_up_to_the_most_samples_and_then_says_so():
    forecast, verdict = decide(chain(1), catalog(skill(latency=Uniform(0, 1000))), deadline=900)
    assert forecast.samples == 160_000
    assert (verdict.decision, verdict.reasons[0].code) == ("undetermined", "too_close")


def test_samples_double_only_until_it_is_clear():
    forecast, verdict = decide(chain(1), catalog(skill(latency=Uniform(0, 1000))), deadline=904)
    assert 10_000 < forecast.samples < 160_000
    assert verdict.decision == "feasible"


def test_nothing_is_too_close_to_a_threshold_of_0():
    known = catalog(skill(failures={"BROKEN": 0.9998}))
    forecast, verdict = decide(chain(1), known, confidence=0.0, min_success=0.0)
    assert 0 < forecast.success.low.value < 2 * forecast.success.low.se
    assert (forecast.samples, verdict.decision) == (10_000, "feasible")


@given(st.floats(0, 1e12))
def test_what_is_enough_stays_enough_in_three_digits(ms: float) -> None:
    up = rounded_up(ms)
    assert ms <= up <= max(ms * 1.0101, ms + 1e-12)
    assert up == float(f"{up:.3g}")


def test_times_are_told_as_people_say_them():
    known = catalog(skill(latency=Constant(114_719.0)))
    verdict = decide(chain(1), known, deadline=90_500)[1]
    assert verdict.reasons[0].detail == (
        "0 % of runs end within 1 min 30.5 s, 90 % asked for; 1 min 55 s would be enough"
    )


class TestUnknown:
    def test_an_unknown_price_leaves_the_verdict_open(self):
        forecast, verdict = decide(chain(1), catalog(skill(cost=None)), budget=100)
        assert (verdict.decision, verdict.status) == ("undetermined", "undetermined")
        assert [(r.code, r.pointer) for r in verdict.reasons] == [("unknown_cost", "/steps/0")]
        assert forecast.cost is None
        assert forecast.typical_cents is None
        assert forecast.steps[0].cost is None

    def test_also_where_no_budget_was_given(self):
        _, verdict = decide(chain(1), catalog(skill(cost=None)))
        assert verdict.decision == "undetermined"

    def test_unless_the_known_part_is_too_dear_already(self):
        plan = steps(Step("a", "work", {}), Step("b", "odd", {}))
        _, verdict = decide(plan, catalog(skill(cost=Constant(9.0)), skill("odd", cost=None)), budget=8)
        assert (verdict.decision, verdict.status) == ("infeasible", "budget_insufficient")

    def test_or_the_step_hardly_ever_runs(self):
        plan = steps(Step("a", "work", {}, on_error=OnError("fallback", "b")), Step("b", "odd", {}))
        known = catalog(
            skill(failures={"BROKEN": 0.05}), skill("odd", cost=None, latency=None, failures=None)
        )
        forecast, verdict = decide(plan, known, budget=8, deadline=1000)
        assert verdict.decision == "feasible"
        assert forecast.cost is None
        assert forecast.in_budget.low.value < forecast.in_budget.high.value == 1.0

    @pytest.mark.parametrize(
        ("figures", "code"), [({"latency": None}, "unknown_latency"), ({"failures": None}, "unknown_failure")]
    )
    def test_latency_and_failures_likewise(self, figures, code):
        forecast, verdict = decide(chain(2), catalog(skill(**figures)))
        assert verdict.decision == "undetermined"
        assert {reason.code for reason in verdict.reasons} == {code}
        assert [u.pointer for u in forecast.unknowns] == ["/steps/0", "/steps/1"]

    def test_an_unknown_number_of_items_is_never_taken_for_one(self):
        forecast, verdict = decide(
            chain(1, for_each="${secrets.LIST}"), catalog(skill(cost=Constant(3.0))), budget=1
        )
        assert verdict.decision == "undetermined"
        assert {reason.code for reason in verdict.reasons} == {"unknown_items"}
        assert forecast.cost_at_least.p99.value == 0

    def test_what_a_fan_out_gives_has_as_many_items(self):
        first = Step("a", "work", {}, for_each=(1, 2, 3))
        second = Step("b", "work", {}, for_each="${steps.a.output}")
        third = Step("c", "work", {}, for_each="${steps.b.output}")
        known = catalog(skill(cost=Constant(2.0)))
        cost = decide(steps(first, second, third), known)[0].cost
        assert cost
        assert cost.p99.value == 18

    @pytest.mark.parametrize(
        ("first", "over"),
        [
            ({"on_error": OnError("continue")}, "${steps.a.output}"),
            ({"on_error": OnError("fallback", "c")}, "${steps.a.output}"),
            ({"when": When("c", "succeeded")}, "${steps.a.output}"),
            ({"for_each": "${steps.c.output}", "expect": Expect(2, 5)}, "${steps.a.output}"),
            ({"for_each": None}, "${steps.a.output}"),
            ({}, "${steps.a.output.0.of}"),
            ({}, "${steps.c.output}"),
        ],
    )
    def test_but_not_if_it_may_give_anything_else(self, first, over):
        a = Step("a", "work", {}, for_each=(1, 2, 3))._replace(**first)
        plan = steps(Step("c", "work", {}, needs=()), a, Step("b", "work", {}, for_each=over))
        assert {reason.code for reason in decide(plan, catalog(skill()))[1].reasons} == {"unknown_items"}

    def test_the_items_of_an_input_are_counted(self):
        plan = chain(1, for_each="${inputs.urls}")._replace(inputs={"urls": [1, 2, 3]})
        forecast, verdict = decide(plan, catalog(skill(cost=Constant(3.0))), budget=9)
        assert verdict.decision == "feasible"
        assert forecast.typical_cents == 9.0

    def test_an_unknown_wait_decides_nothing(self):
        forecast, verdict = decide(chain(1, approval=2), catalog(skill()), deadline=200)
        assert verdict.decision == "feasible"
        assert forecast.elapsed is None
        assert [(a.step, a.level) for a in verdict.approvals] == [("s0", 2)]


def test_what_is_refused_beforehand_comes_first():
    refused = [Reason("skill_unavailable", "/steps/0/skill", "work is disabled")]
    plan = program(chain(1), catalog(skill()))
    _, verdict, _ = judge(plan, Limits(), samples=100, seed=0, refused=refused)
    assert (verdict.decision, verdict.status) == ("infeasible", "skill_unavailable")


def test_each_step_says_how_often_it_runs_and_what_it_risks():
    plan = steps(Step("a", "shaky", {}, on_error=OnError("fallback", "b")), Step("b", "work", {}))
    forecast, _ = decide(
        plan, catalog(skill("shaky", failures={"BROKEN": 0.3}), skill(latency=Lognormal(10, 1)))
    )
    a, b = forecast.steps
    assert a.runs == 1.0
    assert a.succeeds == 1.0
    assert b.runs == pytest.approx(0.3, abs=0.02)
    (risk,) = forecast.risks
    assert (risk.step, risk.code) == ("a", "BROKEN")
    assert risk.meets == risk.fails == pytest.approx(0.3, abs=0.02)
