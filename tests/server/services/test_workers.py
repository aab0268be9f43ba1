"""Worker processes: a heavy plan is alone, a dead process is replaced, and too long is cut off."""

import os
import signal
import time
from functools import partial
from pathlib import Path

import anyio
import pytest

from aos.errors import AosError, InputError
from aos_server.metrics import WORKERS_LOST
from aos_server.services.workers import Workers


def _pid() -> int:
    return os.getpid()


def _die_once(marker: Path) -> int:
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _refuse() -> None:
    raise InputError("invalid_plan", "no", fix="mend it")


def test_a_heavy_call_leaves_a_process_to_light_ones() -> None:
    async def main() -> None:
        workers = Workers(2, timeout_s=30)
        await workers.start()
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(partial(workers.run, time.sleep, 600, heavy=True))
            await anyio.sleep(0.1)  # by now they have what they can get
            assert await workers.run(_pid) > 0  # had they both processes, it would not be computed in time
            group.cancel_scope.cancel()

    anyio.run(main)


def test_a_process_that_is_killed_is_replaced_and_its_call_made_again(tmp_path: Path) -> None:
    async def main() -> tuple[int, int]:
        workers = Workers(1, timeout_s=30)
        before = await workers.run(_pid)
        after = await workers.run(_die_once, tmp_path / "died")
        os.kill(after, signal.SIGKILL)  # while it has nothing to do
        assert await workers.run(_pid) not in (before, after)
        return before, after

    before, after = anyio.run(main)
    assert before != after


def test_a_call_that_kills_its_process_is_refused_and_the_next_is_served() -> None:
    before = WORKERS_LOST._value.get()

    async def main() -> None:
        workers = Workers(1, timeout_s=30)
        with pytest.raises(AosError) as caught:
            await workers.run(_die)
        assert (caught.value.code, caught.value.row.status) == ("not_computed", 503)
        assert await workers.run(_pid) > 0

    anyio.run(main)
    assert WORKERS_LOST._value.get() == before + 2


def test_a_call_that_takes_too_long_is_killed_with_its_process() -> None:
    async def main() -> None:
        pid = await Workers(1, timeout_s=60).run(_pid)  # the process is there, and waits for the next call
        with pytest.raises(AosError, match=r"not computed within 1 s"):
            await Workers(1, timeout_s=1).run(time.sleep, 60)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    anyio.run(main)


def test_an_error_arrives_whole() -> None:
    async def main() -> None:
        with pytest.raises(InputError) as caught:
            await Workers(1, timeout_s=30).run(_refuse)
        assert (caught.value.code, caught.value.detail, caught.value.fix) == ("invalid_plan", "no", "mend it")

    anyio.run(main)
