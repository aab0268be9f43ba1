"""Fits of growth: made together they are what each would be by itself."""

import numpy as np
import pytest

from aos.engine.calibrate.sizes.forms import Asked, Fit, Records, fit_product, fit_sum
from aos.engine.calibrate.sizes.growth import shapes
from aos.engine.calibrate.sizes.squares import least_squares


def world(seed: int, variants: int = 3) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Times of variants that share a growth, and their sizes."""
    rng = np.random.default_rng(seed)
    x = [rng.lognormal(5, 1, (int(rng.integers(30, 90)), 3)) for _ in range(variants)]
    return [(100 + one[:, 0] + one[:, 1]) * rng.lognormal(0, 0.3, len(one)) for one in x], x


def test_times_and_prices_grow_as_if_each_were_learned_by_itself() -> None:
    times, x = world(1)
    prices = [0.01 * one[:, 2] * np.where(np.arange(len(one)) % 3, 1.0, np.nan) for one in x]
    flat = [np.full(len(one), 2.0) for one in x]
    together = shapes([times, prices, flat], x)
    assert together == [shapes([one], x)[0] for one in (times, prices, flat)]
    assert [shape and sorted(shape.chosen) for shape in together] == [[0, 1], [2], None]


@pytest.mark.parametrize("fit", [fit_sum, fit_product])
def test_a_fit_knows_nothing_but_what_it_is_told(fit: Fit) -> None:
    times, x = world(2)
    count = [len(one) for one in x]
    records = Records(
        np.concatenate(times)[None],
        np.ones((1, sum(count)), bool),
        np.concatenate(x).T,
        np.repeat(np.arange(3), count),
        np.cumsum([0, *count[:-1]]),
    )
    value, chosen = np.repeat(records.value, 4, axis=0), np.array([[0, 1], [0, 1], [1, 2], [0, 2]])
    known = np.concatenate([records.first(share) for share in (0.4, 0.8, 0.8, 1.0)])
    together = fit(Asked(records, value, known, chosen))
    spoilt = np.where(known, value, 1e6)
    for i, one in enumerate(together):
        (alone,) = fit(Asked(records, spoilt[i : i + 1], known[i : i + 1], chosen[i : i + 1]))
        assert alone.chosen == one.chosen
        assert np.hstack(list(alone)) == pytest.approx(np.hstack(list(one)), rel=1e-9)


def test_least_squares_are_solved_where_columns_are_alike_and_where_they_are_not() -> None:
    rng = np.random.default_rng(3)
    design = rng.uniform(1, 2, (4, 3, 50))
    design[1, 2] = 2 * design[1, 1]
    wanted = np.array([[1.0, 2, 3], [1, 2, 3], [1, 2, -3], [-1, 2, -3]])
    y = (wanted[:, None] @ design)[:, 0]
    weight = rng.uniform(0.1, 1, y.shape)
    weight[:, ::7] = 0
    found = least_squares(design, np.where(weight > 0, y, 1e9), weight)
    assert found[0] == pytest.approx(wanted[0])
    assert (found[1] @ design[1]) == pytest.approx(y[1])
    assert (found >= 0).all()
    assert (found[2:, 2] == 0).all()
    left = y[2] - found[2] @ design[2]
    assert (design[2, :2] * weight[2]) @ left == pytest.approx(np.zeros(2), abs=1e-9)
