"""What has changed as it never did before is believed soon; what is steady, or has changed so before, is left alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.api.forecast.outcomes import outcomes
from aos.api.learning.calibrate import calibrate
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.skill import Catalog
from aos.engine.calibrate.skill.jumps import chance, of_chance, of_level, quantiles
from aos.engine.calibrate.table import Flags
from aos.engine.sampling.distributions import Floats
from tests.unit.engine.calibrate.recorded import DAY, EPOCH, NAN, Row, records, singles

SEEDS = range(40)
TWICE = np.log(2)


def hourly(values: Floats | Flags) -> Floats:
    return np.arange(float(len(values)))


def noise(seed: int, n: int) -> Floats:
    return np.random.default_rng(seed).normal(0, 0.3, n)


# -- levels ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [1.0, -1.0])
def test_a_level_that_left_what_there_was_is_found_where_it_did(by: float) -> None:
    for seed in SEEDS:
        logs = noise(seed, 230)
        logs[-30:] += by
        jump = of_level(logs, hourly(logs))
        assert jump is not None
        assert 20 <= jump.size <= 42


@pytest.mark.parametrize("n", [20, 60, 230, 1000])
def test_a_steady_level_never_jumps(n: int) -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        for logs in (rng.normal(0, 0.3, n), rng.standard_t(3, n), np.where(rng.random(n) < 0.4, 2.0, 0.0)):
            assert of_level(logs, hourly(logs)) is None


def test_a_level_that_comes_and_goes_is_left_to_the_pool() -> None:
    logs = 0.1 * noise(0, 200) + np.where(np.arange(200) % 40 >= 30, TWICE, 0.0)
    assert of_level(logs, hourly(logs)) is None
    logs[:-10] = 0.1 * noise(0, 190)
    assert of_level(logs, hourly(logs)) is not None


def test_a_level_that_moves_on_as_it_always_did_is_left_to_the_pool() -> None:
    logs = 0.01 * noise(0, 200) + 0.2 * (np.arange(200) // 20)
    logs[-20:] -= 0.05
    assert of_level(logs, hourly(logs)) is None


def test_a_move_within_what_there_was_is_left_to_the_pool() -> None:
    logs = noise(0, 400)
    logs[-60:] += 0.3
    assert of_level(logs, hourly(logs)) is None


def test_what_never_varied_has_no_level_to_leave_until_it_does() -> None:
    same = np.ones(60)
    assert of_level(same, hourly(same)) is None
    same[-6:] = 2
    jump = of_level(same, hourly(same))
    assert jump is not None
    assert jump.size == 6


def test_the_longer_it_has_lasted_the_more_it_is_believed() -> None:
    trust = []
    for size in (8, 15, 30, 50):
        logs = 0.1 * noise(1, 250)
        logs[-size:] += TWICE
        jump = of_level(logs, hourly(logs))
        assert jump is not None
        trust.append(jump.trust)
    assert trust == sorted(trust)
    assert 0.5 < trust[0] < trust[-1] < 0.95


def test_many_records_of_one_moment_have_lasted_for_a_moment() -> None:
    logs = 0.1 * noise(1, 250)
    logs[-29:] += TWICE
    when = np.r_[np.arange(221.0), 221 + np.linspace(0, 1e-3, 29)]
    jump = of_level(logs, when)
    assert jump is not None
    assert jump.trust < 0.01


def test_the_shape_stays_and_its_level_is_the_new_one() -> None:
    logs = 5 + noise(2, 230)
    logs[-30:] += 2 * TWICE
    jump = of_level(logs, hourly(logs))
    assert jump is not None
    low, middle, high = np.log(quantiles(np.exp(logs), jump, np.array([0.05, 0.5, 0.95])))
    assert middle == pytest.approx(5 + 2 * TWICE, abs=0.15)
    assert high - low == pytest.approx(2 * 1.645 * 0.3, rel=0.25)


@given(st.lists(st.floats(-30, 30), max_size=60), st.lists(st.booleans(), max_size=60), st.data())
def test_nothing_that_was_recorded_is_in_its_way(
    logs: list[float], happened: list[bool], data: st.DataObject
) -> None:
    values, flags = np.array(logs), np.array(happened, bool)
    when = np.sort(data.draw(st.lists(st.floats(0, 1e12), min_size=len(logs), max_size=len(logs))))
    if jump := of_level(values, when) if logs else None:
        assert 0 < jump.trust < 1
        told = quantiles(np.exp(values), jump, np.array([0.01, 0.5, 0.99]))
        assert (np.diff(told) >= 0).all()
    if happened:
        assert 0 <= chance(0.5, flags, hourly(flags)) <= 1


# -- chances --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.0, 0.01, 0.1, 0.5, 1.0])
def test_a_steady_chance_never_jumps(p: float) -> None:
    for seed in SEEDS:
        happened = np.random.default_rng(seed).random(300) < p
        assert of_chance(happened, hourly(happened)) is None


@pytest.mark.parametrize(("before", "since"), [(0.01, 0.5), (0.6, 0.0)])
def test_a_chance_that_has_changed_is_told_as_it_is_since(before: float, since: float) -> None:
    told = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        happened = np.r_[rng.random(200) < before, rng.random(30) < since]
        told.append(chance(float(happened.mean()), happened, hourly(happened)))
    assert np.mean(told) == pytest.approx(since, abs=0.12)


@pytest.mark.parametrize("lately", [40, 400])
def test_a_storm_that_is_over_is_no_chance_of_now(lately: int) -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        happened = np.r_[rng.random(1_000) < 0.01, rng.random(60) < 0.6, rng.random(lately) < 0.01]
        overall = float(happened.mean())
        assert chance(overall, happened, hourly(happened)) == overall


def test_a_level_that_has_come_back_has_not_jumped() -> None:
    for seed in SEEDS:
        logs = noise(seed, 600)
        logs[300:500] += TWICE
        assert of_level(logs, hourly(logs)) is None


def test_outages_that_came_before_may_come_again() -> None:
    happened = np.arange(200) % 40 >= 34
    assert of_chance(happened, hourly(happened)) is None


# -- forecasts ------------------------------------------------------------------------------------------------------


def forecast(rows: list[Row], *names: str) -> tuple[float, float]:
    """Of one step each the median of its time, and the chance that all succeed."""
    catalog = calibrate(records(rows), base=Catalog({})).catalog
    told = outcomes(Plan(tuple(Step(name, name, {}) for name in names)), catalog, samples=4_000)
    return float(np.median(told.time[told.success])), float(told.success.mean())


def test_thirty_runs_are_enough_to_believe_that_a_skill_takes_twice_as_long() -> None:
    times = 100 * np.exp(0.5 * noise(3, 230))
    times[-30:] *= 2
    time, _ = forecast(singles(times), "work")
    assert time == pytest.approx(200, rel=0.1)


def failing(n: int, since: int, steps: int = 1) -> list[Row]:
    """Runs of steps one after the other, an hour apart; the last step of the last ones fails twice in three."""
    return [
        Row(
            str(i),
            name := f"s{k}",
            name,
            at := EPOCH + i * DAY / 24 + 100 * k,
            at + 100,
            NAN,
            "DOWN" if k == steps - 1 and i >= since and i % 3 else "",
            f"s{k - 1}" if k else "",
        )
        for i in range(n)
        for k in range(steps)
    ]


@pytest.mark.parametrize("steps", [1, 2])
def test_thirty_runs_are_enough_to_believe_that_two_of_three_fail(steps: int) -> None:
    names = [f"s{k}" for k in range(steps)]
    _, success = forecast(failing(230, 200, steps), *names)
    assert success == pytest.approx(0.42, abs=0.07)
    _, steady = forecast(failing(230, 230, steps), *names)
    assert steady > 0.99
