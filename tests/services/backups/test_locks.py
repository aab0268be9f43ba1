"""One at a time, whoever they are: processes that race for the folder, each of which would notice the other."""

import multiprocessing
import time
from contextlib import suppress
from pathlib import Path

from aos.errors import AosError
from aos_server.services.backups.folder import Folder

PROCESSES, TURNS = 4, 25


def race(path: Path, results: "multiprocessing.Queue[tuple[int, int]]") -> None:
    """Take the lock again and again; who has it makes a file that nobody else may have made."""
    folder, had, clashes = Folder(path), 0, 0
    while had < TURNS:
        with suppress(AosError), folder.locked("a test"):
            had += 1
            try:
                (path / "mine").touch(exist_ok=False)
                time.sleep(0)
                (path / "mine").unlink()
            except OSError:
                clashes += 1
    results.put((had, clashes))


def test_of_processes_that_race_one_has_the_folder_at_a_time(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[tuple[int, int]] = context.Queue()
    racers = [context.Process(target=race, args=(tmp_path / "backups", results)) for _ in range(PROCESSES)]
    for racer in racers:
        racer.start()
    found = [results.get(timeout=60) for _ in racers]
    for racer in racers:
        racer.join()
    assert found == [(TURNS, 0)] * PROCESSES
