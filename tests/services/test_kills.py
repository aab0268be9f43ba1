"""Killed at a system call that changes a file, a run has each effect at most once, and its ledger is whole.

`AOS_EVERY_KILL=1` tries every such call (`nox -s kills`), CI each eleventh.
"""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from aos.api.runs import reconcile, show
from aos.domain.runs import Place
from aos.ledger.verify import verify
from tests.services.one_run import STEPS

CALLS = "write,pwrite64,fsync,fdatasync,ftruncate,unlink,unlinkat,link,linkat,rename,renameat2,mkdir"
STRIDE = 1 if os.environ.get("AOS_EVERY_KILL") else 11
ENV = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}


def run(folder: Path, *before: str) -> int:
    words = [*before, sys.executable, "-m", "tests.services.one_run", str(folder)]
    return subprocess.run(words, env=ENV, stderr=subprocess.DEVNULL).returncode


def killed_at(folder: Path, n: int) -> int:
    return run(
        folder, "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={CALLS}:signal=SIGKILL:when={n}"
    )


def effects(folder: Path) -> Counter[str]:
    file = folder / "effects"
    return Counter(file.read_text().split()) if file.exists() else Counter()


def test_at_most_one_effect_wherever_it_is_killed(tmp_path: Path) -> None:
    n, points = 1, 0
    while True:
        folder = tmp_path / str(n)
        folder.mkdir()
        if killed_at(folder, n) == 0:
            break
        after_the_kill(folder)
        n, points = n + STRIDE, points + 1
    assert points > 100 / STRIDE, "strace did not kill"


def after_the_kill(folder: Path) -> None:
    ledger = folder / "ledger.db"
    done = effects(folder)
    assert max(done.values(), default=0) <= 1
    if ledger.exists():
        assert not verify(ledger).damage
    assert not done or set(done) <= {one.intent.place.step for one in show(ledger, "r1").state.attempts}
    for _ in STEPS:
        if run(folder) == 8:  # somebody looks, and tells
            open_ones = [one for one in show(ledger, "r1").state.attempts if one.outcome is None]
            step = open_ones[0].intent.place.step
            assert effects(folder)[step] <= 1
            reconcile(ledger, "r1", Place(step), committed=step in effects(folder), result=step)
    assert run(folder) == 0
    assert effects(folder) == Counter(STEPS)
    assert not verify(ledger).damage
