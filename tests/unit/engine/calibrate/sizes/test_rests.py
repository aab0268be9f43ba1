"""What sizes leave unexplained: how it goes together in a run, and what comes of that in forecasts that state sizes."""

from array import array
from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from aos.api.forecast.outcomes import outcomes
from aos.api.learning.calibrate import calibrate
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.skill import Catalog, Correlation, Figure, PartCorrelation, Provenance
from tests.unit.engine.calibrate.recorded import DAY, EPOCH, Row, records

STEPS, FIXED, EACH, SPREAD = 4, 200.0, 8.0, 0.4
NONE: Figure[float] = Figure(0.0, Provenance("declared"))


class Runs(NamedTuple):
    """Chains whose steps have one size: `size` by run, `took` by run and step."""

    size: np.ndarray
    took: np.ndarray


def chains(count: int, mood: float, seed: int, size: float | None = None) -> Runs:
    """Runs of that size, or of many; `mood` is the correlation of logs of what it leaves unexplained of two steps."""
    rng = np.random.default_rng(seed)
    sizes = rng.lognormal(6, 1, count) if size is None else np.full(count, size)
    shared, own = rng.normal(size=(count, 1)), rng.normal(size=(count, STEPS))
    rest = np.exp(SPREAD * (np.sqrt(mood) * shared + np.sqrt(1 - mood) * own))
    return Runs(sizes, (FIXED + EACH * sizes)[:, None] * rest)


def learned(runs: Runs, known: float = 1.0) -> Catalog:
    """The catalog of their records; the size of so many of them was recorded."""
    rows = []
    for run, took in enumerate(runs.took):
        ends = EPOCH + run * DAY / 24 + np.cumsum(took)
        rows += [
            Row(str(run), f"s{i}", "work", end - t, end, after=f"s{i - 1}" if i else "")
            for i, (t, end) in enumerate(zip(took, ends, strict=True))
        ]
    size = np.repeat(runs.size, STEPS)
    size[round(len(size) * known) :] = np.nan
    return calibrate(records(rows)._replace(features={"tokens": array("d", size)}), base=Catalog({})).catalog


def within(catalog: Catalog, mood: float, stating: int = STEPS) -> tuple[float, float]:
    """The share of totals in the 50 and 90 % intervals, of as many runs of each of twenty sizes that are as common.

    The first so many steps state their size.
    """
    at: list[np.ndarray] = []
    for size in np.exp(6 + stats.norm.ppf((np.arange(20) + 0.5) / 20)):
        params = [{"tokens": float(size)} if i < stating else {} for i in range(STEPS)]
        steps = (Step(f"s{i}", "work", p, (f"s{i - 1}",) if i else ()) for i, p in enumerate(params))
        drawn = np.sort(outcomes(Plan(tuple(steps)), catalog, samples=4_000).time)
        later = chains(50, mood, seed=len(at), size=size).took.sum(axis=1)
        at.append(np.searchsorted(drawn, later) / len(drawn))
    low = np.minimum(at, 1 - np.array(at))
    return float((low > 0.25).mean()), float((low > 0.05).mean())


ALONE, TOGETHER = learned(chains(300, 0.0, seed=1)), learned(chains(300, 0.6, seed=2))


@pytest.mark.parametrize(("catalog", "mood"), [(ALONE, 0.0), (TOGETHER, 0.6)])
def test_a_size_that_steps_share_is_no_part_of_what_it_leaves_unexplained(
    catalog: Catalog, mood: float
) -> None:
    run, _, rests, _ = catalog.correlation
    assert run
    assert rests.run
    assert rests.whole
    assert run.value > 0.75
    assert rests.run.value == pytest.approx(mood, abs=0.08)
    assert rests.run.provenance.source == "measured"
    assert rests.run.provenance.n == 300 * STEPS * (STEPS - 1) / 2
    # A whole latency is part size, part rest: only with that does another rest go.
    spread = np.std(np.log(FIXED + EACH * chains(10_000, 0.0, seed=0).size))
    assert rests.whole.value == pytest.approx(mood * SPREAD / np.hypot(SPREAD, spread), abs=0.08)


def test_totals_of_steps_that_state_one_size_are_where_they_are_said_to_be() -> None:
    half, most = within(ALONE, 0.0)
    assert half == pytest.approx(0.5, abs=0.1)
    assert most == pytest.approx(0.9, abs=0.06)
    broken = ALONE._replace(correlation=ALONE.correlation._replace(rests=PartCorrelation()))
    half, most = within(broken, 0.0)
    assert half > 0.75
    assert most > 0.985


def test_rests_that_go_together_widen_a_forecast() -> None:
    half, most = within(TOGETHER, 0.6)
    assert half == pytest.approx(0.5, abs=0.1)
    assert most == pytest.approx(0.9, abs=0.06)
    broken = TOGETHER._replace(
        correlation=TOGETHER.correlation._replace(rests=PartCorrelation(NONE, NONE, NONE))
    )
    assert within(broken, 0.6)[1] < 0.8


def test_steps_that_state_their_size_and_steps_that_do_not_are_forecast_together() -> None:
    half, most = within(TOGETHER, 0.6, stating=2)
    assert half == pytest.approx(0.5, abs=0.1)
    assert most == pytest.approx(0.9, abs=0.06)


def test_records_without_sizes_count_for_whole_latencies_alone() -> None:
    correlation = learned(chains(100, 0.3, seed=6), known=0.8).correlation
    assert correlation.run
    assert correlation.rests.run
    assert correlation.run.provenance.n == 100 * STEPS * (STEPS - 1) / 2
    assert correlation.rests.run.provenance.n == 80 * STEPS * (STEPS - 1) / 2


def test_where_nothing_grows_nothing_is_said_of_rests() -> None:
    assert learned(chains(60, 0.3, seed=7), known=0.0).correlation.rests == PartCorrelation()


def test_a_catalog_that_says_nothing_of_rests_holds_for_steps_of_any_size() -> None:
    """As it was before there were any: the same bytes."""
    run = ALONE.correlation.run
    sized = Plan(tuple(Step(f"s{i}", "work", {"tokens": 400}) for i in range(3)))
    blind = outcomes(sized, ALONE._replace(correlation=Correlation(run)))
    stated = outcomes(sized, ALONE._replace(correlation=Correlation(run, rests=PartCorrelation(run))))
    assert np.array_equal(blind.time, stated.time)
