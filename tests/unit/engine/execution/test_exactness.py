"""Forecasts against closed forms: within 3 standard errors, or exactly where nothing is random."""

import numpy as np
import pytest
from scipy import stats

from aos.domain.plans.plan import Expect, OnError, Plan, Step, When
from aos.domain.skills.distributions import Constant, Lognormal, Quantiles, Uniform
from aos.domain.skills.skill import Block, Correlation, Donors, Drawn, FailureMode, FanOut, RateLimit
from tests.unit.engine.build import (
    DECLARED,
    catalog,
    chain,
    decide,
    done,
    draw,
    figure,
    near,
    skill,
    steps,
    tries,
)
from tests.unit.engine.execution import reference_loop


def test_a_chain_of_lognormals_has_their_mean_and_variance():
    chunk = draw(chain(10), catalog(skill(latency=Lognormal(100, 0.5))))
    assert near(chunk.time, 10 * 100 * np.exp(0.125))
    variance = 10 * 100**2 * (np.exp(0.25) - 1) * np.exp(0.25)
    kurtosis = stats.kurtosis(chunk.time)
    error = variance * np.sqrt((kurtosis + 2) / len(chunk.time))
    assert abs(chunk.time.var() - variance) < 3 * error


def test_two_in_parallel_take_as_long_as_the_slower_one():
    plan = steps(Step("a", "work", {}, needs=()), Step("b", "work", {}, needs=()))
    chunk = draw(plan, catalog(skill(latency=Uniform(0, 100))))
    assert near(chunk.time, 200 / 3)
    assert near((chunk.time <= 50).astype(float), 0.25)


def test_retries_are_geometric_and_every_try_is_paid():
    p, most = 0.3, 4
    known = catalog(skill(cost=Constant(2.0), failures={"BROKEN": p}, retry=tries(most, 10.0)))
    chunk = draw(chain(1), known)
    tries_made = (1 - p**most) / (1 - p)
    assert near(chunk.success.astype(float), 1 - p**most)
    assert near(chunk.cost / 1e6, 2 * tries_made)
    # Each try but the last fails after 50 ms and waits 10; what succeeds takes 100.
    assert near(chunk.time, 100 * (1 - p**most) + 50 * p * tries_made + 10 * (tries_made - 1))


def test_backoff_grows_and_is_capped():
    always = (FailureMode("DOWN", "TRANSIENT", figure(1.0), figure(Constant(0.0))),)
    policy = tries(4, 100.0, multiplier=3.0)._replace(max_backoff_ms=250.0)
    chunk = draw(chain(1), catalog(skill(failures=always, retry=policy)))
    assert set(chunk.time) == {100.0 + 250.0 + 250.0}


def test_failures_outside_the_policy_are_not_retried():
    never = (FailureMode("GONE", "PERMANENT", figure(1.0), figure(Constant(5.0))),)
    chunk = draw(chain(1), catalog(skill(failures=never, retry=tries(4, 100.0))))
    assert set(chunk.time) == {5.0}
    assert not chunk.success.any()


def test_a_failure_that_is_not_charged_costs_nothing():
    free = (FailureMode("LIMITED", "TRANSIENT", figure(0.5), charged=False),)
    chunk = draw(chain(1), catalog(skill(cost=Constant(7.0), failures=free, retry=tries(2))))
    assert set(chunk.cost[chunk.success] / 1e6) == {7.0}
    assert set(chunk.cost[~chunk.success] / 1e6) == {0.0}


def test_retries_within_an_outage_fail_again():
    outage = FailureMode(
        "DOWN", "TRANSIENT", figure(0.2), figure(Constant(0.0)), outage=figure(Constant(1000.0))
    )
    short = draw(chain(1), catalog(skill(failures=(outage,), retry=tries(3, 100.0))))
    assert near(short.success.astype(float), 0.8)
    long = draw(chain(1), catalog(skill(failures=(outage,), retry=tries(3, 1000.0))))
    assert near(long.success.astype(float), 1 - 0.2**3)


def test_a_timeout_cuts_off_and_fails():
    plan = chain(1, timeout_s=0.05)
    chunk = draw(plan, catalog(skill(latency=Uniform(0, 100))))
    assert near(chunk.success.astype(float), 0.5)
    assert chunk.time.max() == 50.0
    forecast, _ = decide(plan, catalog(skill(latency=Uniform(0, 100))))
    assert [risk.code for risk in forecast.risks] == ["TIMEOUT"]


def test_a_timeout_cuts_failures_short_too():
    chunk = draw(chain(1, timeout_s=0.02), catalog(skill(latency=Constant(5.0), failures={"BROKEN": 0.5})))
    assert set(chunk.time) == {5.0, 20.0}


def test_a_failed_step_stops_what_comes_after_it_and_what_was_spent_is_spent():
    chunk = draw(chain(3), catalog(skill(cost=Constant(1.0), failures={"BROKEN": 0.5})))
    assert near(chunk.cost / 1e6, 1 + 0.5 + 0.25)
    assert near(chunk.success.astype(float), 0.125)
    assert set(chunk.time) == {50.0, 150.0, 250.0, 300.0}


def test_on_error_continue_goes_on():
    plan = steps(Step("a", "bad", {}, on_error=OnError("continue")), Step("b", "work", {}))
    chunk = draw(plan, catalog(skill("bad", failures={"BROKEN": 1.0}), skill()))
    assert chunk.success.all()
    assert set(chunk.time) == {150.0}


def test_a_fallback_stands_in_only_where_its_step_fails():
    plan = steps(
        Step("a", "bad", {}, on_error=OnError("fallback", "b")), Step("b", "dear", {}), Step("c", "work", {})
    )
    known = catalog(
        skill("bad", failures={"BROKEN": 0.4}), skill("dear", Constant(500), Constant(9)), skill()
    )
    chunk = draw(plan, known)
    assert chunk.success.all()
    assert near(chunk.cost / 1e6, 0.4 * 9)
    assert set(chunk.time) == {200.0, 50.0 + 500.0 + 100.0}
    assert decide(plan, known)[0].typical_ms == 200.0


def test_fallbacks_of_fallbacks():
    plan = steps(
        Step("a", "bad", {}, on_error=OnError("fallback", "b")),
        Step("b", "bad", {}, on_error=OnError("fallback", "c")),
        Step("c", "work", {}),
        Step("d", "work", {}),
    )
    chunk = draw(plan, catalog(skill("bad", failures={"BROKEN": 1.0}), skill()))
    assert chunk.success.all()
    assert set(chunk.time) == {50.0 + 50.0 + 100.0 + 100.0}


def test_when_looks_at_the_outcome():
    plan = steps(
        Step("a", "bad", {}, on_error=OnError("continue")),
        Step("good", "work", {}, needs=(), when=When("a", "succeeded")),
        Step("mend", "work", {}, needs=(), when=When("a", "failed")),
        Step("idle", "work", {}, needs=(), when=When("good", "skipped")),
    )
    chunk = draw(plan, catalog(skill("bad", failures={"BROKEN": 0.3}), skill()))
    good, mend, idle = (done(chunk)[i].ran for i in (1, 2, 3))
    assert near(mend.astype(float), 0.3)
    assert (good == ~mend).all()
    assert (idle == mend).all()
    assert set(chunk.time[good]) == {100.0 + 100.0}
    assert set(chunk.time[mend]) == {50.0 + 100.0}
    assert chunk.success.all()


def test_a_watched_failure_still_fails_the_run():
    plan = steps(Step("a", "bad", {}), Step("mend", "work", {}, needs=(), when=When("a", "failed")))
    chunk = draw(plan, catalog(skill("bad", failures={"BROKEN": 1.0}), skill()))
    assert done(chunk)[1].ran.all()
    assert not chunk.success.any()


def test_iterations_follow_each_other_until_one_fails():
    chunk = draw(chain(1, iterations=3), catalog(skill(cost=Constant(1.0), failures={"BROKEN": 0.5})))
    assert near(chunk.success.astype(float), 0.125)
    assert near(chunk.cost / 1e6, 1.75)


def test_items_run_side_by_side():
    chunk = draw(
        chain(1, for_each=tuple(range(5))), catalog(skill(latency=Uniform(0, 100), cost=Constant(1.0)))
    )
    assert near(chunk.time, 100 * 5 / 6)
    assert set(chunk.cost / 1e6) == {5.0}


def test_expected_items_are_drawn():
    plan = chain(1, for_each="${inputs.urls}", expect=Expect(4.0, 8.0))
    width = draw(plan, catalog(skill(cost=Constant(1.0)))).cost / 1e6
    assert np.median(width) == 4.0
    assert np.quantile(width, 0.9) == pytest.approx(8.0, abs=1.0)


def test_slots_make_steps_queue():
    plan = steps(*(Step(f"s{i}", "work", {}, needs=()) for i in range(7)))
    chunk = draw(plan, catalog(skill(pool="desk"), pools={"desk": 3}))
    assert set(chunk.time) == {300.0}


def test_a_rate_limit_spaces_starts():
    plan = steps(*(Step(f"s{i}", "work", {}, needs=()) for i in range(5)))
    chunk = draw(plan, catalog(skill(rate_limit=RateLimit(60, 2))))
    assert set(chunk.time) == {3000.0 + 100.0}


def test_overhead_passes_before_each_step():
    chunk = draw(chain(3), catalog(skill(), overhead=figure(Constant(20.0))))
    assert set(chunk.time) == {360.0}


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_correlated_steps_have_the_variance_of_their_sum(correlation):
    known = catalog(skill(latency=Lognormal(100, 0.3)), correlation=Correlation(run=figure(correlation)))
    chunk = draw(chain(5), known, samples=10_000)
    single = 100**2 * np.exp(0.09)
    shared = np.exp(0.09 * correlation) - 1
    variance = 5 * single * (np.exp(0.09) - 1) + 20 * single * shared
    error = variance * np.sqrt((stats.kurtosis(chunk.time) + 2) / len(chunk.time))
    assert abs(chunk.time.var() - variance) < 3 * error
    assert near(chunk.time, 500 * np.exp(0.045))


def test_siblings_share_more_than_the_run():
    known = catalog(
        skill(latency=Lognormal(100, 0.5)), correlation=Correlation(run=figure(0.1), siblings=figure(0.8))
    )
    plan = steps(*(Step(n, "work", {}, needs=()) for n in "ab"), Step("c", "work", {}, needs=("a", "b")))
    chunk = draw(plan, known)
    a, b, c = (np.log(s.end - s.start) for s in done(chunk))
    assert np.corrcoef(a, b)[0, 1] == pytest.approx(0.8, abs=0.02)
    assert np.corrcoef(a, c)[0, 1] == pytest.approx(0.1, abs=0.04)


def test_people_wait_on_a_clock_of_their_own():
    plan = steps(Step("a", "work", {}), Step("b", "work", {}, approval=3))
    chunk = draw(plan, catalog(skill(), approval_wait=figure(Constant(60_000.0))))
    assert set(chunk.time) == {200.0}
    assert set(chunk.elapsed) == {60_200.0}


def test_a_budget_stops_the_run_before_it_is_passed():
    cheap_or_dear = Quantiles((0.0, 0.4999999, 0.5, 1.0), (1.0, 1.0, 10.0, 10.0))
    forecast, _ = decide(chain(3), catalog(skill(cost=cheap_or_dear)), budget=20)
    # 10c are set aside before each step: only 10 + 10 (a quarter) and 10 + 1 or 1 + 10 (a half) leave too little.
    stop = forecast.budget_stop
    assert stop is not None
    assert abs(stop.chance.value - 0.75) < 3 * stop.chance.se
    assert stop.spent.p99.value <= 20


RARELY_DEAR = Quantiles((0.0, 0.9699999, 0.97, 1.0), (1.0, 1.0, 10.0, 10.0))
"""Of which 1c is set aside: each step can go 9c over it."""


@pytest.mark.parametrize(
    ("plan", "over"),
    [
        (chain(3), 9.0),
        (
            steps(*(Step(n, "work", {}, needs=()) for n in "abc")),
            25.0,
        ),  # 30c at most, of which 5c are within the budget
        (
            steps(
                Step("a", "work", {}),
                Step("b", "work", {}, needs=("a",)),
                Step("c", "work", {}, needs=("a",)),
            ),
            18.0,
        ),
        (chain(3, "free"), 0.0),
        (chain(3, "lottery"), 25.0),  # sets nothing aside, so nothing stops it; and 5c are within the budget
        (chain(1, iterations=2), 9.0),  # 11c of 20c are set aside
        (chain(1, "again"), 25.0),  # three tries of 10c
    ],
)
def test_a_run_goes_over_its_budget_by_what_has_begun(plan: Plan, over: float):
    lottery = Quantiles((0.0, 0.9699999, 0.97, 1.0), (0.0, 0.0, 10.0, 10.0))
    known = catalog(
        skill(cost=RARELY_DEAR),
        skill("free"),
        skill("lottery", cost=lottery),
        skill("again", cost=RARELY_DEAR, failures={"BROKEN": 0.001}, retry=tries(3)),
    )
    forecast, _ = decide(plan, known, budget=5)
    assert (forecast.budget_stop.over_cents if forecast.budget_stop else 0.0) == over


def test_what_no_maximum_bounds_is_named():
    known = catalog(skill(cost=RARELY_DEAR), skill("open", cost=Lognormal(3.0, 0.5)))
    plan = steps(Step("a", "work", {}), Step("b", "open", {}), Step("c", "open", {}))
    stop = decide(plan, known, budget=5)[0].budget_stop
    assert stop is not None
    assert (stop.over_cents, stop.unbounded) == (9.0, ("b", "c"))


def test_a_slow_run_is_slow_in_everything():
    known = catalog(
        skill(failures={"BROKEN": 0.5}, retry=tries(2, 7.0)),
        overhead=figure(Constant(10.0)),
        run_factor=figure(Quantiles((0.0, 0.4999999, 0.5, 1.0), (1.0, 1.0, 3.0, 3.0))),
    )
    chunk = draw(chain(1), known)
    one_try, two_tries, lost = 110.0, 10 + 50 + 100, 10 + 50 + 50
    assert set(chunk.time) == {
        f * t + b for f in (1, 3) for t, b in ((one_try, 0), (two_tries, 7), (lost, 7))
    }
    assert near((chunk.time > 200).astype(float), 0.5)


def test_a_slow_run_meets_its_timeout_more_often():
    known = catalog(skill(latency=Uniform(0, 100)), run_factor=figure(Constant(2.0)))
    chunk = draw(chain(1, timeout_s=0.1), known)
    assert near(chunk.success.astype(float), 0.5)
    assert chunk.time.max() == 100.0


def test_recorded_runs_are_drawn_whole():
    block = Block(
        skills=("work", "work"),
        after=((), (0,)),
        gap_ms=((0.0, 5.0), (1.0, 2.0)),
        time_ms=((100.0, 100.0), (900.0, 900.0)),
        cost_cents=((1.0, 2.0), (3.0, 4.0)),
        failed=((False, False), (False, True)),
        draws=(Drawn(0, 1.0, 1.0, 3.0), Drawn(1, 2.0, 0.5, 1.0)),
        provenance=DECLARED,
    )
    chunk = draw(chain(2), catalog(skill(), blocks=(block,)))
    often, seldom = (chunk.time == 205.0), (chunk.time == 2 * 1803.0)
    assert (often | seldom).all()
    assert near(seldom.astype(float), 0.25)
    assert (chunk.success == often).all()
    assert (chunk.cost == np.where(often, 3_000_000, 3_500_000)).all()
    assert set(draw(chain(3), catalog(skill(), blocks=(block,))).time) == {300.0}


def test_a_donor_lends_to_every_step_of_its_sample():
    times = ((1.0,) * 4, (100.0,) * 8)
    donors = Donors({"work": times}, {"work": times}, bandwidth=np.log(2), slope=1.0, provenance=DECLARED)
    chunk = draw(chain(4), catalog(skill(), donors=(donors,)))
    assert set(chunk.time) == {4.0, 400.0}
    # The second one is twice as long as the plan, one bandwidth away.
    assert near((chunk.time == 400).astype(float), np.exp(-0.5) / (1 + np.exp(-0.5)))
    assert (chunk.cost == chunk.time * 1_000_000).all()
    scaled = donors._replace(slope=0.0)
    assert set(draw(chain(4), catalog(skill(), donors=(scaled,))).time) == {4.0, 800.0}


def test_siblings_of_a_fan_out_start_one_after_the_other():
    law = FanOut(4, Constant(80.0), growth=np.log(2), growth_sd=0.0, stairs=(0.0, 1.0), provenance=DECLARED)
    known = catalog(skill(fan_out=law))
    plan = steps(*(Step(f"s{i}", "work", {}, needs=()) for i in range(8)))
    chunk = draw(plan, known)
    starts = [step.end.min() - 100 for step in done(chunk)]
    np.testing.assert_allclose(starts, [160 * (j + 1) / 8 for j in range(8)], rtol=1e-6)
    np.testing.assert_allclose(chunk.time, 260.0, rtol=1e-6)
    np.testing.assert_allclose(draw(chain(1, for_each=tuple(range(4))), known).time, 180.0, rtol=1e-6)
    assert set(draw(chain(2), known).time) == {200.0}


def test_the_growth_of_a_fan_out_is_uncertain():
    law = FanOut(2, Constant(100.0), growth=0.0, growth_sd=0.5, stairs=(0.0, 1.0), provenance=DECLARED)
    plan = steps(*(Step(f"s{i}", "work", {}, needs=()) for i in range(8)))
    delays = draw(plan, catalog(skill(fan_out=law))).time - 100
    assert np.log(delays / 100).std() == pytest.approx(0.5 * np.sqrt(2), rel=0.02)


def test_a_contended_plan_keeps_the_time_of_an_event_loop():
    after = [(), (), (0,), (0, 1), (1,), (2, 3), (), (4, 6), (5,), (7, 8)]
    plan = steps(*(Step(f"s{i}", "work", {}, needs=tuple(f"s{j}" for j in b)) for i, b in enumerate(after)))
    known = catalog(
        skill(
            latency=Lognormal(100, 1.0),
            failures={"BROKEN": 0.1},
            retry=tries(3, 20.0),
            pool="desk",
            rate_limit=RateLimit(1200, 3),
        ),
        pools={"desk": 2},
    )
    chunk = draw(plan, known, samples=400)
    nodes = [step.items[0][0] for step in done(chunk)]
    for sample in range(400):
        start, end = reference_loop.run(
            after,
            gap=[0.0] * 10,
            hold=[float(node.draw.time[sample]) for node in nodes],
            active=[bool(node.ran[sample]) for node in nodes],
            pool=[0] * 10,
            slots=[2],
            limiter=[0] * 10,
            limits=[(50.0, 3)],
            starts=[int(node.draw.attempts()[sample]) for node in nodes],
        )
        np.testing.assert_allclose([step.start[sample] for step in done(chunk)], start, atol=0.01)
        assert chunk.time[sample] == pytest.approx(max(end), abs=0.01)
