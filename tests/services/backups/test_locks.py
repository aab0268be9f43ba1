"""One at a time, whoever they are; and nobody sweeps away what somebody else is at."""

import asyncio
import multiprocessing
import time
from contextlib import suppress
from pathlib import Path

from aos.errors import AosError
from aos_server.db.direct import MAINTENANCE, at, direct, likeness, scratch, sweep
from aos_server.services.backups.folder import Folder
from tests.services.backups.backing import SCRATCHES

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


def test_a_scratch_database_is_swept_only_where_nobody_is_at_it(base) -> None:
    setting, url = "AOS_BACKUP_DATABASE_URL", base.url("aos_backup")

    async def act() -> None:
        async with direct(at(url, MAINTENANCE), setting) as other, direct(url, setting) as source:
            like = await likeness(source)
            async with (
                direct(at(url, MAINTENANCE), setting) as mine,
                scratch(mine, like, owned=False) as name,
            ):
                assert await sweep(other) == 0
                assert base.rows(SCRATCHES) == [(name,)]
                await mine.close()  # as where it was killed
            async with asyncio.timeout(20):
                while not await sweep(other):
                    await asyncio.sleep(0.05)
            assert base.rows(SCRATCHES) == []

    asyncio.run(act())
