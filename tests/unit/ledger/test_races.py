"""Several processes, some of them killed. The long form is `nox -s races`."""

from pathlib import Path

from tests.races.ledger import race


def test_processes_share_a_ledger_and_die(tmp_path: Path) -> None:
    found = race(tmp_path, processes=4, runs=5, kills=4)
    assert found.killed == 4
    assert found.confirmed >= 4 * 5 * 6 - 4 * 5
    assert (found.lost, found.damage, found.faults) == ([], [], [])
