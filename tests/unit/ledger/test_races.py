"""Several processes, some of them killed. The long form is `nox -s races`."""

from pathlib import Path

from tests.races.ledger import race


def test_processes_share_a_ledger_and_die(tmp_path: Path) -> None:
    found = race(tmp_path, processes=4, runs=15, kills=4)
    assert found.killed > 0
    assert found.confirmed >= (4 * 15 - found.killed) * 6  # who is killed leaves one run unfinished
    assert (found.lost, found.damage, found.faults) == ([], [], [])
