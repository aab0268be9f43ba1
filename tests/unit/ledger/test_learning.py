"""What recorded runs tell: how a forecast did, and what a skill is really like."""

import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.api.learning.records import load_recorded
from aos.api.learning.scores import score
from aos.api.running.history import Question, measured_of, state_of
from aos.api.running.runs import show
from aos.domain.runs.recorded import RunState
from aos.domain.runs.run import Money, Settled
from aos.engine.scores.scoring import own_score
from aos.errors import InputError
from aos.ledger.ledger import Ledger
from aos.wire.catalogs.read import default_catalog
from tests.cli.process import DEMO
from tests.unit.ledger.build import failed, intent, run_end, settled, start, write_run

SIMULATION = json.loads(DEMO.with_name("expected.json").read_text())


def ended(cents: str, active_ms: float, status: Any = "succeeded", unknown: int = 0) -> RunState:
    begun = start()._replace(simulation=SIMULATION)
    money = Money(None, Decimal(cents), Decimal(0), unknown)
    return RunState(begun, status, (), {}, money, active_ms, run_end(status=status))


def part(state: RunState, name: str) -> Any:
    found = score(state)
    assert found is not None
    return found[name]


def test_a_median_outcome_stands_in_the_middle() -> None:
    p50 = SIMULATION["forecast"]["duration_ms"]["p50"]["value"]
    time = part(ended("0", p50), "time")
    assert time["percentile"] == pytest.approx(0.5, abs=0.01)
    assert time["pinball"]["p50"] == pytest.approx(0, abs=10)
    assert time["pinball"]["p90"] == pytest.approx(0.1 * (1819.41 - p50), abs=20)


def test_what_is_certain_and_happens_costs_nothing() -> None:
    cost = part(ended("0", 900), "cost")
    assert cost["crps"] == 0
    assert 0.4 < cost["percentile"] < 0.6
    assert part(ended("5", 900), "cost") == {
        "actual": 5,
        "percentile": 1,
        "crps": 5,
        "pinball": {"p50": 2.5, "p90": 4.5, "p95": 4.75, "p99": 4.95},
    }


def test_success_is_scored_by_its_chance() -> None:
    chance = SIMULATION["chances"]["success"]["value"]
    assert part(ended("0", 900), "success")["brier"] == pytest.approx((1 - chance) ** 2, rel=1e-4)
    assert part(ended("0", 900, "failed"), "success")["brier"] == pytest.approx(chance**2, rel=1e-4)


@pytest.mark.parametrize("status", ["paused", "cancelled", "running"])
def test_only_a_run_that_ended_is_scored(status: str) -> None:
    assert score(ended("0", 900, status)) is None


def test_an_unknown_cost_is_not_scored() -> None:
    assert part(ended("0", 900, unknown=1), "cost") is None


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=30), st.floats(0, 1e6))
def test_crps_is_that_of_the_quantiles(values: list[float], outcome: float) -> None:
    """Against the definition: twice the mean over levels of the pinball loss."""
    levels = np.linspace(0, 0.99, len(values))
    own = own_score(list(levels), sorted(values), outcome)
    grid = (np.arange(100) + 0.5) / 100
    quantiles = np.interp(grid, levels, np.sort(values))
    loss = np.where(outcome >= quantiles, grid * (outcome - quantiles), (1 - grid) * (quantiles - outcome))
    assert math.isclose(own.crps, 2 * loss.mean(), rel_tol=1e-9, abs_tol=1e-6)
    assert 0 <= own.percentile <= 1


def test_a_score_is_kept(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        write_run(ledger)
        ledger.score("r1", {"time": {"percentile": 0.25}})
    assert show(tmp_path / "ledger.db", "r1").score == {"time": {"percentile": 0.25}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    plan = {
        "aos_plan": "1",
        "steps": [{"id": "s1", "skill": "json_transform", "params": {"query": "a", "input": 1}}],
    }
    with Ledger(path) as ledger:
        ledger.begin(start(budget="30")._replace(plan=plan))
        for n in range(1, 11):
            call = intent("s1", n, reserve=None, skill="http_call", started_ms=1_000.0 * n)
            ledger.intend(call)
            ledger.settle(failed(call) if n == 10 else _took(settled(call), 10.0 * n))
        ledger.intend(intent("s2"))
    return path


def _took(done: Settled, ms: float) -> Settled:
    spent = done.outcome.execution._replace(latency_ms=ms)
    return done._replace(outcome=done.outcome._replace(execution=spent))


def test_a_skill_as_it_was_recorded(path: Path) -> None:
    found, _ = measured_of(path, "http_call")
    assert found is not None
    assert (found.n, found.failed, found.codes) == (10, 1, {"TIMEOUT": 1})
    assert (found.latency_p50, found.latency_p90) == (50.0, 90.0)
    assert found.cost_cents == pytest.approx(0.95)
    assert found.last_ms == 10_000.0
    assert measured_of(path, "fs_read") == (None, "no attempt of it is recorded")
    nothing, why = measured_of(path.with_name("none.db"), "fs_read")
    assert (nothing, why.startswith("there is no ledger")) == (None, True)


def test_the_ledger_is_read_as_recorded_runs(path: Path) -> None:
    read = load_recorded(path, default_catalog(), features=("tokens",))
    records = read.records
    assert (read.rows, len(records.start_ms)) == (10, 10)
    assert list(records.attempt) == list(range(1, 11))
    assert [b - a for a, b in zip(records.start_ms, records.end_ms, strict=True)][:3] == [10.0, 20.0, 30.0]
    assert list(records.failed) == [0] * 9 + [1]
    assert records.code.names == ("TIMEOUT",)
    assert list(records.features["tokens"])[:2] == [3.0, 3.0]


def test_steps_come_after_those_of_their_plan(tmp_path: Path) -> None:
    plan = SIMULATION["inputs"]["plan"]
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.begin(start()._replace(plan=plan))
        for step in plan["steps"]:
            call = intent(step["id"], skill=step["skill"], reserve=None)
            ledger.intend(call)
            ledger.settle(settled(call))
    records = load_recorded(tmp_path / "ledger.db", default_catalog()).records
    assert records.after.names == ("s1", "s2")


def test_a_ledger_without_an_attempt_teaches_nothing(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.begin(start())
    with pytest.raises(InputError, match="no rows"):
        load_recorded(tmp_path / "ledger.db", default_catalog())


def test_rates_count_the_last_minute(path: Path) -> None:
    found = state_of(Question(default_catalog(), ledger=path), 65_000.0)
    assert found.state["rates"]["http_call"] == {"per_minute": 600.0, "last_minute": 6}
    assert found.state["remaining_budget_cents"] == 30 - 9.5 - 4
    assert not found.unknowns


def test_past_failures_tell_how_often_it_went_well_in_the_end(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        assert ledger.past_failures("http_call", "TIMEOUT") == (0, None)
        write_run(ledger, "good")
        ledger.begin(start("bad"))
        ledger.intend(intent(run="bad"))
        ledger.settle(failed(intent(run="bad")))
        assert ledger.past_failures("http_call", "TIMEOUT") == (2, 1.0)
        ledger.end(run_end("bad", "failed"))
        assert ledger.past_failures("http_call", "TIMEOUT") == (2, 0.5)
        assert ledger.past_failures("http_call", "HTTP_5XX") == (0, None)
