"""`aos simulate` reaches no network and writes nothing: shown by the kernel, not by reading the code."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLANS = sorted((ROOT / "examples" / "plans").glob("*/plan.*"))
_INTERNET = re.compile(r"\b(socket\(AF_INET|socket\(AF_INET6|connect\(|sendto\(|sendmsg\()")
_WRITES = re.compile(
    r"\b(?:open(?:at2?)?|creat)\((?P<call>.*(?:O_WRONLY|O_RDWR|O_CREAT|O_TRUNC).*)"
    r"|\b(?:mkdir|unlink|rename|link|symlink|truncate|chmod|chown)(?:at2?)?\("
)
_HARMLESS = re.compile(r'"/dev/(?:null|tty|pts/\d+)"')


@pytest.fixture(scope="module")
def strace() -> str:
    found = shutil.which("strace")
    if found is None:
        pytest.fail("strace is missing: `nox -s services` installs it")
    return found


def _simulate(plan: Path) -> list[str]:
    return [sys.executable, "-m", "aos", "simulate", str(plan), "--json"]


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.parent.name)
def test_no_socket_is_opened_and_no_file_written(plan, strace, tmp_path):
    subprocess.run(_simulate(plan), capture_output=True)  # Python may write its byte code once
    log = tmp_path / "calls"
    calls = "trace=%network,open,openat,openat2,creat,%file"
    subprocess.run(
        [strace, "-f", "-qq", "-e", calls, "-o", log, *_simulate(plan)], capture_output=True, cwd=ROOT
    )
    lines = log.read_text(errors="replace").splitlines()
    assert any("openat(" in line for line in lines), "strace recorded nothing"
    assert [line for line in lines if _INTERNET.search(line)] == []
    assert [line for line in lines if _WRITES.search(line) and not _HARMLESS.search(line)] == []


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.parent.name)
def test_the_answer_is_the_same_without_any_network(plan):
    here = subprocess.run(_simulate(plan), capture_output=True, cwd=ROOT)
    alone = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    away = subprocess.run([*alone, *_simulate(plan)], capture_output=True, cwd=ROOT)
    assert away.stderr == b""
    assert (away.returncode, away.stdout) == (here.returncode, here.stdout)
