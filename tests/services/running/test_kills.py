"""Killed at a system call that changes a file, a run has each effect at most once, and its ledger is whole.

`AOS_EVERY_KILL=1` tries every such call (`nox -s kills`), CI a few.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from aos.api.running.mending import reconcile
from aos.api.running.runs import listed, show
from aos.domain.runs.run import Place
from aos.errors import Exit
from aos.ledger.verify import verify
from tests.services.running.one_run import STEPS

EVERY = bool(os.environ.get("AOS_EVERY_KILL"))
CALLS = {"write": 5, "pwrite64": 37, "fdatasync": 11, "fsync": 1, "unlink": 3, "link": 1}
"""The calls by which a run changes files, and the stride at which CI kills at them."""
ENV = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}


def run(folder: Path, *before: str) -> int:
    words = [*before, sys.executable, "-m", "tests.services.running.one_run", str(folder)]
    return subprocess.run(words, env=ENV, stderr=subprocess.DEVNULL).returncode


def killing(call: str, n: int) -> tuple[str, ...]:
    """How strace kills a process at its nth such call, before the kernel has carried it out."""
    return "-qq", "-o", "/dev/null", "-e", f"inject={call}:signal=SIGKILL:when={n}"


def killed_at(folder: Path, call: str, n: int) -> int:
    return run(folder, "strace", *killing(call, n))


def new(folder: Path, call: str, n: int) -> Path:
    made = folder / f"{call}-{n}"
    made.mkdir()
    return made


def effects(folder: Path) -> Counter[str]:
    file = folder / "effects"
    return Counter(file.read_text().split()) if file.exists() else Counter()


def test_at_most_one_effect_wherever_it_is_killed(tmp_path: Path) -> None:
    for call, stride in CALLS.items():
        n = 1
        while killed_at(folder := new(tmp_path, call, n), call, n):
            after_the_kill(folder)
            n += 1 if EVERY else stride
        assert n > 1, f"there was no {call}"


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


# -- the same of `aos run` ---------------------------------------------------------------------------------------

_AOS = (sys.executable, "-m", "aos")


def _skill(purpose: str, *, reads: bool) -> dict[str, Any]:
    effects = dict.fromkeys(["read_only", "idempotent", "reversible"], reads)
    return {
        "version": "1",
        "purpose": purpose,
        "effects": {**effects, "destructive": False, "open_world": not reads},
        "latency_ms": 50,
        "cost": {"cost_cents": 0},
        "failures": [],
    }


_CATALOG = {
    "aos_catalog": "1",
    "skills": {
        "note": _skill("Append to a file: done twice, it is there twice", reads=False),
        "look": _skill("Say how long the file is: what is recorded of that may wait", reads=True),
    },
}
_PLAN = [{"id": "s1", "skill": "note"}, {"id": "seen", "skill": "look"}, {"id": "s2", "skill": "note"}]
_SETTINGS = """
catalogs = ["catalog.json"]
[run.commands]
note = {words = ["/bin/sh", "-c", "cat > /dev/null; echo $AOS_STEP >> effects; echo '{\\"result\\": {}}'"]}
look = {words = ["/bin/sh", "-c", "cat > /dev/null; printf '{\\"result\\": %d}' $(wc -l < effects)"]}
"""


def aos(folder: Path, *words: str, before: tuple[str, ...] = ()) -> int:
    ledger = ("--ledger", "ledger.db")
    command = [*before, *_AOS, *words, *ledger]
    return subprocess.run(command, env=ENV, cwd=folder, capture_output=True, timeout=120).returncode


def test_aos_run_does_nothing_twice_wherever_it_is_killed(tmp_path: Path) -> None:
    for call in CALLS if EVERY else ("unlink",):  # after it, what was written holds
        n = 1
        while run_killed_at(folder := new(tmp_path, call, n), call, n):
            time.sleep(0.2)  # what the killed process had started may still be at work
            gone_on_with(folder)
            n += 1 if EVERY else 2
        assert n > 1, f"there was no {call}"


def run_killed_at(folder: Path, call: str, n: int) -> int:
    (folder / "catalog.json").write_text(json.dumps(_CATALOG))
    (folder / "aos.toml").write_text(_SETTINGS)
    (folder / "plan.json").write_text(json.dumps(_PLAN))
    return aos(folder, "run", "plan.json", before=("strace", *killing(call, n)))


def gone_on_with(folder: Path) -> None:
    ledger = folder / "ledger.db"
    recorded = listed(ledger, limit=9) if ledger.exists() else []
    if not recorded:
        assert not effects(folder)
        assert aos(folder, "run", "plan.json") == 0
    for _ in range(3):
        state = show(ledger, None).state
        if state.status == "succeeded":
            break
        if aos(folder, "run", "--resume", state.start.id) == Exit.UNKNOWN_EFFECT:
            (open_one,) = (one for one in show(ledger, None).state.attempts if one.outcome is None)
            step = open_one.intent.place.step
            told = "--committed" if step in effects(folder) else "--not-committed"
            assert aos(folder, "runs", "reconcile", state.start.id, "--step", step, told) == 0
    state = show(ledger, None).state
    assert state.status == "succeeded"
    assert state.steps["seen"].output == 1  # it was on record before the second effect began
    assert effects(folder) == Counter(STEPS)
    assert not verify(ledger).damage
