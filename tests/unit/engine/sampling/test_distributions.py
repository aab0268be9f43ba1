"""Tables of distributions, against closed forms."""

import numpy as np
import pytest
from scipy import stats

from aos.domain.skills.distributions import Constant, Lognormal, Quantiles, Tail, Uniform
from aos.engine.sampling.distributions import (
    SIZE,
    at_ranks,
    normal_scores,
    quantile_table,
    quantiles,
    ranks_of,
    sum_table,
)


def test_normal_scores_are_the_normal_quantiles():
    expected = stats.norm.ppf((np.arange(SIZE) + 0.5) / SIZE)
    np.testing.assert_allclose(normal_scores(), expected, rtol=1e-12, atol=1e-13)


def test_ranks_find_their_way_back_from_scores():
    every = np.arange(SIZE)
    assert np.abs(ranks_of(normal_scores()).astype(int) - every).max() <= 16


def test_a_tail_goes_on_as_a_generalised_pareto():
    table = quantile_table(Quantiles((0.0, 0.9), (0.0, 90.0), Tail(0.2, 10.0)))
    level = (SIZE - 0.5) / SIZE
    expected = 90 + stats.genpareto.ppf((level - 0.9) / 0.1, 0.2, scale=10)
    assert table[-1] == pytest.approx(expected, rel=1e-6)


def test_sums_of_tables_have_the_mean_of_the_sum():
    total = sum_table(quantile_table(Lognormal(10, 0.5)), quantile_table(Uniform(0, 4)))
    assert total.mean() == pytest.approx(10 * np.exp(0.125) + 2, rel=1e-3)


@pytest.mark.parametrize("count", [1, 328, 9_830, SIZE])
@pytest.mark.parametrize(
    "distribution",
    [
        Constant(7.0),
        Uniform(-1, 3),
        Lognormal(500, 0.6),
        Quantiles((0, 0.5, 0.9), (1, 2, 9), Tail(3, 0.2)),
    ],
)
def test_few_quantiles_are_those_of_the_table(distribution, count):
    assert quantiles(distribution, count).tobytes() == at_ranks(quantile_table(distribution), count).tobytes()
