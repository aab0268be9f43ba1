"""The workspace: reads and replaces regular files beneath one folder, and nothing else anywhere."""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from aos.runtime.guards import GuardError
from aos.runtime.guards.beneath import Opener, usual_opener

__all__ = ["Workspace"]

_MISSING = {errno.ENOENT, errno.ENOTDIR}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FOLDER = os.O_RDONLY | os.O_DIRECTORY


class Workspace:
    """One folder, open for as long as the workspace is: a folder put in its place later is not it.

    Use it in a `with`. Paths are relative, with `/` between components; `..` is refused. The methods raise GuardError:
    NOT_FOUND, DENIED, INPUT_TOO_LARGE, DISK_FULL or SKILL_ERROR, all with effect "none" unless they say otherwise.
    """

    def __init__(self, root: Path, opener: Opener | None = None) -> None:
        self._open = opener or usual_opener()
        with _told(str(root)):
            self._root = os.open(root, _FOLDER | os.O_CLOEXEC)

    def __enter__(self) -> "Workspace":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the folder go. Twice is once."""
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def read(self, path: str, max_bytes: int) -> bytes:
        """The bytes of a regular file of at most that size."""
        parts = _parts(path)
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY  # a FIFO would wait for somebody to write into it
        with _told(path), _closing(self._open(self._root, parts, flags)) as file:
            _must_be_regular(path, os.fstat(file))
            pieces = bytearray()
            while len(pieces) <= max_bytes and (piece := os.read(file, 1 << 20)):
                pieces += piece
        if len(pieces) > max_bytes:
            raise _refused("INPUT_TOO_LARGE", path, f"over {max_bytes:,} bytes")
        return bytes(pieces)

    def write(self, path: str, data: bytes) -> None:
        """Replace the file by `data`, at once and for good, or leave it as it was; missing folders are made.

        The new content is complete and on disk before it gets the name, and the name is on disk when this returns. If
        only that last step fails the effect is "unknown".
        """
        *folders, name = _parts(path)
        with _told(path), _closing(self._folder(folders)) as folder:
            mode = self._mode(folder, path, name)
            temporary = f".{secrets.token_hex(8)}.aos-tmp"
            try:
                _fill(temporary, data, mode, folder)
                os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                raise
            try:
                os.fsync(folder)
            except OSError as error:
                detail = f"{path}: written, but perhaps not yet on disk ({error.strerror})"
                raise GuardError("SKILL_ERROR", detail, effect="unknown") from None

    def _folder(self, parts: Sequence[str]) -> int:
        """An open folder beneath the root, made where it is missing."""
        try:
            return self._open(self._root, parts, _FOLDER)
        except FileNotFoundError:
            if not parts:
                raise
            with _closing(self._folder(parts[:-1])) as parent:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(parts[-1], dir_fd=parent)
                os.fsync(parent)
                return self._open(parent, parts[-1:], _FOLDER)

    def _mode(self, folder: int, path: str, name: str) -> int | None:
        """The permissions of the regular file that is replaced; None where there is none yet."""
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        _must_be_regular(path, found)
        return found.st_mode & 0o777


def _parts(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts or not parts or "\0" in path or path.endswith("/"):
        raise _refused("DENIED", path, "not the path of a file inside the workspace")
    return parts


def _fill(name: str, data: bytes, mode: int | None, folder: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with _closing(os.open(name, flags, 0o666 if mode is None else 0o600, dir_fd=folder)) as file:
        if mode is not None:
            os.fchmod(file, mode)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)


def _must_be_regular(path: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _refused("DENIED", path, "not a regular file")


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    """Turns the system's errors into the catalogue's."""
    try:
        yield
    except OSError as error:
        code = "DENIED" if error.errno is not None else "SKILL_ERROR"
        if error.errno in _MISSING:
            code = "NOT_FOUND"
        elif error.errno in _FULL:
            code = "DISK_FULL"
        elif error.errno == errno.EIO:
            code = "SKILL_ERROR"
        # openat2 says "cross-device link" of a link that leads out
        why = "it leads out of the workspace" if error.errno == errno.EXDEV else error.strerror
        raise _refused(code, path, why or str(error)) from None
    except UnicodeError:
        raise _refused("DENIED", path, "not the name of a file") from None


def _refused(code: str, path: str, why: str) -> GuardError:
    return GuardError(code, f"{path}: {why}", effect="none")
