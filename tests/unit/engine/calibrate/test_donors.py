"""Chains that lend to chains of another length, and how their calls fail."""

from collections.abc import Sequence

import numpy as np
import pytest

from aos.api.forecast.outcomes import outcomes
from aos.api.learning.backtest import backtest
from aos.api.learning.calibrate import calibrate
from aos.domain.learning.records import Records
from aos.domain.plans.plan import OnError, Plan, Step
from aos.domain.skills.skill import Catalog
from aos.wire.records.read import Declared, read_csv


def turns(runs: int, fails: float, *, stops: bool = False, seed: int = 0, last: int = 0) -> Records:
    """Runs of 5 to 10 turns, think and act, the last ones of twelve. `act` fails; a run stops there or goes on."""
    rng = np.random.default_rng(seed)
    rows = ["run,step,skill,start_ms,end_ms,code,after"]
    for number in range(runs):
        at, before, pace = number * 1e7, "", rng.lognormal(0, 0.4)
        for turn in range(12 if number >= runs - last else int(rng.integers(5, 11))):
            for skill, usual in (("think", 900), ("act", 300)):
                took = usual * pace * rng.lognormal(0, 0.3)
                failed = skill == "act" and rng.random() < fails
                code = "BROKEN" if failed else ""
                rows.append(f"r{number},{skill}{turn},{skill},{at},{at + took},{code},{before}")
                at, before = at + took, f"{skill}{turn}"
            if failed and stops:
                break
    return read_csv(rows, Declared(), name="turns").records


def learned(records: Records) -> Catalog:
    return calibrate(records, base=Catalog({})).catalog


def chain(turns: int, on_error: Sequence[str] = ()) -> Plan:
    return Plan(
        tuple(
            Step(f"{skill}{i}", skill, {}, on_error=OnError("continue" if skill in on_error else "fail"))
            for i in range(turns)
            for skill in ("think", "act")
        )
    )


def test_a_call_of_a_chain_fails_as_often_as_recorded() -> None:
    catalog = learned(turns(150, 0.05))
    (donors,) = catalog.donors
    assert donors.fails["act"] == pytest.approx(0.05, abs=0.015)
    stopping, going_on = (outcomes(chain(20, how), catalog, samples=20_000) for how in ((), ("act",)))
    assert stopping.success.mean() == pytest.approx((1 - donors.fails["act"]) ** 20, abs=0.03)
    assert going_on.success.mean() > 0.98
    assert stopping.time.mean() < 0.8 * going_on.time.mean()


def test_runs_that_went_on_lend_too() -> None:
    """All but those whose last step failed: nobody knows whether they would have gone on."""
    (donors,) = learned(turns(200, 0.3)).donors
    assert donors.provenance.n == pytest.approx(200 * 0.7, abs=20)


def test_chains_that_all_succeeded_promise_no_certain_success() -> None:
    catalog = learned(turns(30, 0.0))
    calls = sum(len(row) for row in catalog.donors[0].time_ms["act"])
    drawn = outcomes(chain(20), catalog, samples=40_000)
    assert drawn.success.mean() == pytest.approx((1 - 0.5 / (calls + 1)) ** 40, abs=0.005)
    assert drawn.success.mean() < 1


def test_runs_that_stop_are_counted_and_lend_nothing() -> None:
    catalog = learned(turns(200, 0.1, stops=True))
    (donors,) = catalog.donors
    assert donors.fails["act"] == pytest.approx(0.1, abs=0.02)
    assert (donors.provenance.n or 0) < 150


def test_chains_of_any_length_are_forecast_as_they_go() -> None:
    """Also those whose length was not recorded before, or never with a failure."""
    result = backtest(turns(160, 0.2, last=20), base=Catalog({}), shapes=True)
    (plans,) = (part for part in result.pooled if part.kind == "plan")
    assert plans.time
    assert plans.time.in90.value == pytest.approx(0.9, abs=0.09)
    assert plans.time.in50.value == pytest.approx(0.5, abs=0.16)
    (longest,) = (case for case in result.cases if case.success.n == 20)
    assert [said.forecast for said in longest.success.said] == pytest.approx([0.8], abs=0.1)
