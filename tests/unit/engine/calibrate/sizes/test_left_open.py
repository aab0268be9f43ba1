"""Sizes that a step leaves open: what it states is known, what it does not is as uncertain, and as common to a run, as
recorded."""

from array import array
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from aos.api.learning.backtest import backtest
from aos.api.learning.calibrate import calibrate
from aos.domain.learning.backtest import Quantity
from aos.domain.learning.records import Records
from aos.domain.skills.skill import Catalog
from tests.unit.engine.calibrate.recorded import DAY, EPOCH, Row, records

STEPS, SPREAD, MOOD = 4, 0.3, 0.5


class World(NamedTuple):
    """Chains of steps with two sizes, of which one, or none, or both are those of the run."""

    shared: tuple[str, ...]
    product: bool = False


@cache
def made(world: World, runs: int = 700) -> Records:
    rng = np.random.default_rng(5)
    size = {}
    for name in ("rows", "tokens"):
        of_run = rng.normal(size=(runs, 1)) if name in world.shared else rng.normal(size=(runs, STEPS))
        size[name] = np.exp(5 + 0.8 * of_run) * np.ones((1, STEPS))
    rows, tokens = size["rows"], size["tokens"]
    rest = np.sqrt(MOOD) * rng.normal(size=(runs, 1)) + np.sqrt(1 - MOOD) * rng.normal(size=(runs, STEPS))
    usual = 0.1 * rows**0.7 * tokens**0.8 if world.product else 100 + 3 * rows + 4 * tokens
    took = usual * np.exp(SPREAD * rest)
    made = []
    for run in range(runs):
        ends = EPOCH + run * DAY / 24 + np.cumsum(took[run])
        for i, (time, end) in enumerate(zip(took[run], ends, strict=True)):
            made.append(Row(str(run), f"s{i}", "work", end - time, end, after=f"s{i - 1}" if i else ""))
    return records(made)._replace(features={name: array("d", x.ravel()) for name, x in size.items()})


@cache
def learned(world: World) -> Catalog:
    return calibrate(made(world), base=Catalog({})).catalog


def scored(world: World, known: tuple[str, ...], catalog: Catalog | None = None) -> Quantity:
    options = {"shapes": True, "known": known, "samples": 2_000}
    result = backtest(made(world), base=Catalog({}), catalog=catalog, **options)  # type: ignore[arg-type]
    (plan,) = [case for case in result.cases if case.kind == "plan"]
    assert plan.time
    return plan.time


SUM, PRODUCT = World(("tokens",)), World(("rows",), product=True)


@pytest.mark.parametrize("world", [SUM, PRODUCT], ids=str)
def test_sizes_go_together_as_they_did(world: World) -> None:
    _, _, rests, sizes = learned(world).correlation
    assert rests.run
    assert rests.run.value == pytest.approx(MOOD, abs=0.08)
    for name in ("rows", "tokens"):
        run = sizes[name].run
        assert run
        assert run.provenance.n == 700 * STEPS * (STEPS - 1) / 2
        assert run.value == pytest.approx(0.95 if name in world.shared else 0, abs=0.06)


@pytest.mark.parametrize("known", [(), ("tokens",), ("rows",), ("rows", "tokens")], ids=str)
@pytest.mark.parametrize("world", [SUM, PRODUCT], ids=str)
def test_totals_are_where_they_are_said_to_be_whatever_is_stated(
    world: World, known: tuple[str, ...]
) -> None:
    time = scored(world, known)
    assert time.in50.value == pytest.approx(0.5, abs=0.1)
    assert time.in90.value == pytest.approx(0.9, abs=0.06)


def test_as_whole_times_go_together_what_is_open_is_too_sure_or_not_sure_enough() -> None:
    """Of the size that is the run's too little is common to it, and of what is each step's own too much."""
    whole = learned(PRODUCT)
    blind = whole._replace(correlation=whole.correlation._replace(sizes={}))
    assert scored(PRODUCT, ("tokens",), blind).in90.value < 0.84
    assert scored(PRODUCT, ("rows",), blind).in50.value > 0.6


def test_a_catalog_whose_skills_grow_with_one_size_says_nothing_of_sizes() -> None:
    alone = made(SUM)
    alone = alone._replace(features={"tokens": alone.features["tokens"]})
    assert calibrate(alone, base=Catalog({})).catalog.correlation.sizes == {}
