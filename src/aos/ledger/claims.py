"""Who carries a run out: one process at a time. The system gives a claim up with its process, however that ends.

A claim is a lock on one byte of a file beside the ledger, at a place that the run's id decides. That two ids meet at
one place is as likely as that two random ids are the same.
"""

import hashlib
import os
import struct
import sys
from pathlib import Path

from aos.errors import AosError
from aos.wire.problems import visible

__all__ = ["Claims", "is_claimed"]

_FILES: dict[Path, int] = {}
"""Never closed: the system gives all locks of a process on a file up as soon as any of its handles is closed."""
_HELD: set[tuple[int, int]] = set()
"""Handle and place. The system's locks keep other processes out, not this one."""
_FLOCK = "hhqqi4x"
"""Linux' struct flock: type, whence, start, length, process."""


class Claims:
    """The claims on runs of one ledger, held until `close`."""

    def __init__(self, ledger: Path) -> None:
        self._path = ledger.with_name(ledger.name + "-claims")
        self._own: set[tuple[int, int]] = set()

    def take(self, run: str) -> None:
        """Claim a run. Raises AosError(run_conflict) where somebody else carries it out."""
        claim = _file(self._path), _place(run)
        if claim in self._own:
            return
        if claim in _HELD or not _lock(*claim):
            raise AosError(
                "run_conflict",
                f"run {visible(run)} is being carried out, by another process",
                fix="Let it end, or stop it; then resume the run.",
            )
        _HELD.add(claim)
        self._own.add(claim)

    def close(self) -> None:
        """Give all claims up."""
        for claim in self._own:
            _lock(*claim, release=True)
            _HELD.discard(claim)
        self._own.clear()


def is_claimed(ledger: Path, run: str) -> bool:
    """Whether a process carries the run out. Only looks; where it may not look, it says yes."""
    path = ledger.with_name(ledger.name + "-claims")
    if not path.exists():
        return False
    try:
        claim = _file(path), _place(run)
    except AosError:
        return True
    return claim in _HELD or _is_locked(*claim)


def _place(run: str) -> int:
    digest = hashlib.sha256(run.encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8]) >> (2 if sys.platform != "win32" else 33)


def _file(path: Path) -> int:
    key = path.resolve()
    if key not in _FILES:
        try:
            _FILES[key] = os.open(key, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise AosError("write_failed", f"{visible(str(path), 200)}: {error.strerror}") from None
    return _FILES[key]


def _lock(file: int, place: int, *, release: bool = False) -> bool:
    """Lock one byte, which need not be there, or let it go; False where another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, place, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_UNLCK if release else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.lockf(file, fcntl.LOCK_UN if release else fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
    except OSError:
        return False
    return True


def _is_locked(file: int, place: int) -> bool:
    """Whether another process has one byte locked. Linux is asked, others show it by whether it can be locked."""
    if sys.platform == "linux":
        import fcntl

        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0)
        (kind, *_) = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
        return bool(kind != fcntl.F_UNLCK)
    if not _lock(file, place):
        return True
    _lock(file, place, release=True)
    return False
