"""Experts: how much each value counts, where the level is now, and quantiles that rise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.engine.calibrate.skill.experts import EXPERTS, MEASURED, Prior, local_level, quantiles, recencies
from aos.engine.scores.scoring import GRID, quantiles_of
from tests.unit.engine.calibrate.recorded import DAY


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=40), st.floats(1e-3, 1e3))
def test_recent_values_count_most_and_the_newest_three_about_alike(days: list[int], unit: float) -> None:
    when = np.sort(days).astype(float)
    shares = recencies(when)
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(shares)))
    assert (np.diff(shares, axis=1) >= 0).all()
    assert (shares[:, -3:] >= 0.5 * shares[:, -1:] * (1 - 1e-9)).all()
    assert recencies(5 + when * unit) == pytest.approx(shares, rel=1e-3, abs=1e-6)


def test_evenly_spaced_values_age_by_one_each() -> None:
    age = np.arange(199.0, -1, -1)
    expected = 2 ** (-age / (0.06 * 200))
    assert recencies(np.arange(200.0) * DAY)[5] == pytest.approx(expected / expected.sum())


def test_experts_that_move_values_move_them_to_the_level_there_is_now() -> None:
    level = np.exp(np.linspace(0, 3, 300))
    told = quantiles(100 * level, np.arange(300.0), Prior(0.1, 5.0, 0.0, 1.0), np.array([0.5]))
    plain, *moved = told[0, 0], *told[MEASURED - 12 : MEASURED - 8, 0]
    assert plain == pytest.approx(100 * np.exp(1.5), rel=0.02)
    assert moved == pytest.approx([100 * np.exp(3)] * 4, rel=0.15)


@given(st.lists(st.tuples(st.floats(1e-3, 1e6), st.floats(0, 1e12)), min_size=2, max_size=60))
def test_the_quantiles_of_every_expert_rise(dated: list[tuple[float, float]]) -> None:
    series, when = np.array(dated).T
    told = quantiles(series, np.sort(when), Prior(0.1, 5.0, 0.0, 1.0), GRID)
    assert told.shape == (EXPERTS, len(GRID))
    assert (np.diff(told, axis=1) >= -1e-9 * np.abs(told[:, 1:])).all()


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=60))
def test_the_plainest_expert_tells_the_values_as_they_are(series: list[float]) -> None:
    when = np.arange(float(len(series)))
    plainest = quantiles(np.array(series), when, Prior(0.09, 5.0, 3.0, 1.0), GRID)[0]
    assert plainest == pytest.approx(quantiles_of(np.array(series), GRID, np.ones(len(series))))


@given(st.integers(1, 400))
def test_the_running_level_goes_through_the_medians_of_blocks(count: int) -> None:
    logs = np.random.default_rng(count).normal(size=count)
    size = max(8, int(0.06 * count))
    blocks = np.split(logs, np.linspace(0, count, max(1, count // size) + 1).astype(int)[1:-1])
    ends = np.cumsum([len(block) for block in blocks])
    centres = ends - [(len(block) + 1) / 2 for block in blocks]
    expected = np.interp(np.arange(count), centres, [np.median(block) for block in blocks])
    assert local_level(logs) == pytest.approx(expected)
