"""Shares of cost, time and failure: they add up, and agree with brute force within its error."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from aos.domain.forecasts.verdicts import Limits
from aos.domain.plans.plan import OnError, Plan, Step
from aos.domain.skills.distributions import Constant, Lognormal, Quantiles, Uniform
from aos.domain.skills.skill import Catalog, FailureMode, RateLimit, Skill
from aos.engine.attribution import attribution, contributions
from aos.engine.execution.program import Program, compile_plan
from aos.engine.simulate import Samples, Simulation
from tests.unit.engine.build import catalog, chain, figure, program, skill, steps, tries

_KINDS = ("cost", "time", "failure")


def shares(plan: Plan, known: Catalog, limits: Limits | None = None, seed: int = 0):
    compiled = program(plan, known)
    (chunk,) = Simulation(compiled, seed).take(10_000)
    return attribution(compiled, chunk, limits or Limits())


def forked(*middle: str) -> Plan:
    """A first step, then the skills of `middle` side by side, then a last step."""
    parallel = [Step(f"m{i}", name, {}, needs=("a",)) for i, name in enumerate(middle)]
    return steps(Step("a", "work", {}), *parallel, Step("z", "work", {}, needs=tuple(s.id for s in parallel)))


def risky(name: str = "work", sigma: float = 0.5, **more: Any) -> Skill:
    return skill(name, Lognormal(100, sigma), Uniform(1, 5), {"BROKEN": 0.1}, **more)


def test_shares_add_up_to_one():
    found = shares(forked("slow", "work"), catalog(risky(), risky("slow", 0.9)), Limits(Decimal("15"), 400.0))
    for kind in (*_KINDS, "over_budget", "late"):
        assert sum(getattr(step, kind) for step in found.steps) == pytest.approx(1), kind


def test_nothing_to_share_is_no_share():
    found = shares(chain(3), catalog(skill(cost=Constant(0.1))), Limits(Decimal(100), 1000.0))
    assert {getattr(step, kind) for step in found.steps for kind in (*_KINDS, "over_budget", "late")} == {0.0}
    assert found.first is None


def test_what_varies_by_less_than_a_square_can_say_is_no_share():
    failures = (FailureMode("BROKEN", "TRANSIENT", figure(0.2), figure(Constant(0.0))),)
    found = shares(chain(2), catalog(skill(latency=Constant(0), failures=failures, retry=tries(2, 1e-200))))
    assert [step.time for step in found.steps] == [0.0, 0.0]


def test_contributions_add_up_to_each_sample():
    plan, known = forked("slow", "work"), catalog(risky(), risky("slow", 0.9))
    compiled = program(plan, known)
    (chunk,) = Simulation(compiled, 0).take(10_000)
    parts = contributions(compiled, chunk)
    np.testing.assert_allclose(parts.cost.sum(axis=0), chunk.cost / 1e6)
    np.testing.assert_allclose(parts.time.sum(axis=0), chunk.time)
    assert (parts.breaks.any(axis=0) == ~chunk.success).all()


def test_a_wait_in_a_queue_is_counted_to_who_waits():
    plan = steps(Step("first", "quick", {}), *(Step(f"s{i}", "work", {}, needs=("first",)) for i in range(4)))
    known = catalog(skill("quick"), skill(pool="desk", rate_limit=RateLimit(60, 3)), pools={"desk": 2})
    compiled = program(plan, known)
    (chunk,) = Simulation(compiled, 0).take(100)
    parts = contributions(compiled, chunk)
    # Three may start at once and two do; the fourth has to wait for a permit.
    assert parts.time[:, 0].tolist() == [100.0, 0.0, 0.0, 0.0, 1100.0]


def spent(plan: Plan, known: Catalog, seed: int = 0) -> dict[str, float]:
    """Ms of the mean time by what they go to: `work`, `slots of desk`."""
    found = shares(plan, known, seed=seed).time
    assert sum(part.share for part in found) == pytest.approx(1)
    return {part.what + (f" of {part.name}" if part.name else ""): part.ms for part in found}


def test_time_that_goes_to_work_alone():
    assert spent(chain(3), catalog(skill())) == {"work": pytest.approx(300)}


def test_waits_for_a_slot_and_for_a_permit_are_told_apart():
    plan = steps(Step("first", "quick", {}), *(Step(f"s{i}", "work", {}, needs=("first",)) for i in range(4)))
    known = catalog(skill("quick"), skill(pool="desk", rate_limit=RateLimit(60, 3)), pools={"desk": 2})
    # The last one gets a slot after 100 ms, and its permit 900 ms later.
    assert spent(plan, known) == pytest.approx({"work": 200, "slots of desk": 100, "rate_limit of work": 900})


def test_a_slot_whose_holder_waits_for_a_permit_is_waited_for_on_account_of_the_rate_limit():
    plan = steps(Step("s", "work", {}, for_each=tuple(range(20))))
    known = catalog(skill(pool="desk", rate_limit=RateLimit(6, 1)), pools={"desk": 2})
    found = spent(plan, known)
    assert sum(found.values()) == pytest.approx(190_100)
    assert found["rate_limit of work"] > 0.98 * 190_000


def test_of_items_the_one_that_ends_last_counts():
    known = catalog(skill(pool="desk"), pools={"desk": 2})
    plan = steps(Step("s", "work", {}, for_each=tuple(range(6)), iterations=2))
    assert spent(plan, known) == pytest.approx({"work": 200, "slots of desk": 400})


def test_time_that_goes_to_trying_again():
    known = catalog(skill(failures={"BUSY": 0.5}, retry=tries(2, 30.0)))
    # Every second attempt fails after 50 ms; half of those that try again succeed after 100.
    found = spent(chain(1), known)
    assert found == pytest.approx({"work": 75, "retries": 0.5 * (30 + 75)}, rel=0.03)


def test_time_that_passes_between_steps():
    known = catalog(skill(overhead=figure(Constant(20.0))))
    assert spent(chain(3), known) == pytest.approx({"work": 300, "overhead": 60})


def test_of_branches_only_the_longer_counts():
    known = catalog(skill(), skill("slow", Constant(300.0), failures={"BUSY": 1.0}, retry=tries(2, 100.0)))
    plan = steps(Step("a", "work", {}, needs=()), Step("b", "slow", {}, needs=()))
    assert spent(plan, known) == pytest.approx({"work": 50, "retries": 150})


def test_all_steps_of_a_chain_are_critical():
    found = shares(chain(4), catalog(skill(latency=Lognormal(100, 0.5))))
    assert [step.critical for step in found.steps] == [1.0] * 4


def test_identical_parallel_steps_share_alike():
    plan = steps(*(Step(n, "work", {}, needs=()) for n in "abc"))
    found = shares(
        plan, catalog(skill(latency=Lognormal(100, 0.5), cost=Uniform(0, 1), failures={"BROKEN": 0.3}))
    )
    for kind in (*_KINDS, "critical"):
        assert [getattr(step, kind) for step in found.steps] == pytest.approx([1 / 3] * 3, abs=0.04), kind


def test_who_ends_together_is_critical_together_and_divides_the_path():
    plan = steps(
        Step("a", "work", {}, needs=()),
        Step("b", "work", {}, needs=()),
        Step("c", "work", {}, needs=("a", "b")),
    )
    compiled = program(plan, catalog(skill()))
    (chunk,) = Simulation(compiled, 0).take(100)
    parts = contributions(compiled, chunk)
    assert parts.time[:, 0].tolist() == [50.0, 50.0, 100.0]
    assert parts.critical.all()


def frozen(plan: Plan, known: Catalog, i: int, seed: int) -> tuple[Samples, Samples]:
    """Two simulations in which step i alone has the same luck."""
    own = {step.id: k for k, step in enumerate(plan.steps)}
    other = {step.id: k if k == i else 1000 + k for k, step in enumerate(plan.steps)}
    pair = [Simulation(compile_plan(plan, known, {}, streams), seed) for streams in (own, other)]
    return tuple(next(simulation.take(10_000)) for simulation in pair)  # type: ignore[return-value]


@pytest.mark.parametrize("what", ["cost", "time"])
def test_in_a_chain_the_share_is_the_first_order_sobol_index(what):
    """Freeze one step's luck and draw the others anew: Cov(Y, Y') / Var(Y) is its index (Sobol 1993)."""
    known = catalog(
        skill("a", Lognormal(100, 0.3), Uniform(0, 3)),
        skill("b", Lognormal(200, 0.5), Uniform(0, 6)),
        skill("c", Uniform(0, 300), Uniform(0, 1), {"BROKEN": 0.3}, retry=tries(12, 50.0)),
    )
    plan = steps(*(Step(n, n, {}) for n in "abc"))
    for i in range(3):
        off = []
        for seed in range(8):
            first, second = frozen(plan, known, i, seed)
            index = np.corrcoef(getattr(first, what), getattr(second, what))[0, 1]
            off.append(getattr(shares(plan, known, seed=seed).steps[i], what) - index)
        assert abs(np.mean(off)) < 3 * np.std(off) / np.sqrt(len(off)) + 0.005


def walked(compiled: Program, chunk: Samples, sample: int) -> dict[int, float]:
    """What each step adds to the critical path of one sample, step by step from the end."""
    assert chunk.steps is not None
    ends = [step.end[sample] for step in chunk.steps]
    at, added = int(np.argmax(ends)), {}
    while True:
        before = compiled.order.waits_for[at]
        ready = max((ends[b] for b in before), default=0.0)
        added[at] = ends[at] - ready
        if not before:
            return added
        at = max(before, key=lambda b: ends[b])


def test_time_shares_agree_with_walking_every_path():
    plan, known = (
        forked("slow", "work", "slow"),
        catalog(risky(retry=tries(3)), risky("slow", 0.9, retry=tries(3))),
    )
    compiled = program(plan, known)
    (chunk,) = Simulation(compiled, 0).take(2_000)
    added = np.zeros((len(plan.steps), 2_000))
    for sample in range(2_000):
        for step, ms in walked(compiled, chunk, sample).items():
            added[step, sample] = ms
    covariances = np.cov(added)
    found = attribution(compiled, chunk, Limits()).steps
    assert [step.time for step in found] == pytest.approx(covariances.sum(axis=1) / covariances.sum())
    assert [step.critical for step in found] == pytest.approx((added > 0).mean(axis=1))


def test_failures_are_counted_to_the_first_that_stops_the_run():
    plan = steps(
        Step("late", "slow", {}, needs=()),
        Step("early", "quick", {}, needs=()),
        Step("shrug", "quick", {}, needs=(), on_error=OnError("continue")),
        Step("after", "quick", {}, needs=("early",)),
    )
    never = {"BROKEN": 1.0}
    known = catalog(skill("slow", failures=never, retry=tries(3)), skill("quick", failures=never))
    assert [step.failure for step in shares(plan, known).steps] == [0.0, 1.0, 0.0, 0.0]


def test_a_fallback_that_fails_is_its_owners_failure():
    plan = steps(
        Step("a", "bad", {}, on_error=OnError("fallback", "b")),
        Step("b", "bad", {}),
        Step("c", "work", {}),
    )
    known = catalog(skill("bad", failures={"BROKEN": 0.5}), skill(failures={"BROKEN": 0.5}))
    failure = [step.failure for step in shares(plan, known).steps]
    # a and b fail in a quarter of runs, c in half of the rest.
    assert failure == pytest.approx([0.25 / 0.625, 0.0, 0.375 / 0.625], abs=0.02)


def test_a_fallback_that_may_fail_breaks_nothing():
    plan = steps(
        Step("a", "bad", {}, on_error=OnError("fallback", "b")),
        Step("b", "bad", {}, on_error=OnError("continue")),
        Step("c", "bad", {}),
    )
    found = shares(plan, catalog(skill("bad", failures={"BROKEN": 1.0})))
    assert [step.failure for step in found.steps] == [0.0, 0.0, 1.0]


def test_the_overrun_belongs_to_the_step_that_jumps():
    plan = steps(Step("steady", "steady", {}), Step("jumpy", "jumpy", {}))
    dear = Quantiles((0.0, 0.8999999, 0.9, 1.0), (10.0, 10.0, 60.0, 60.0))
    known = catalog(skill("steady", cost=Constant(50.0)), skill("jumpy", cost=dear))
    found = shares(plan, known, Limits(Decimal(100)))
    assert [step.over_budget for step in found.steps] == pytest.approx([0, 1])
    assert found.first is not None
    assert (found.first.step, found.first.danger) == ("jumpy", "over_budget")
    assert (found.first.chance, found.first.share) == (pytest.approx(0.1, abs=0.01), pytest.approx(1))


def test_of_a_limit_that_is_always_broken_each_has_its_part_of_the_whole():
    plan = steps(Step("a", "cheap", {}), Step("b", "dear", {}))
    known = catalog(skill("cheap", cost=Constant(10.0)), skill("dear", cost=Constant(30.0)))
    found = shares(plan, known, Limits(Decimal(8)))
    assert [step.over_budget for step in found.steps] == pytest.approx([0.25, 0.75])


def test_the_fix_is_for_the_danger_that_uses_up_most_of_what_is_tolerated():
    plan = steps(Step("fails", "fails", {}), Step("slow", "slow", {}))
    known = catalog(skill("fails", failures={"BROKEN": 0.2}), skill("slow", Uniform(0, 100)))
    assert shares(plan, known, Limits(None, 1000.0)).first[:2] == ("fails", "failure")
    # A fifth of runs fail where half may; about a tenth are late where a tenth may be.
    assert shares(plan, known, Limits(None, 188.0)).first[:2] == ("slow", "late")
