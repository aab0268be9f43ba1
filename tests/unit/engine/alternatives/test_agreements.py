"""More slots and higher rate limits, which others would have to agree to: the least that is enough."""

import pytest

from aos.domain.forecasts.alternatives import Agreement
from aos.domain.forecasts.forecast import Forecast
from aos.domain.forecasts.verdicts import Limits, Reason, Verdict
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.distributions import Constant, Uniform
from aos.domain.skills.skill import Catalog, RateLimit
from aos.engine.alternatives.agreements import agreed
from aos.engine.execution.program import compile_plan
from aos.engine.simulate import Simulation
from tests.unit.engine.alternatives.offering import kinds, offers, only
from tests.unit.engine.build import catalog, skill, steps, tries


def items(count: int, name: str = "work") -> Plan:
    """One step, that many calls side by side."""
    return steps(Step("s", name, {}, for_each=tuple(range(count))))


def limited(per_minute: float, burst: int = 1) -> Catalog:
    """A skill of 100 ms that so many calls a minute may be made of."""
    return catalog(skill(rate_limit=RateLimit(per_minute, burst)))


def test_the_least_rate_that_is_enough():
    # 39 waits of 60/24 s: with 23 calls a minute it would take 101.8 s.
    offer = only("raise_rate_limit", offers(items(40), limited(6), deadline=100_000))
    assert offer.summary == "work: 24 calls a minute instead of 6"
    assert offer.agreed == (Agreement("per_minute", "work", 6, 24),)
    assert offer.outlook.time_p50 == pytest.approx(39 * 2_500 + 100)
    assert offer.assumes == "the provider of work allows it"


def test_it_is_no_change_of_the_plan():
    offer = only("raise_rate_limit", offers(items(40), limited(6), deadline=100_000))
    assert (offer.plan, offer.patch, offer.flags) == (items(40), (), ())
    assert not offer.changes_meaning
    assert not offer.in_plan


@pytest.mark.parametrize(("deadline", "needs"), [(3_000_000, 0.8), (550_000, 5), (60_000, 40)])
def test_rates_are_whole_numbers_from_one_on(deadline: float, needs: float):
    found = only("raise_rate_limit", offers(items(40), limited(0.5), deadline=deadline))
    assert found.agreed[0].needs == needs


def test_the_least_slots_that_are_enough():
    known = catalog(skill(pool="desk"), pools={"desk": 2})
    offer = only("add_slots", offers(items(8), known, deadline=250))
    assert offer.summary == "desk: 4 slots instead of 2"
    assert offer.agreed == (Agreement("slots", "desk", 2, 4),)
    assert offer.outlook.time_p50 == pytest.approx(200)


def test_where_slots_are_held_by_who_waits_for_a_permit_the_permits_are_what_is_missing():
    known = catalog(skill(pool="desk", rate_limit=RateLimit(6, 1)), pools={"desk": 2})
    assert kinds(offers(items(20), known, deadline=20_000)) == ["move_deadline", "raise_rate_limit"]


def test_two_agreements_where_neither_is_enough():
    known = catalog(
        skill(pool="desk", latency=Constant(1_000.0), rate_limit=RateLimit(50, 1)), pools={"desk": 1}
    )
    (offer,) = (o for o in offers(items(10), known, deadline=3_500) if len(o.agreed) == 2)
    assert offer.kind == "two_changes"
    assert {one.setting for one in offer.agreed} == {"slots", "per_minute"}


def test_a_limit_that_binds_only_once_another_is_raised_is_raised_with_it():
    # Ten a minute keep two slots from ever being short; with enough of them, 20 calls of 2 s need 7 slots for 6 s.
    known = catalog(
        skill(pool="desk", latency=Constant(2_000.0), rate_limit=RateLimit(10, 1)), pools={"desk": 2}
    )
    (offer,) = (o for o in offers(items(20), known, deadline=12_000) if o.agreed)
    assert offer.kind == "two_changes"
    needs = {one.setting: one.needs for one in offer.agreed}
    assert set(needs) == {"slots", "per_minute"}
    assert offer.outlook.time_p95 is not None
    assert offer.outlook.time_p95 <= 12_000
    for less in (
        {"slots": needs["slots"] - 1, "per_minute": 1_000.0},
        {"slots": needs["slots"], "per_minute": 0.9 * needs["per_minute"]},
    ):
        limits = tuple(one._replace(needs=less[one.setting]) for one in offer.agreed)
        program = agreed(compile_plan(items(20), known, {}), limits)
        (chunk,) = Simulation(program, seed=0).take(100)
        assert chunk.time.max() > 12_000


def test_nothing_is_to_be_agreed_where_nobody_waits():
    known = catalog(skill(pool="desk", rate_limit=RateLimit(600, 50)), pools={"desk": 8})
    assert kinds(offers(items(8), known, deadline=50)) == ["move_deadline"]


def test_nor_where_it_would_not_do():
    assert kinds(offers(items(40), limited(6), deadline=50)) == ["move_deadline"]


def test_nor_what_the_rules_deny():
    def within_two_minutes(plan: Plan, limits: Limits, forecast: Forecast, verdict: Verdict) -> Verdict:
        denied = Verdict("infeasible", "permission_denied", (Reason("permission_denied", "", "denied"),), ())
        return verdict if forecast.time and forecast.time.p95.value <= 120_000 else denied

    def never(plan: Plan, limits: Limits, forecast: Forecast, verdict: Verdict) -> Verdict:
        return within_two_minutes(plan, limits, forecast._replace(time=None), verdict)

    aim = {"deadline_ms": 120_000.0, "confidence": 0.95}
    found = offers(items(40), limited(6), deadline=150_000, aim=aim, rules=within_two_minutes)
    assert only("raise_rate_limit", found).agreed[0].needs == 20
    assert offers(items(40), limited(6), deadline=150_000, aim=aim, rules=never) == []


def test_it_comes_behind_changes_that_keep_the_meaning_and_before_those_that_do_not():
    plan = steps(*(Step(name, "work", {}) for name in "abc"))
    known = limited(60)
    found = kinds(offers(plan, known, deadline=1_900))
    assert found.index("move_deadline") < found.index("raise_rate_limit") < found.index("drop_step")


def test_a_change_of_the_plan_that_keeps_its_meaning_comes_first():
    # Half the attempts are cut off, and each that is made again takes one more permit.
    plan = steps(Step("s", "work", {}, for_each=tuple(range(5)), timeout_s=0.1))
    known = catalog(skill(latency=Uniform(50, 150), rate_limit=RateLimit(6, 1), retry=tries(4)))
    found = kinds(offers(plan, known, deadline=41_000))
    assert found.index("raise_timeout") < found.index("raise_rate_limit")


def test_one_change_of_the_plan_and_one_that_others_agree_to():
    plan = steps(
        Step("a", "work", {}),
        Step("b", "work", {}),
        Step("c", "quick", {"of": "${steps.a.output}${steps.b.output}"}),
    )
    known = catalog(skill("quick"), skill(latency=Constant(30_000.0), rate_limit=RateLimit(1, 1)))
    (offer,) = (o for o in offers(plan, known, deadline=50_000) if o.kind == "two_changes")
    assert offer.summary.startswith("run b beside a; and work: ")
    assert offer.patch
    assert offer.agreed
    assert not offer.in_plan
