"""Outages: failures seconds apart are not independent, and a forecast of retries knows it."""

from array import array
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.api.forecast.outcomes import outcomes
from aos.api.learning.calibrate import calibrate
from aos.domain.learning.records import Records
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.distributions import Constant, Quantiles
from aos.domain.skills.skill import Catalog, RetryPolicy
from aos.engine.calibrate.skill.outages import Ended, lasting
from tests.unit.engine.calibrate.recorded import EPOCH, Row, records

TOOK_MS, PAUSE_MS, TRIES = 500.0, 5_000.0, 3
RETRY = RetryPolicy(max_attempts=TRIES, backoff_ms=PAUSE_MS, multiplier=1.0)


@cache
def world(steps: int, outage_ms: float, *, anyway: float = 0.01, seed: int = 0) -> tuple[Row, ...]:
    """Steps about 20 s apart, tried three times, in a world with an outage an hour that lasts about so long."""
    rng = np.random.default_rng(seed)
    every = np.cumsum(rng.exponential(3_600_000, 2 + steps // 100))
    until = every + rng.exponential(outage_ms, len(every)) if outage_ms else every
    rows = []
    for i, ready in enumerate(np.cumsum(rng.exponential(20_000, steps))):
        start = ready
        for attempt in range(1, TRIES + 1):
            last = int(np.searchsorted(every, start)) - 1
            failed = (last >= 0 and start < until[last]) or rng.random() < anyway
            at = EPOCH + start
            code = "DOWN" if failed else ""
            rows.append(Row(str(i), "s", "work", at, at + TOOK_MS, 1.0, code, attempt=attempt))
            if not failed:
                break
            start += TOOK_MS + PAUSE_MS
    return tuple(sorted(rows, key=lambda row: row.start))


def through(rows: Sequence[Row]) -> float:
    """The share of steps that succeeded in the end."""
    return len({row.run for row in rows if not row.code}) / len({row.run for row in rows})


@cache
def known(steps: int, outage_ms: float, *, anyway: float = 0.01, seed: int = 0) -> Catalog:
    return learned(records(world(steps, outage_ms, anyway=anyway, seed=seed)))


def learned(made: Records) -> Catalog:
    catalog = calibrate(made, base=Catalog({})).catalog
    work = catalog.skills["work"]
    modes = tuple(mode._replace(category="TRANSIENT") for mode in work.failures or ())
    harmless = work.effects._replace(read_only=True, idempotent=True)
    tried = work._replace(retry=RETRY, failures=modes, effects=harmless)
    return catalog._replace(skills={"work": tried}, blocks=())


def test_retries_inside_an_outage_fail_as_they_did() -> None:
    rows = world(20_000, 120_000)
    forecast = outcomes(Plan((Step("s", "work", {}),)), known(20_000, 120_000), samples=100_000)
    failed = 1 - through(rows)
    assert failed > 0.02
    assert 1 - forecast.success.mean() == pytest.approx(failed, rel=0.15)


def test_as_if_independent_they_would_hardly_ever_fail() -> None:
    catalog = known(20_000, 120_000)
    work = catalog.skills["work"]
    alone = tuple(mode._replace(outage=None) for mode in work.failures or ())
    independent = catalog._replace(skills={"work": work._replace(failures=alone)})
    forecast = outcomes(Plan((Step("s", "work", {}),)), independent, samples=100_000)
    assert 1 - forecast.success.mean() < 0.001


def test_independent_failures_make_no_outage() -> None:
    found = [known(1_500, 0, anyway=0.1, seed=seed).skills["work"] for seed in range(10)]
    assert all(mode.outage is None for skill in found for mode in skill.failures or ())


def test_the_chance_of_a_first_attempt_does_not_count_the_retries() -> None:
    rows = world(20_000, 120_000)
    (mode,) = known(20_000, 120_000).skills["work"].failures or ()
    first = [row for row in rows if row.attempt == 1]
    assert mode.probability is not None
    assert mode.probability.value == pytest.approx(np.mean([bool(row.code) for row in first]), rel=0.05)


def test_an_outage_says_from_how_many_failures_it_is_known() -> None:
    (mode,) = known(5_000, 120_000).skills["work"].failures or ()
    assert mode.outage is not None
    assert mode.outage.provenance.n == sum(bool(row.code) for row in world(5_000, 120_000))
    assert mode.outage.provenance.as_of == "2023-11-16"


def test_unknown_ends_tell_nothing_of_outages() -> None:
    made = records(world(5_000, 120_000))
    assert all(
        mode.outage is None
        for mode in learned(made._replace(end_ms=array("d", [float("nan")] * len(made.end_ms))))
        .skills["work"]
        .failures
        or ()
    )


@given(st.lists(st.tuples(st.floats(0, 1e6), st.booleans()), min_size=2, max_size=200))
def test_whatever_was_recorded_gives_a_distribution_or_nothing(attempts: list[tuple[float, bool]]) -> None:
    start = np.cumsum([gap for gap, _ in attempts])
    code = np.where([failed for _, failed in attempts], 0, -1)
    found = lasting([Ended(start, start + 10, code)], 0)
    if found is None:
        return
    match found.duration:
        case Constant(value):
            assert value >= 0
        case Quantiles(levels, values, None):
            assert list(levels) == sorted(set(levels))
            assert 0 <= levels[0] <= levels[-1] <= 1
            assert list(values) == sorted(values)
            assert values[0] >= 0
