"""A program gets all of its input, however long it takes to read it."""

import os
import sys
from pathlib import Path

from aos.runtime.guards.patience import Patience
from aos.runtime.guards.processes import run


def test_a_slow_reader_gets_all_of_its_input(tmp_path: Path) -> None:
    """More than a pipe holds, read only after several looks whether time is up."""
    slow = "import sys, time; time.sleep(0.3); print(len(sys.stdin.buffer.read()))"
    environment = {"PATH": os.environ["PATH"]}
    done = run([sys.executable, "-c", slow], b"x" * 1_000_000, tmp_path, environment, Patience(20), 1_000)
    assert (done.status, done.output.strip()) == (0, b"1000000")


def test_a_program_need_not_read_its_input(tmp_path: Path) -> None:
    done = run(["/bin/echo", "done"], b"x" * 1_000_000, tmp_path, {}, Patience(20), 1_000)
    assert (done.status, done.output) == (0, b"done\n")
