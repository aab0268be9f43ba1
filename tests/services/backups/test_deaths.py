"""kill -9 amid a dump, a trial and a restore, and two at once: nothing good is lost, nothing half-made has a name."""

import asyncio
from collections.abc import Callable

import pytest

from aos.errors import AosError
from aos_server.services.backups.folder import Folder
from aos_server.services.backups.making import create, verify
from tests.server.processes import running
from tests.services.backups.backing import Backed, stuck
from tests.services.processes import wait_for


@pytest.mark.parametrize("when", ["dump", "trial", "restore"])
def test_after_kill_9_nothing_is_lost_and_what_is_left_is_swept(shared: Backed, tmp_path, when):
    shared.quiet()
    before = shared.here()
    words = {
        "dump": ("create",),
        "trial": ("verify", before[0]),
        "restore": ("restore", before[0], "--yes-replace", shared.base.name),
    }[when]
    programs = stuck(tmp_path / "stuck")
    begun: Callable[[], bool] = {
        "dump": lambda: any(path.stat().st_size for path in shared.path.glob(".*.new/database.dump")),
    }.get(when, lambda: bool(shared.scratches()) and bool(running(str(programs))))
    with shared.begin(*words, more={"AOS_BACKUP_PROGRAMS": str(programs)}) as process:
        wait_for(begun, f"it is amid the {when}")
        with pytest.raises(
            AosError, match=", running since 20"
        ) as refused:  # of two, the second is told of the first
            shared.create()
        assert (refused.value.code, refused.value.row.exit) == ("backup_running", 9)
        process.kill()
    wait_for(lambda: not running(str(programs)), "its programs have ended with it")
    assert [name for name in shared.here() if name[0] != "."] == before
    assert shared.base.rows("SELECT count(*) FROM runs") == [(2,)]
    assert (shared.scratches() != []) == (when != "dump")
    if when == "restore":  # its scratch database is the superuser's, as it was
        assert shared.restore(before[0], f"{shared.base.name}_beside").before is None
    assert shared.create().state == "good"
    assert shared.scratches() == []
    assert not any(name.startswith(".") for name in shared.here())
    assert all(Folder(shared.path).find(name).is_good for name in before)


@pytest.mark.parametrize("when", ["dump", "trial"])
def test_one_that_is_cut_off_as_where_its_worker_ends_leaves_nothing_at_once(shared: Backed, tmp_path, when):
    before = shared.here()
    site = shared.site._replace(programs=stuck(tmp_path / "stuck"))

    async def act() -> None:
        task = asyncio.create_task(create(site) if when == "dump" else verify(site, before[0]))
        while not (any(shared.path.glob(".*.new/database.dump")) if when == "dump" else shared.scratches()):
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 20)

    asyncio.run(act())
    assert shared.here() == before
    assert shared.scratches() == []
    wait_for(lambda: not running(str(site.programs)), "its programs have ended with it")
