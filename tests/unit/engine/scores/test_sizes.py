"""Scores of attempts that state their size: each is held against the forecast of its own."""

from array import array
from functools import cache

import numpy as np
import pytest

from aos.api.learning.backtest import backtest
from aos.domain.learning.backtest import Quantity
from aos.domain.learning.records import Records
from aos.domain.skills.distributions import Constant, Distribution
from aos.domain.skills.skill import Catalog, Feature, Figure, Growth, Power, PowerGrowth, Provenance
from aos.engine.scores.backtest import Case, Draws, Part, Seen, score
from aos.engine.scores.sizes import alike
from tests.unit.engine.calibrate.recorded import records, singles

AS_IT_IS: Figure[Distribution] = Figure(Constant(1.0), Provenance("declared"))


@cache
def sized(power: float, fixed: float) -> Records:
    rng = np.random.default_rng(8)
    tokens = rng.lognormal(6, 1, 500)
    made = records(singles((fixed + 8 * tokens**power) * rng.lognormal(0, 0.2, 500)))
    return made._replace(features={"tokens": array("d", tokens)}, cost_cents=array("d", tokens / 1_000))


def scored(made: Records) -> tuple[Quantity, Quantity]:
    (case,) = backtest(made, base=Catalog({})).cases
    assert case.time
    assert case.cost
    return case.time, case.cost


@pytest.mark.parametrize(("power", "fixed"), [(1.0, 500.0), (0.5, 0.0)])
def test_scores_show_what_sizes_are_worth(power: float, fixed: float) -> None:
    made = sized(power, fixed)
    time, cost = scored(made)
    blind, _ = scored(made._replace(features={}))
    assert time.in90.value == pytest.approx(0.93, abs=0.05)
    assert time.crps.value < (0.25 if power == 1 else 0.4) * blind.crps.value
    assert cost.in90.value > 0.99
    assert cost.crps.value < 0.001 * cost.naive


def test_sizes_that_tell_nothing_change_nothing() -> None:
    made = sized(1.0, 500.0)
    shuffled = array("d", np.random.default_rng(9).permutation(np.array(made.features["tokens"])))
    made = made._replace(cost_cents=array("d", [1.0] * 500))
    assert scored(made._replace(features={"tokens": shuffled})) == scored(made._replace(features={}))


def test_the_loss_of_a_part_is_in_the_units_of_what_happened() -> None:
    drawn = np.linspace(90, 110, 1_001)
    nothing = np.full(2, np.nan)

    def case(outcomes: list[float], scale: list[float]) -> Case:
        future = Seen(np.arange(2), np.array(outcomes), nothing, np.ones(2, bool))
        past = Seen(np.arange(2), np.array([50.0, 500.0]), nothing, np.ones(2, bool))
        part = Part(np.arange(2), drawn, np.array(scale))
        return Case("skill", "ask", past, future, Draws(drawn, None, 1.0), (part,))

    once, tenfold = score(case([101, 120], [1, 1])).time, score(case([1_010, 1_200], [10, 10])).time
    assert once
    assert tenfold
    assert tenfold.crps.value == pytest.approx(10 * once.crps.value)
    assert tenfold.in90 == once.in90
    assert tenfold.pit == once.pit


@pytest.mark.parametrize(
    "growth",
    [
        Growth(100.0, (Feature("a", 2.0, Constant(30.0)), Feature("b", 5.0, Constant(40.0))), AS_IT_IS),
        PowerGrowth(
            100.0, (Power("a", 30.0, 1.5, Constant(30.0)), Power("b", 40.0, 0.5, Constant(40.0))), AS_IT_IS
        ),
    ],
)
def test_every_attempt_is_in_one_group_of_about_its_size(growth: Growth | PowerGrowth) -> None:
    rng = np.random.default_rng(3)
    x = rng.lognormal(3, 1, (400, 3))
    x[::7, 1] = np.nan
    groups = alike(growth, ("b", "junk", "a"), x, 40)
    assert sorted(np.concatenate([group.rows for group in groups])) == list(range(400))
    assert len(groups) <= 41
    for rows, stated, scale in groups:
        assert set(stated) <= {"a", "b"}
        assert np.ptp(np.log(scale)) <= 0.3
        assert 1.0 in scale
        assert any(stated["a"] == x[row, 2] for row in rows)
