"""Keys in files: one each in a folder, 0600 in 0700, owned by the server.

Everything goes through the opened folder, so that nobody can put another in its place meanwhile. A file has its name
only once it is whole and on the disk. The folder itself is the lock between processes.
"""

import errno
import fcntl
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aos.errors import AosError
from aos_server.keystores.backend import MAX_RECORD, RECORD, SIZES, Record, check_size
from aos_server.keystores.keyset import is_version

__all__ = ["FileBackend"]

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_UNFINISHED = re.compile(r"\.(?:v\d+|keys\.json)\.[0-9a-f]{16}\.new")


class FileBackend:
    """The folder need not exist; the first key makes it. Files of the predecessor are keys as they are."""

    kind = "file"

    def __init__(self, folder: Path, first: str = "v1") -> None:
        self._folder = folder
        self.first = first

    def where(self, name: str) -> str:
        return str(self._folder / name)

    def new_places(self) -> list[str]:
        with self._opened() as folder:
            return [str(self._folder)] if folder is None else []

    def record(self) -> Record:
        with self._opened() as folder:
            text = None if folder is None else self._read(folder, RECORD, MAX_RECORD)
        return Record(text, _stamp(text))

    def names(self) -> list[str]:
        with self._opened() as folder:
            return [] if folder is None else [name for name in _listed(folder) if is_version(name)]

    def key(self, name: str) -> bytes:
        with self._opened() as folder:
            key = None if folder is None else self._read(folder, name, SIZES[-1])
        if key is None:
            raise AosError("key_not_found", f"{self.where(name)} does not exist")
        return check_size(key, self.where(name))

    def add(self, name: str, key: bytes) -> None:
        self._make_folder()
        with self._locked() as folder:
            if name in _listed(folder):
                raise AosError("keys_conflict", f"{self.where(name)} exists already")
            self._write(folder, name, key)

    def swap(self, text: bytes, stamp: str) -> None:
        with self._locked() as folder:
            if _stamp(self._read(folder, RECORD, MAX_RECORD)) != stamp:
                raise AosError(
                    "keys_conflict", f"{self.where(RECORD)} was changed by somebody else meanwhile"
                )
            self._write(folder, RECORD, text)

    def remove(self, name: str) -> None:
        with self._locked() as folder, self._writing(name):
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
            os.fsync(folder)

    @contextmanager
    def _opened(self) -> Iterator[int | None]:
        """The folder, None where there is none. Raises AosError(key_unsafe) where others could change what is in it."""
        try:
            folder = os.open(self._folder, _FOLDER)
        except FileNotFoundError:
            yield None
            return
        except OSError as error:
            raise self._refused(str(self._folder), error, "is no folder, or a link to one") from None
        try:
            found = os.fstat(folder)
            if found.st_uid != os.geteuid():
                raise AosError("key_unsafe", f"{self._folder} belongs to another user")
            if found.st_mode & 0o022:
                raise AosError("key_unsafe", f"{self._folder} may be changed by others: chmod 700 it")
            yield folder
        finally:
            os.close(folder)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The folder, while nobody else changes it; what a change that was cut off has left is removed."""
        with self._opened() as folder:
            if folder is None:
                raise AosError("key_not_found", f"{self._folder} does not exist")
            fcntl.flock(folder, fcntl.LOCK_EX)
            for name in filter(_UNFINISHED.fullmatch, _listed(folder)):
                with self._writing(name):
                    os.unlink(name, dir_fd=folder)
            yield folder

    def _read(self, folder: int, name: str, limit: int) -> bytes | None:
        """At most one byte over `limit`; None where there is no such file."""
        try:
            file = os.open(name, _READ, dir_fd=folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._refused(self.where(name), error, "is a link") from None
        with os.fdopen(file, "rb") as stream:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
                raise AosError("key_unsafe", f"{self.where(name)} is no regular file, or has a second name")
            if found.st_uid != os.geteuid():
                raise AosError("key_unsafe", f"{self.where(name)} belongs to another user")
            if found.st_mode & 0o077:
                raise AosError("key_unsafe", f"{self.where(name)} may be read by others: chmod 600 it")
            try:
                return stream.read(limit + 1)
            except OSError as error:
                raise AosError("keystore_unavailable", f"{self.where(name)}: {error.strerror}") from None

    def _write(self, folder: int, name: str, data: bytes) -> None:
        new = f".{name}.{secrets.token_hex(8)}.new"
        with self._writing(name):
            try:
                with os.fdopen(os.open(new, _NEW, 0o600, dir_fd=folder), "wb") as stream:
                    stream.write(data)
                    stream.flush()
                    os.fsync(stream.fileno())
                os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError:
                with suppress(OSError):
                    os.unlink(new, dir_fd=folder)
                raise
            os.fsync(folder)

    def _make_folder(self) -> None:
        with self._writing(""):
            try:
                self._folder.mkdir(0o700)
            except FileExistsError:
                return
            parent = os.open(self._folder.parent, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(parent)
            finally:
                os.close(parent)

    @contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise AosError("write_failed", f"{self.where(name)}: {error.strerror}") from None

    def _refused(self, where: str, error: OSError, link: str) -> AosError:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            return AosError("key_unsafe", f"{where} {link}")
        if error.errno in (errno.EACCES, errno.EPERM):
            return AosError("keystore_forbidden", f"{where}: {error.strerror}")
        return AosError("keystore_unavailable", f"{where}: {error.strerror}")


def _listed(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _stamp(text: bytes | None) -> str:
    return "" if text is None else hashlib.sha256(text).hexdigest()
