"""How the forecasts of recorded runs have held."""

from pathlib import Path

from aos.api.running.runs import held
from aos.domain.runs.recorded import Held, Within
from aos.ledger.ledger import Ledger
from aos.wire.records.recorded import runs
from tests.cli.schemas import faults
from tests.unit.ledger.build import run_end, start


def test_each_run_is_held_against_its_own_forecast(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        for i, percentile in enumerate((0.1, 0.5, 0.9, 0.93, 0.99)):
            ledger.begin(start(f"r{i}"))
            ledger.end(run_end(f"r{i}"))
            success = {"chance": 0.9, "happened": i > 0, "brier": 0.01}
            ledger.score(f"r{i}", {"time": {"percentile": percentile}, "success": success})
        ledger.begin(start("paused"))  # which nobody can score yet

    found = held(path)
    assert found == Held(5, Within(0.4, 0.6, 0.8), None, 0.9, 0.8)
    document = runs([], found, ledger="ledger.db")
    assert document["forecasts"]["success"] == {"said": 0.9, "came": 0.8}
    assert "cost" not in document["forecasts"]
    assert faults(document) == []


def test_where_nothing_was_scored_nothing_is_said(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        ledger.begin(start())

    document = runs([], held(path), ledger="ledger.db")
    assert (document["forecasts"], document["unknowns"][0]["pointer"]) == (None, "/forecasts")
    assert faults(document) == []
