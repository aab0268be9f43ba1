"""Growth as a product of powers: found in worlds made so, not in others, and what comes of it in a forecast."""

from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from aos.api.forecast.outcomes import outcomes
from aos.api.forecast.simulate import simulate
from aos.api.learning.calibrate import calibrate
from aos.domain.learning.calibration import Calibration
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.distributions import Constant, Distribution, Uniform
from aos.domain.skills.skill import MAX_MS, Catalog, Feature, Figure, Growth, Power, PowerGrowth, Provenance
from aos.engine.calibrate.sizes.forms import Product, Sum
from tests.unit.engine.calibrate.recorded import records, shape, singles

ROOT, SQUARE = 0.5, 2.0
"""An attempt on r rows and p pages takes about r^ROOT x p^SQUARE ms, in records made here."""


class World:
    """Records of attempts on rows and pages, every second one by a variant that takes `slower` times as long."""

    def __init__(self, count: int, slower: float = 1.0, noise: float = 0.2, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.rows, self.pages = rng.lognormal(7, 1, count), rng.uniform(1, 9, count)
        self.slow = np.arange(count) % 2 == 0
        self.times = self.rows**ROOT * self.pages**SQUARE * rng.lognormal(0, noise, count)
        self.times[self.slow] *= slower

    def learned(self) -> Calibration:
        made = [
            row._replace(region="slow" if slow else "fast")
            for row, slow in zip(singles(self.times), self.slow, strict=True)
        ]
        sizes = {"rows": array("d", self.rows), "pages": array("d", self.pages)}
        return calibrate(records(made)._replace(features=sizes), base=Catalog({}), by=("region",))


WORLD = World(400, slower=4.0).learned()


def took(params: Mapping[str, Any], region: str = "fast", learned: Calibration = WORLD) -> np.ndarray:
    return outcomes(Plan((Step("s", f"work@{region}", dict(params)),)), learned.catalog).time


def test_a_product_is_learned_and_comes_back_in_a_forecast() -> None:
    for rows, pages in ((200, 2), (1_000, 4), (5_000, 8)):
        time = took({"rows": rows, "pages": pages})
        assert np.median(time) == pytest.approx(rows**ROOT * pages**SQUARE, rel=0.1)
        assert np.quantile(time, 0.95) / np.quantile(time, 0.05) == pytest.approx(
            np.exp(2 * 1.645 * 0.2), rel=0.2
        )


def test_it_goes_on_beyond_the_records_as_it_began() -> None:
    once, four_times = took({"rows": 1e5, "pages": 20}), took({"rows": 4e5, "pages": 20})
    assert np.median(four_times) / np.median(once) == pytest.approx(4**ROOT, rel=0.05)


def test_variants_share_the_exponents_and_keep_their_level() -> None:
    params = {"rows": 1_000, "pages": 4}
    ratio = np.median(took(params, "slow")) / np.median(took(params, "fast"))
    assert ratio == pytest.approx(4.0, rel=0.1)
    exponents = {
        tuple((f.name, f.exponent) for f in skill.latency_by.features)
        for skill in WORLD.catalog.skills.values()
        if isinstance(skill.latency_by, PowerGrowth)
    }
    assert len(exponents) == 1
    assert dict(*exponents) == pytest.approx({"rows": ROOT, "pages": SQUARE}, abs=0.1)


def test_a_size_left_open_is_drawn() -> None:
    both, one = took({"rows": 1_000, "pages": 5}), took({"rows": 1_000})
    assert np.median(one) == pytest.approx(1_000**ROOT * 5**SQUARE, rel=0.2)
    assert np.std(np.log(one)) > 2 * np.std(np.log(both))


@pytest.mark.parametrize("none", [0, [], ""])
def test_a_size_of_0_says_nothing_and_a_note_says_that(none: Any) -> None:
    stated = {"rows": none, "pages": 5}
    assert np.array_equal(took(stated), took({"pages": 5}))
    plan = Plan((Step("s", "work@fast", stated),))
    assert simulate(plan, WORLD.catalog, explain=False).notes == (
        "s: work@fast depends on `rows`, of which a size of 0 tells nothing: drawn from what was recorded",
    )


@pytest.mark.parametrize("count", [60, 200])
def test_each_world_is_found_to_be_what_it_is(count: int) -> None:
    found = {"sum": 0, "product": 0, "neither": 0}
    rng = np.random.default_rng(7)
    for _ in range(20):
        rows, pages = rng.lognormal(7, 1, count), rng.uniform(1, 9, count)
        x, noise = np.column_stack([rows, pages]), rng.lognormal(0, 0.2, count)
        found["sum"] += isinstance(shape((300 + rows + 90 * pages) * noise, x), Sum)
        found["product"] += isinstance(shape(rows**ROOT * pages**SQUARE * noise, x), Product)
        found["neither"] += shape(300 * noise, x) is None
    assert min(found.values()) >= 18


def test_a_size_that_was_0_once_makes_no_product() -> None:
    rng = np.random.default_rng(1)
    pages = rng.integers(1, 9, 300).astype(float)
    x, values = pages[:, None], pages**SQUARE * rng.lognormal(0, 0.1, 300)
    assert isinstance(shape(values, x), Product)
    x[7] = 0
    assert not isinstance(shape(values, x), Product)


def test_more_never_takes_less() -> None:
    rng = np.random.default_rng(2)
    x = rng.lognormal(7, 1, (300, 1))
    assert shape(1e6 / x[:, 0] * rng.lognormal(0, 0.1, 300), x) is None


DECLARED = Provenance("declared")
AS_IT_IS: Figure[Distribution] = Figure(Constant(1.0), DECLARED)


@pytest.mark.parametrize(
    "growth",
    [
        PowerGrowth(1e9, (Power("n", 1e-9, 10.0, Constant(1.0)),), AS_IT_IS),
        PowerGrowth(
            1e9, (Power("n", 1e-9, 10.0, Constant(1.0)), Power("m", 1e-9, 10.0, Uniform(1, 9))), AS_IT_IS
        ),
        Growth(0.0, (Feature("n", 1e12, Constant(1.0)),), AS_IT_IS),
        Growth(0.0, (Feature("n", 1e12, Constant(1.0)), Feature("m", 1e12, Uniform(1, 9))), AS_IT_IS),
    ],
)
def test_no_size_makes_a_time_that_no_catalog_could_hold(growth: PowerGrowth | Growth) -> None:
    skill = WORLD.catalog.skills["work@fast"]._replace(latency_by=growth)
    plan = Plan((Step("s", skill.id, {"n": 1e300}),))
    assert set(outcomes(plan, Catalog({skill.id: skill})).time) == {MAX_MS}
