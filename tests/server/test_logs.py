"""What is said over and over is said once in a while."""

import json
import logging
import subprocess
import sys

import pytest

from aos_server import logs


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def tell(summary: logs.Summary, name: str, level: int, text: str, *values: object) -> object:
    """None where it is held back, else how many alike were."""
    record = logging.LogRecord(name, level, "", 0, text, values, None)
    return getattr(record, "alike", 0) if summary.filter(record) else None


def test_a_warning_that_repeats_is_told_once_in_ten_seconds_and_then_with_how_many_there_were(
    clock: Clock,
) -> None:
    summary = logs.Summary(clock=clock)
    pool = ("psycopg.pool", logging.WARNING, "discarding broken connection: %s")
    said = [tell(summary, *pool, f"connection {number}") for number in range(50)]
    assert said == [0, *[None] * 49]
    clock.now += 10
    assert [tell(summary, *pool, "another") for _ in range(2)] == [49, None]
    clock.now += 10
    assert tell(summary, *pool, "another") == 1


def test_what_differs_and_what_is_an_error_is_told_each_time(clock: Clock) -> None:
    summary = logs.Summary(clock=clock)
    loops = [tell(summary, "aos_server.x", logging.WARNING, "%s: gone", name) for name in ("audit", "outbox")]
    assert loops == [0, 0]
    for level in (logging.ERROR, logging.INFO):
        assert [tell(summary, "psycopg.pool", level, "a fault") for _ in range(2)] == [0, 0]


def test_texts_that_differ_endlessly_take_no_endless_memory(clock: Clock) -> None:
    summary = logs.Summary(clock=clock)
    for number in range(3000):
        tell(summary, "aos_server.x", logging.WARNING, "delivery %d", number)
    assert len(summary._told) == 1000
    assert tell(summary, "aos_server.x", logging.WARNING, "delivery %d", 2999) is None


def test_a_process_that_logs_does_so() -> None:
    words = "import logging; from aos_server import logs; logs.configure(plain=False)\n"
    words += "for n in range(20): logging.getLogger('psycopg.pool').warning('error connecting: %s', n)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["event"] == "error connecting: 0"
