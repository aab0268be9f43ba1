"""A ledger on a disk that is full, or that may only be read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

_FILL = """
import sys
from pathlib import Path
from aos.errors import AosError
from aos.ledger.ledger import Ledger
from aos.ledger.verify import verify
from tests.unit.ledger.build import intent, start

path, effects = Path(sys.argv[1]) / "ledger.db", 0
with Ledger(path) as ledger:
    ledger.begin(start(budget=None))
    try:
        while True:
            ledger.intend(intent(f"s{effects}"))
            effects += 1
    except AosError as error:
        print(error.code, error.row.exit, str(path) in error.detail)
check = verify(path)
print(check.damage, check.entries == effects + 2)
"""
_READ = """
import subprocess, sys
words = [sys.executable, "-m", "aos"]
for command in (["runs", "list"], ["ledger", "verify"], ["runs", "import", "-"]):
    done = subprocess.run([*words, *command, "--ledger", sys.argv[1] + "/ledger.db"], input=b"{}", capture_output=True)
    print(done.returncode)
"""


def on_a_small_disk(folder: Path, *steps: str) -> list[str]:
    """Run steps of a shell in a mount namespace of their own, where `$1` is a disk of 400 kB."""
    script = "set -e; mount -t tmpfs -o size=400k none $1; " + "; ".join(steps)
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    words = ["unshare", "--mount", *root, "sh", "-c", script, "sh", str(folder), sys.executable]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, str]:
    for name, text in (("fill", _FILL), ("read", _READ)):
        (tmp_path / f"{name}.py").write_text(text)
    return {name: f"PYTHONPATH=. $2 {tmp_path}/{name}.py $1" for name in ("fill", "read")}


def test_what_is_full_is_12_and_no_effect_goes_without_its_intent(
    tmp_path: Path, programs: dict[str, str]
) -> None:
    (tmp_path / "disk").mkdir()
    assert on_a_small_disk(tmp_path / "disk", programs["fill"]) == ["write_failed 12 True", "() True"]


def test_what_may_only_be_read_is_read_and_not_written(tmp_path: Path, programs: dict[str, str]) -> None:
    (tmp_path / "disk").mkdir()
    steps = (f"{programs['fill']} > /dev/null", "mount -o remount,ro $1", programs["read"])
    assert on_a_small_disk(tmp_path / "disk", *steps) == ["0", "0", "12"]
