"""Keys in files whatever happens to the process: killed, no room, a broken disk; and files of another user."""

import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aos.errors import AosError
from aos_server.keystores.changes import carry_out, load, rotate
from aos_server.keystores.check import check
from aos_server.keystores.file import FileBackend
from aos_server.keystores.keyring import Keyring

CALLS = ("mkdir", "write", "fsync", "rename", "renameat", "unlinkat")  # strace counts each by itself
AGO = datetime.now(UTC) - timedelta(days=30)
HOUR = timedelta(hours=1)
FAULTS = {"killed": "signal=SIGKILL", "no room": "error=ENOSPC", "a broken disk": "error=EIO"}


def rotating(folder: Path, *strace: str) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "aos_server", "keys", "rotate", "--backend", "file"]
    environment = {**os.environ, "WEBHOOK_KEYS_PATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([*strace, *words], env=environment, capture_output=True, text=True, timeout=60)


def injecting(call: str, n: int, fault: str) -> tuple[str, ...]:
    """The nth such call of the program fails, or is its last."""
    return ("strace", "-qq", "-o", "/dev/null", "-e", f"inject={call}:{FAULTS[fault]}:when={n}")


@pytest.mark.parametrize("fault", FAULTS)
def test_the_keys_are_the_old_or_the_new_whole_wherever_a_rotation_breaks(tmp_path: Path, fault: str) -> None:
    points: Counter[str] = Counter()
    serials = set()
    over = set[str]()
    for call, n in ((call, n) for call in CALLS for n in range(1, 9) if call not in over):
        folder = tmp_path / f"{call}{n}"
        backend = FileBackend(folder)
        for ago in (AGO, AGO + 24 * HOUR):  # v1 has ended and will be removed
            carry_out(backend, rotate(backend, ago, HOUR))
        old = Keyring(backend, AGO + 48 * HOUR).secrets("ep_1", AGO + 48 * HOUR)
        done = rotating(folder, *injecting(call, n, fault))
        serials.add(after(folder, old))
        if done.returncode == 0:
            over.add(call)  # it makes no more such calls
            continue
        points[call] += 1
        assert done.returncode in (-9, 12) or call == "write", (call, n, done)
    assert serials == {2, 3}
    assert points["fsync"] >= 5
    assert points["write"] >= 3
    assert points["rename"] + points["renameat"] == 2


def after(folder: Path, old: list[str]) -> int:
    """The serial of the record that holds. The keys are whole, for us alone, and can be rotated again."""
    backend, now = FileBackend(folder), datetime.now(UTC)
    keys, _ = load(backend)
    secrets = Keyring(backend, now).secrets("ep_1", now)
    assert secrets == old if keys.serial == 2 else secrets[1:] == old
    assert {finding.name for finding in check(backend, now) if finding.wrong} <= {"v1", "v3"}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    later = now + timedelta(days=2)
    carry_out(backend, rotate(backend, later, HOUR))
    assert len(Keyring(backend, later).secrets("ep_1", later)) == 2
    assert not list(folder.glob(".*"))
    return keys.serial


def test_the_first_key_is_there_or_not(tmp_path: Path) -> None:
    killed, over = 0, set[str]()
    for call, n in ((call, n) for call in CALLS for n in range(1, 9) if call not in over):
        folder = tmp_path / f"{call}{n}"
        if rotating(folder, *injecting(call, n, "killed")).returncode == 0:
            over.add(call)
            continue
        killed += 1
        if folder.exists():
            assert folder.stat().st_mode & 0o777 == 0o700
            assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} <= {0o600}
        assert rotating(folder).returncode == 0
        assert Keyring(FileBackend(folder), datetime.now(UTC)).keys.versions
    assert killed > 8, "strace did not kill"


def test_no_key_is_among_the_words_of_a_process_or_in_what_it_says(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = rotating(
        tmp_path / "keys", "strace", "-f", "-qq", "-s", "9999", "-e", "trace=execve,write", "-o", str(log)
    )
    key = FileBackend(tmp_path / "keys").key("v1").decode()
    assert done.returncode == 0
    assert key not in done.stdout + done.stderr
    assert log.read_text().count(key) == 1  # written once: to its file


def test_a_key_or_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    backend, now = FileBackend(tmp_path / "keys"), datetime.now(UTC)
    carry_out(backend, rotate(backend, now, HOUR))
    for path in (tmp_path / "keys/v1", tmp_path / "keys"):
        os.chown(path, 12345, -1)
        with pytest.raises(AosError, match="belongs to another user"):
            Keyring(backend, now)
        os.chown(path, os.geteuid(), -1)
    assert Keyring(backend, now).keys.versions
