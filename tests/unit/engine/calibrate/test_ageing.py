"""Ageing: how fast levels move is learned, and a catalog on a later day is less sure, by that much."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.api.forecast.ageing import on_day
from aos.api.forecast.outcomes import outcomes
from aos.api.learning.calibrate import calibrate
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.skill import Catalog
from aos.engine.calibrate.skill.drift import Dated, walks
from aos.engine.scores.scoring import coverage
from tests.unit.engine.calibrate.recorded import DAY, EPOCH, PAIR, Row, pairs, records

PLAN = Plan((Step("s", "work", {}),))
NEWEST = date(2023, 11, 14) + timedelta(days=99)


def wandering(days: int, per_year: float, seed: int, every: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Starts and times, `every` a day, of a level that is a random walk in logs with that spread after a year."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, per_year / np.sqrt(365.25 * every), days * every)
    start = EPOCH + np.arange(days * every) * DAY / every
    return start, np.exp(5 + np.cumsum(steps) + rng.normal(0, 0.2, days * every))


def learned(days: int = 100, per_year: float = 1.0, seed: int = 0) -> Catalog:
    start, took = wandering(days, per_year, seed)
    rows = [Row(str(i), "s", "work", s, s + t) for i, (s, t) in enumerate(zip(start, took, strict=True))]
    return calibrate(records(rows), base=Catalog({})).catalog


def quantiles(catalog: Catalog, *levels: float) -> np.ndarray:
    return np.quantile(outcomes(PLAN, catalog).time, levels)


@pytest.mark.parametrize("per_year", [0.3, 1.0])
def test_the_drift_comes_out_of_the_records(per_year: float) -> None:
    variants = [Dated(*wandering(200, per_year, seed)) for seed in range(60)]
    found = [walk.per_year for walk in walks(variants) if walk]
    assert np.median(found) == pytest.approx(per_year, rel=0.3)


def test_noise_around_a_level_that_stays_is_no_drift() -> None:
    start = np.asarray(EPOCH + np.arange(96) * DAY, np.float64)
    noisy = [Dated(start, np.random.default_rng(seed).lognormal(5, 1.0, 96)) for seed in range(60)]
    typical = min(walk.per_year for walk in walks(noisy) if walk)
    assert typical < 0.2


def test_a_level_that_comes_and_goes_is_not_taken_for_one_that_leaves() -> None:
    start, took = wandering(200, 0.0, 0)
    weekly = np.exp(0.3 * np.sin(np.arange(len(start)) / 28 * 2 * np.pi))
    (walk,) = walks([Dated(start, took * weekly)])
    assert walk is not None
    assert walk.per_year < 0.25


def test_short_series_have_the_drift_of_their_relatives_and_alone_none() -> None:
    long, short = Dated(*wandering(200, 0.5, 0)), Dated(*wandering(4, 0.5, 1))
    both = walks([long, short])
    assert both[0] is not None
    assert both[1] is not None
    assert both[1].per_year == pytest.approx(both[0].per_year)
    assert walks([short]) == [None]


def test_on_the_day_of_the_newest_record_nothing_has_aged() -> None:
    catalog = learned()
    assert on_day(catalog, NEWEST) == (catalog, {})
    assert on_day(catalog, None) == (catalog, {})


def test_an_old_catalog_is_wider_around_the_same_median_and_says_so() -> None:
    catalog = learned()
    now, later = quantiles(catalog, 0.05, 0.5, 0.95), on_day(catalog, NEWEST + timedelta(days=365))
    wide = quantiles(later.catalog, 0.05, 0.5, 0.95)
    assert wide[1] == pytest.approx(now[1], rel=0.03)
    assert wide[0] < 0.8 * now[0]
    assert wide[2] > 1.25 * now[2]
    (note,) = later.notes(PLAN)
    assert "364 days old on 2025-02-20" in note
    latency = later.catalog.skills["work"].latency
    assert latency is not None
    assert latency.provenance.method.endswith("widened by its age")


def test_an_aged_forecast_covers_what_comes_much_later() -> None:
    """Over worlds whose levels wander on, an aged forecast about keeps its word, one as if fresh does not."""
    inside: dict[bool, list[float]] = {False: [], True: []}
    for seed in range(30):
        start, took = wandering(400, 0.5, seed)
        known = start < EPOCH + 100 * DAY
        rows = [Row(str(i), "s", "work", s, s + t) for i, (s, t) in enumerate(zip(start, took, strict=True))]
        catalog = calibrate(
            records([r for r, k in zip(rows, known, strict=True) if k]), base=Catalog({})
        ).catalog
        for aged in (False, True):
            day = NEWEST + timedelta(days=300) if aged else None
            low, high = quantiles(on_day(catalog, day).catalog, 0.05, 0.95)
            inside[aged].append(coverage(low, high, took[-200:]))
    assert np.mean(inside[False]) < 0.75
    assert 0.8 < np.mean(inside[True]) < 0.97


def test_whole_runs_age_too() -> None:
    catalog = calibrate(records(pairs(400, np.random.default_rng(0))), base=Catalog({})).catalog
    assert catalog.blocks
    drifting = catalog._replace(
        skills={
            name: skill._replace(drift=learned().skills["work"].drift)
            for name, skill in catalog.skills.items()
        }
    )
    later = on_day(drifting, NEWEST + timedelta(days=365)).catalog
    now, then = (np.quantile(outcomes(PAIR, c).time, [0.05, 0.5, 0.95]) for c in (drifting, later))
    assert then[1] == pytest.approx(now[1], rel=0.05)
    assert then[2] / then[0] > 1.3 * now[2] / now[0]


def test_what_nobody_knows_the_drift_of_is_told_and_left_alone() -> None:
    catalog = learned()
    unknown = catalog._replace(
        skills={name: skill._replace(drift=None) for name, skill in catalog.skills.items()}
    )
    later = on_day(unknown, NEWEST + timedelta(days=30))
    assert later.catalog == unknown
    assert "nobody knows how they drift" in later.told["work"]


AGEING = learned()


@given(st.integers(0, 4_000), st.integers(0, 4_000))
def test_older_is_never_surer(a: int, b: int) -> None:
    few, many = sorted((a, b))
    young, old = (
        np.diff(quantiles(on_day(AGEING, NEWEST + timedelta(days=days)).catalog, 0.05, 0.95))[0]
        for days in (few, many)
    )
    assert old >= young * 0.999
