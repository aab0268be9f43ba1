"""Memory does not grow with what hostile callers send."""

from tests.server.limits.hostile import assault, resident_mb
from tests.server.processes import aos_server


def test_memory_stays_small_and_flat_under_hostile_load() -> None:
    with aos_server("dev", "--port", "0", env={"RATE_LIMIT_ENABLED": "false"}) as served:
        for _ in range(3):
            assault(served.url, megabytes=30)  # six times what may grow
        before = resident_mb(served.process.pid)
        for _ in range(6):
            assault(served.url, megabytes=30)
        after = resident_mb(served.process.pid)
    assert max(after.values()) < 150
    assert max(after[pid] - before[pid] for pid in before) < 5
