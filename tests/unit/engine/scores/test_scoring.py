"""Scores, against their definitions and against forecasts whose quality is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.engine.scores.scoring import (
    GRID,
    brier,
    coverage,
    crps,
    crps_of_point,
    crps_rows,
    log_loss,
    pinball,
    pit,
    quantiles_of,
    score,
)

LEVELS = (np.arange(1000) + 0.5) / 1000
values = st.lists(st.floats(0, 1e6), min_size=1, max_size=40).map(np.array)


@given(quantiles=st.lists(st.floats(0, 1e6), min_size=100, max_size=100).map(sorted), outcomes=values)
def test_crps_is_twice_the_mean_pinball_over_the_grid(quantiles, outcomes) -> None:
    told = np.array(quantiles)
    by_definition = 2 * np.mean([pinball(t, q, outcomes) for t, q in zip(GRID, told, strict=True)])
    assert crps(told, outcomes) == pytest.approx(by_definition, rel=1e-9, abs=1e-6)


@given(point=st.floats(0, 1e6), outcomes=values)
def test_crps_of_a_point_is_its_mean_absolute_error(point: float, outcomes) -> None:
    assert crps(np.full(100, point), outcomes) == pytest.approx(crps_of_point(point, outcomes), abs=1e-6)


def test_crps_of_a_normal_forecast_is_the_known_integral() -> None:
    """CRPS(N(0,1), 0) = 2 phi(0) - 1/sqrt(pi). Source: Gneiting & Raftery (2007), section 4.2."""
    normal = np.sort(np.random.default_rng(0).standard_normal(1_000_000))
    told = np.quantile(normal, GRID)
    assert crps(told, np.zeros(1)) == pytest.approx(2 / np.sqrt(2 * np.pi) - 1 / np.sqrt(np.pi), rel=0.01)


def test_many_forecasts_are_scored_as_one_by_one() -> None:
    rng = np.random.default_rng(1)
    told, outcomes = np.sort(rng.random((5, 100)), axis=1), np.sort(rng.random(30))
    assert crps_rows(told, outcomes) == pytest.approx([crps(row, outcomes) for row in told])


def test_the_true_distribution_scores_best() -> None:
    rng = np.random.default_rng(2)
    outcomes = rng.lognormal(0, 0.5, 20_000)
    true, wide, late = (
        np.quantile(rng.lognormal(mu, sigma, 200_000), GRID) for mu, sigma in ((0, 0.5), (0, 0.9), (0.3, 0.5))
    )
    assert crps(true, outcomes) < min(crps(wide, outcomes), crps(late, outcomes))


def test_pit_of_a_right_forecast_is_uniform_and_of_a_narrow_one_is_not() -> None:
    rng = np.random.default_rng(3)
    outcomes = rng.standard_normal(20_000)
    right, narrow = (np.quantile(rng.standard_normal(200_000) * s, LEVELS) for s in (1.0, 0.5))
    even = np.histogram(pit(right, LEVELS, outcomes), bins=10, range=(0, 1))[0]
    heaped = np.histogram(pit(narrow, LEVELS, outcomes), bins=10, range=(0, 1))[0]
    assert np.abs(even / 2_000 - 1).max() < 0.1
    assert heaped[0] > 4_000
    assert heaped[-1] > 4_000
    assert pit(right, LEVELS, np.array([-99.0, 99.0])).tolist() == [0.0, 1.0]


def test_a_score_says_what_share_was_covered() -> None:
    outcomes = np.arange(0.5, 100.0)
    told = score(np.interp(LEVELS, [0, 1], [0, 100]), LEVELS, outcomes)
    assert (told.in50, told.in90, told.over95, told.over99) == pytest.approx((0.5, 0.9, 0.05, 0.01))
    assert told.p50_error < 0.01
    assert coverage(0, 49.9, outcomes) == 0.5


def test_chances_are_scored_by_what_happened() -> None:
    happened = np.array([1.0, 0.0, 1.0, 1.0])
    assert brier(0.75, happened) == pytest.approx(0.1875)
    assert log_loss(0.75, happened).mean() == pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    assert np.isfinite(log_loss(0.0, happened)).all()


def test_weighted_quantiles_follow_the_weights() -> None:
    heavy = quantiles_of(np.array([3.0, 1.0, 2.0]), np.array([0.5]), np.array([98.0, 1.0, 1.0]))
    assert heavy[0] > 2.9
