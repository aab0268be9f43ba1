"""What runs cost and take that succeed: of those that fail early nothing is in it."""

from aos.domain.plans.plan import Step
from aos.domain.skills.distributions import Constant
from tests.unit.engine.build import catalog, chain, decide, skill, steps


def test_what_runs_cost_and_take_that_succeed():
    known = catalog(skill(cost=Constant(2.0)), skill("risky", cost=Constant(1.0), failures={"BROKEN": 0.6}))
    plan = steps(Step("a", "risky", {}), Step("b", "work", {}))
    told, _ = decide(plan, known, min_success=0.1)
    assert told.cost
    assert (told.cost.p50.value, told.cost.p90.value) == (1, 3)
    assert told.cost_if_success == (3, 3, 3, 3, 3)
    assert told.time_if_success == (200, 200, 200, 200, 200)


def test_nobody_knows_what_runs_cost_that_succeed_with_a_step_of_unknown_price():
    known = catalog(skill(cost=None), skill("risky", cost=Constant(1.0), failures={"BROKEN": 0.6}))
    told, _ = decide(steps(Step("a", "risky", {}), Step("b", "work", {})), known)
    assert told.cost_if_success is None
    assert told.time_if_success == (200, 200, 200, 200, 200)


def test_nor_which_runs_succeed_where_a_step_fails_nobody_knows_how_often():
    told, _ = decide(chain(2), catalog(skill(failures=None)))
    assert (told.cost_if_success, told.time_if_success) == (None, None)


def test_nothing_is_told_of_runs_that_succeed_where_none_does():
    told, _ = decide(chain(2), catalog(skill(failures={"BROKEN": 1.0})))
    assert (told.cost_if_success, told.time_if_success) == (None, None)
