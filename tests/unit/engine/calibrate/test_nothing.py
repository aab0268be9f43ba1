"""What is recorded as 0: a clock of whole seconds, a queue that was empty, a call that was free."""

from array import array

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aos.api.forecast.outcomes import outcomes
from aos.api.learning.calibrate import calibrate
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.skill import Catalog
from aos.engine.calibrate.skill import times
from aos.engine.execution.outcomes import Outcomes
from tests.unit.engine.calibrate.recorded import DAY, EPOCH, Row, records, singles


def forecast(rows: list[Row], *skills: str) -> Outcomes:
    """A chain of the skills."""
    catalog = calibrate(records(rows), base=Catalog({})).catalog
    steps = (Step(f"s{i}", skill, {}, needs=(f"s{i - 1}",) if i else ()) for i, skill in enumerate(skills))
    return outcomes(Plan(tuple(steps)), catalog, samples=8_000)


def often_nothing(seed: int, n: int, share: float, typical: float = 4_000.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(n) < share, 0.0, typical * np.exp(0.4 * rng.standard_normal(n)))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_nothing_is_told_as_often_as_it_was_recorded_and_the_rest_as_it_is(share: float) -> None:
    recorded = often_nothing(1, 600, share)
    told = forecast(singles(recorded), "work").time
    assert (told == 0).mean() == pytest.approx((recorded == 0).mean(), abs=0.02)
    assert np.median(told[told > 100]) == pytest.approx(4_000, rel=0.15)
    assert not np.count_nonzero((told > 0) & (told < 400)) > 0.01 * len(told)


def test_a_clock_of_whole_seconds_tells_the_mean_time_of_a_chain() -> None:
    rng = np.random.default_rng(2)
    rows = []
    for i in range(400):
        at = EPOCH + i * DAY / 24 + rng.uniform(0, 1_000)
        for k, took in enumerate(rng.gamma(4, 80, 3)):
            second = (1_000 * np.floor(np.array([at, at + took]) / 1_000)).tolist()
            begin, end = second
            rows.append(Row(f"r{i}", f"s{k}", f"do{k}", begin, end, after=f"s{k - 1}" if k else ""))
            at += took
    assert forecast(rows, "do0").time.mean() == pytest.approx(320, rel=0.15)
    assert forecast(rows, "do0", "do1", "do2").time.mean() == pytest.approx(960, rel=0.1)


def test_what_never_took_any_time_takes_none() -> None:
    told = forecast(singles([0.0] * 20), "work", "work")
    assert not told.time.any()


def test_microseconds_are_told_as_such() -> None:
    times = 0.02 * np.exp(0.1 * np.random.default_rng(3).standard_normal(200))
    rows = [Row(f"r{i}", "s", "work", 0.0, took) for i, took in enumerate(times)]
    assert np.median(forecast(rows, "work").time) == pytest.approx(0.02, rel=0.05)


def test_a_call_that_is_free_for_one_in_three_is_so_in_the_forecast() -> None:
    rng = np.random.default_rng(4)
    paid = np.where(rng.random(300) < 1 / 3, 0.0, rng.lognormal(np.log(5.0), 0.2, 300))
    rows = [row._replace(cost=cost) for row, cost in zip(singles([100.0] * 300), paid.tolist(), strict=True)]
    cost = np.asarray(forecast(rows, "work").cost, float)
    assert (cost == 0).mean() == pytest.approx((paid == 0).mean(), abs=0.02)
    assert np.median(cost[cost > 0.5]) == pytest.approx(5, rel=0.1)


def test_a_stated_size_tells_how_long_it_takes_where_it_takes_any_time() -> None:
    rng = np.random.default_rng(5)
    size = rng.uniform(100, 1_000, 400)
    took = np.where(rng.random(400) < 0.5, 0.0, 2 * size * np.exp(0.05 * rng.standard_normal(400)))
    known = records(singles(took))._replace(features={"size": array("d", size)})
    catalog = calibrate(known, base=Catalog({})).catalog
    told = outcomes(Plan((Step("s", "work", {"size": 700}),)), catalog, samples=4_000).time
    assert (told == 0).mean() == pytest.approx(0.5, abs=0.06)
    assert np.median(told[told > 0]) == pytest.approx(1_400, rel=0.05)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_runs_that_took_no_time_are_drawn_as_often(share: float) -> None:
    rng = np.random.default_rng(6)
    rows = []
    for i, busy in enumerate(rng.random(300) >= share):
        at, took = EPOCH + i * DAY / 24, 1_000.0 * busy * rng.uniform(0.8, 1.2)
        rows.append(Row(f"r{i}", "a", "ask", at, at + took))
        rows.append(Row(f"r{i}", "b", "tell", at + took, at + 2 * took, after="a"))
    told = forecast(rows, "ask", "tell").time
    assert (told == 0).mean() == pytest.approx(share, abs=0.06)
    assert share == 1 or np.median(told[told > 0]) == pytest.approx(2_000, rel=0.1)


def test_runs_that_take_their_time_of_late_are_told_to_go_on_so() -> None:
    rows = []
    for i in range(300):
        at, took = EPOCH + i * DAY / 24, 1_000.0 * (i % 2 if i < 240 else 1)
        rows.append(Row(f"r{i}", "a", "ask", at, at + took))
        rows.append(Row(f"r{i}", "b", "tell", at + took, at + 2 * took, after="a"))
    assert (forecast(rows, "ask", "tell").time == 0).mean() < 0.1


def test_siblings_that_took_no_time_show_no_limit() -> None:
    rows = []
    for i in range(12):
        at = EPOCH + i * DAY
        rows.append(Row(f"r{i}", "a", "ask", at, at + 1_000))
        rows += [Row(f"r{i}", f"b{k}", "tell", at + 1_000, at + 1_000, after="a") for k in range(3)]
    catalog = calibrate(records(rows), base=Catalog({})).catalog
    assert not catalog.pools
    steps = (Step("a", "ask", {}), *(Step(f"b{k}", "tell", {}, needs=("a",)) for k in range(3)))
    assert np.median(outcomes(Plan(steps), catalog, samples=1_000).time) == pytest.approx(1_000, rel=0.02)


@settings(max_examples=15)
@given(st.lists(st.lists(st.sampled_from([0.0, 1.0, 50.0, 1e6]), max_size=12), min_size=1, max_size=4))
def test_no_forecast_falls_or_is_below_nothing(series: list[list[float]]) -> None:
    values = [np.array(one, np.float64) for one in series]
    names = [(str(j),) for j in range(len(values))]
    found = times.fit(values, [np.arange(float(len(v))) for v in values], names)
    for told in [found.quantiles(j) for j in range(len(values))] if found else []:
        assert (np.diff(told) >= 0).all()
        assert told[0] >= 0
        assert np.isfinite(told).all()
