"""Fan-outs: limits of concurrency are found where there are any, and hold at widths that were never recorded."""

import heapq
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aos.api.forecast.outcomes import outcomes
from aos.api.learning.calibrate import calibrate
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.skill import Catalog
from aos.engine.scores.scoring import coverage
from aos.wire.catalogs.read import dump_catalog
from aos.wire.records.read import Declared, read_csv
from tests.unit.engine.build import skill

_HEADER = "run,step,skill,start_ms,end_ms,after"

Starts = Callable[[np.ndarray, np.random.Generator], Sequence[float]]
"""When siblings start that take so long."""


def limited(slots: int) -> Starts:
    """Each starts when a slot is free, a moment later."""

    def starts(took: np.ndarray, rng: np.random.Generator) -> list[float]:
        free, found = [0.0] * slots, []
        for time in took:
            found.append(heapq.heappop(free) + rng.uniform(5, 15))
            heapq.heappush(free, found[-1] + time)
        return found

    return starts


def one_by_one(took: np.ndarray, rng: np.random.Generator) -> list[float]:
    """A scheduler that starts one every 300 ms or so, whatever goes on."""
    return list(np.cumsum(rng.uniform(200, 400, len(took))))


def in_time(took: np.ndarray, rng: np.random.Generator) -> list[float]:
    """One every 400 ms, whatever the last one does; those that take a second overlap three at a time."""
    return [400.0 * i for i in range(len(took))]


def limited_now_and_then(took: np.ndarray, rng: np.random.Generator) -> Sequence[float]:
    """By three slots in most runs, by two in the others."""
    return limited(3 if rng.random() < 0.75 else 2)(took, rng)


def cold(took: np.ndarray, rng: np.random.Generator) -> list[float]:
    return list(rng.lognormal(6, 1, len(took)))


def runs(starts: Starts, widths: Sequence[int], count: int, seed: int = 0, sigma: float = 0.4) -> list[str]:
    rng = np.random.default_rng(seed)
    rows = [_HEADER]
    for number in range(count):
        width, began = widths[number % len(widths)], number * 1e6
        rows.append(f"r{number},go,go,{began},{began + 10},")
        took = rng.lognormal(6.9, sigma, width)
        for i, (start, time) in enumerate(zip(starts(took, rng), took, strict=True)):
            at = began + 10 + start
            rows.append(f"r{number},w{i},work,{at},{at + time},go")
    return rows


def learned(lines: Sequence[str], base: Catalog = Catalog({})) -> Catalog:  # noqa: B008
    return calibrate(read_csv(lines, Declared(), name="runs").records, base=base).catalog


def fan_out(width: int) -> Plan:
    return Plan((Step("go", "go", {}), *(Step(f"w{i}", "work", {}, ("go",)) for i in range(width))))


@pytest.mark.parametrize("slots", [1, 2, 3, 5])
def test_a_limit_is_found_and_holds_at_a_width_that_was_never_recorded(slots: int) -> None:
    catalog = learned(runs(limited(slots), (2, 4, 8), 60))
    assert catalog.pools == {"work": slots}
    assert catalog.skills["work"].pool == "work"
    assert catalog.skills["work"].fan_out is None
    drawn = outcomes(fan_out(24), catalog, samples=4_000).time
    ends = [float(row.split(",")[4]) for row in runs(limited(slots), (24,), 200, seed=1)[1:]]
    ended = np.array(ends).reshape(200, 25).max(axis=1) % 1e6
    assert np.median(drawn) == pytest.approx(np.median(ended), rel=0.05)
    low, high = np.quantile(drawn, [0.05, 0.95])
    assert coverage(low, high, ended) >= 0.8


@pytest.mark.parametrize("starts", [one_by_one, cold, limited(50)], ids=["one by one", "cold", "no limit"])
def test_where_there_is_no_limit_none_is_found(starts: Starts) -> None:
    catalog = learned(runs(starts, (2, 4, 8), 60))
    assert catalog.pools == {}
    assert catalog.skills["work"].fan_out is not None


@pytest.mark.parametrize(("starts", "sigma"), [(in_time, 0.02), (limited_now_and_then, 0.4)])
def test_what_looks_like_a_limit_at_first_is_none(starts: Starts, sigma: float) -> None:
    assert learned(runs(starts, (8,), 60, sigma=sigma)).pools == {}


@given(st.integers(0, 1_000), st.sampled_from([(4,), (2, 4, 8), (8, 16)]))
@settings(max_examples=10, deadline=None)
def test_chance_makes_no_limit(seed: int, widths: Sequence[int]) -> None:
    for starts in (one_by_one, cold):
        assert learned(runs(starts, widths, 12, seed)).pools == {}


def test_a_few_runs_show_no_limit() -> None:
    assert learned(runs(limited(2), (8,), 4)).pools == {}


def test_a_pool_that_is_declared_stays() -> None:
    base = Catalog({"work": skill("work", pool="workers")}, pools={"workers": 7})
    catalog = learned(runs(limited(2), (8,), 30), base)
    assert catalog.pools == {"workers": 7}
    assert catalog.skills["work"].pool == "workers"


def test_the_limit_is_written_and_read_back() -> None:
    catalog = learned(runs(limited(3), (8,), 30))
    document = dump_catalog(catalog)
    assert document["pools"] == {"work": 3}
    assert document["skills"]["work"]["pool"] == "work"


def test_a_width_beside_the_only_one_recorded_is_uncertain_and_not_free() -> None:
    """Delays of eight that start one by one, so of sixteen nothing is known but that they take as long or longer."""
    catalog = learned(runs(one_by_one, (8,), 40))
    law = catalog.skills["work"].fan_out
    assert law is not None
    assert (law.width, law.growth) == (8, 0.35)
    assert law.growth_sd == pytest.approx(0.4375)
    narrow, wide = (outcomes(fan_out(n), catalog, samples=4_000).time for n in (8, 16))
    assert np.median(wide) > np.median(narrow)
    truth = [max(one_by_one(np.ones(16), np.random.default_rng(seed))) for seed in range(100)]
    low, high = np.quantile(wide, [0.05, 0.95])
    assert coverage(low, high, np.array(truth) + 1_000) > 0.9
