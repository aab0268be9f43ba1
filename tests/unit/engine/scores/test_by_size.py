"""Whole runs forecast by the sizes that each of them had: right where the truth is known, found out where it is not."""

import json
from array import array
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

from aos.api.forecast.cases import case
from aos.api.forecast.outcomes import outcomes
from aos.api.learning.backtest import Thresholds, backtest
from aos.api.learning.calibrate import calibrate
from aos.domain.forecasts.verdicts import Limits
from aos.domain.learning.backtest import Scored
from aos.domain.learning.records import Records
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.skill import Catalog, Effects, Growth, RetryPolicy, Skill
from aos.engine.execution.program import compile_plan
from aos.engine.scores.backtest import QUANTILES, Seen
from aos.engine.scores.sized_runs import forecast_each
from tests.unit.engine.calibrate.recorded import DAY, EPOCH, NAN, Row, records

STEPS, FIXED, EACH, SPREAD, MOOD = 3, 300.0, 8.0, 0.3, 0.4


class World(NamedTuple):
    """Chains of which every step has a size of its own; so many attempts fail at once, and are tried again."""

    power: float = 1.0
    fails: float = 0.0
    recorded: float = 1.0


AGAIN = Catalog(
    {
        "work": Skill(
            "work",
            "1",
            "works",
            {"type": "object"},
            {"type": "object"},
            None,
            None,
            None,
            None,
            Effects(True, True, False, True, False),
            RetryPolicy(max_attempts=2, backoff_ms=0.0),
        )
    }
)
"""What records don't say: that it may be tried again."""


@cache
def made(world: World, runs: int = 400, seed: int = 3) -> Records:
    """(FIXED + EACH size^power) x noise, of which a part is the run's. Cost grows with the size alone."""
    rng = np.random.default_rng(seed)
    rows, sizes = [], []
    for run in range(runs):
        ended, mood = EPOCH + run * DAY / 24, rng.normal()
        for i, size in enumerate(rng.lognormal(6, 1, STEPS)):
            failed = [40.0] if rng.random() < world.fails else []
            noise = np.exp(SPREAD * (np.sqrt(MOOD) * mood + np.sqrt(1 - MOOD) * rng.normal()))
            known = size if rng.random() < world.recorded else NAN
            for took in (*failed, (FIXED + EACH * size**world.power) * noise):
                code, after = ("BUSY" if took == 40.0 else ""), (f"s{i - 1}" if i else "")
                attempt = 1 if code or not failed else 2
                where = (str(run), f"s{i}", "work", ended, ended + took, size / 500)
                rows.append(Row(*where, code, after, attempt=attempt))
                sizes.append(known)
                ended += took
    return records(rows)._replace(features={"tokens": array("d", sizes)})


@cache
def learned(world: World) -> Catalog:
    return calibrate(made(world), base=AGAIN).catalog


def scored(made: Records, **options: Any) -> Scored:
    result = backtest(made, base=AGAIN, **({"shapes": True, "samples": 2_000} | options))
    (found,) = [case for case in result.cases if case.kind == "plan"]
    assert found.time
    return found


@cache
def whole(world: World, known: bool = True) -> Scored:
    return scored(made(world), known=("tokens",) if known else ())


WORLDS = [World(), World(power=1.5), World(fails=0.2), World(recorded=0.9)]


@pytest.mark.parametrize("world", WORLDS, ids=repr)
def test_runs_are_forecast_by_their_sizes(world: World) -> None:
    """Coverage is right, and the distance far below that of a forecast by the shape alone: of sizes nobody knew."""
    sized, blind = whole(world), whole(world, known=False)
    assert (sized.sizes, blind.sizes) == (("tokens",), ())
    time, cost, shape = sized.time, sized.cost, blind.time
    assert time
    assert cost
    assert shape
    assert time.n == shape.n == 160
    assert time.in50.value == pytest.approx(0.5, abs=0.1)
    assert time.in90.value == pytest.approx(0.9, abs=0.07)
    assert max(time.pit) < 2 * time.n / 10
    assert time.crps.value < (0.5 if world.recorded == 1 else 0.6) * shape.crps.value
    assert cost.crps.value < 0.25 * cost.naive
    # The naive forecast knows the shape and no size: it is the same for both.
    assert (time.naive, time.empirical) == pytest.approx((shape.naive, shape.empirical))


def test_sizes_that_tell_nothing_lose_nothing() -> None:
    shuffled = np.random.default_rng(9).permutation(np.array(made(World()).features["tokens"]))
    told = made(World())._replace(features={"tokens": array("d", shuffled)})
    told = told._replace(cost_cents=array("d", [1.0] * len(shuffled)))
    assert scored(told) == scored(told._replace(features={}))


def test_growth_that_is_wrong_misses_the_gate() -> None:
    catalog = learned(World())
    work = catalog.skills["work"]
    assert isinstance(work.latency_by, Growth)
    (tokens,) = work.latency_by.features

    def gated(catalog: Catalog) -> bool:
        held = Thresholds(min_coverage=0.85, max_crps_ratio=0.5)
        return backtest(made(World()), base=AGAIN, catalog=catalog, shapes=True, thresholds=held).kept

    time = whole(World()).time
    assert time
    assert time.in90.value >= 0.85
    half = work.latency_by._replace(features=(tokens._replace(each=tokens.each / 2),))
    assert not gated(catalog._replace(skills={"work": work._replace(latency_by=half)}))


def test_a_plan_is_held_against_its_runs_by_the_sizes_that_it_states() -> None:
    def plan(*sizes: Any) -> str:
        steps = [
            {"id": f"s{i}", "skill": "work", "params": {} if size is None else {"tokens": size}}
            for i, size in enumerate(sizes)
        ]
        return json.dumps({"aos_plan": "1", "inputs": {"tokens": 100}, "steps": steps})

    def crps(*sizes: Any) -> float:
        time = scored(made(World()), shapes=False, plan=plan(*sizes)).time
        assert time
        assert 0.82 <= time.in90.value <= 0.99
        return time.crps.value

    every = crps(400, 40, "${inputs.tokens}")
    # Whatever the plan states, a run is forecast by what it had; what another step will tell is not known before.
    assert crps(4_000, 4, 4) == pytest.approx(every, rel=0.02)
    first = crps(400, "${steps.s0.output}", None)
    assert every < 0.7 * first < 0.7 * crps(None, None, None)


def test_the_forecast_of_a_run_is_that_of_a_plan_that_states_its_sizes() -> None:
    """Sizes as different as can be, retries, failures and a timeout: quantiles and chance are those of `simulate`."""
    catalog = learned(World(fails=0.2))
    wanted = [(30.0, 3_000.0), (900.0, 20.0), (2_000.0, 2_000.0)]

    def plan(first: float, second: float) -> Plan:
        steps = (
            Step(f"s{i}", "work", {"tokens": size}, timeout_s=18.0) for i, size in enumerate((first, second))
        )
        return Plan(tuple(steps))

    middle = plan(500.0, 500.0)
    program = compile_plan(middle, catalog, case(middle, catalog, Limits()).prices)
    sizes = {i: {"tokens": np.array(column)} for i, column in enumerate(zip(*wanted, strict=True))}
    runs = Seen(np.arange(3), np.ones(3), np.ones(3), np.ones(3, bool))
    each = forecast_each(program, sizes, runs, np.arange(3), samples=30_000, seed=1)
    assert each.time
    assert each.cost
    for row, (first, second) in enumerate(wanted):
        alone = outcomes(plan(first, second), catalog, samples=20_000)
        # Between the chances of no and one failure quantiles jump: so compare levels, not times.
        for found, drawn in ((each.time, alone.time), (each.cost, alone.cost)):
            low = (drawn[None, :] < found.quantiles[row][:, None] * (1 - 1e-3)).mean(axis=1)
            high = (drawn[None, :] <= found.quantiles[row][:, None] * (1 + 1e-3)).mean(axis=1)
            assert (low - 0.02 < QUANTILES).all()
            assert (high + 0.02 > QUANTILES).all()
        assert each.success[row] == pytest.approx(alone.success.mean(), abs=0.02)


def test_how_many_samples_a_run_has_does_not_move_its_coverage() -> None:
    """The quantiles of few samples are those of all: outcomes of the same distribution are below them as often."""
    catalog = learned(World())
    plan = Plan((Step("s0", "work", {"tokens": 500.0}),))
    program = compile_plan(plan, catalog, {})
    later = outcomes(plan, catalog, samples=4_000, seed=7).time
    runs = Seen(np.arange(4_000), later, later, np.ones(4_000, bool))
    each = forecast_each(program, {}, runs, np.arange(4_000), samples=1, seed=1)
    assert each.time
    for level in (0.05, 0.95):
        quantile = each.time.quantiles[:, np.searchsorted(QUANTILES, level)]
        assert (later < quantile).mean() == pytest.approx(level, abs=0.01)
