"""The folder of backups: which there are is what it holds. A backup is a folder of its own, 0700, its files 0600.

It has its name only once it is whole and on the disk, and loses it before it is taken apart. The folder's lock is one
for all processes, and is gone with who holds it.
"""

import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

from aos.errors import AosError
from aos_server.services.backups.manifest import MAX_BYTES, Manifest, dumped, loaded, stamp

__all__ = ["NAME", "Folder", "Found", "Made", "new_name"]

NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
_UNFINISHED = re.compile(rf"\.{NAME.pattern}\.(?:new|gone)")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_MANIFEST, _DUMP, _LOCK = "manifest.json", "database.dump", ".lock"


class Found(NamedTuple):
    """A backup by its name: its manifest, or why it can't be read."""

    name: str
    manifest: Manifest | None
    damage: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it was restored and compared, and its files are there."""
        return self.manifest is not None and self.manifest.state == "good"

    @property
    def started_at(self) -> datetime:
        """By its name, since a damaged one says nothing else."""
        return datetime.strptime(self.name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


class Made(NamedTuple):
    """A backup that has no name yet."""

    name: str
    path: Path

    @contextmanager
    def dump(self) -> Iterator[BinaryIO]:
        """The file that it goes to."""
        with os.fdopen(os.open(self.path / _DUMP, _NEW, 0o600), "wb") as file:
            yield file


class Folder:
    """Raises AosError: write_failed in the system's words, unsafe_setting where others may look into it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Make it if there is none, and look whether it is ours alone."""
        with self._writing(self.path):
            with suppress(FileExistsError):
                self.path.mkdir(0o700)
                _sync(self.path.parent)
            found = self.path.stat()
        if found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise AosError(
                "unsafe_setting",
                f"AOS_BACKUP_PATH: {self.path} may be read or changed by others, or is another user's",
                fix=f"chmod 700 {self.path}, and run this as its owner.",
            )

    @contextmanager
    def locked(self, what: str) -> Iterator[None]:
        """Alone with it. What was left by those who were killed is removed. Raises AosError(backup_running)."""
        self.prepare()
        with self._writing(self.path):
            descriptor = os.open(
                self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
            )
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise self._running(descriptor) from None
            told = json.dumps({"what": what, "since": stamp(datetime.now(UTC)), "pid": os.getpid()}).encode()
            with self._writing(self.path):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, told, 0)
                for path in self.path.iterdir():
                    if _UNFINISHED.fullmatch(path.name):
                        shutil.rmtree(path)
            yield
        finally:
            os.close(descriptor)

    def names(self) -> list[str]:
        """The oldest first."""
        with self._writing(self.path):
            if not self.path.exists():
                return []
            return sorted(path.name for path in self.path.iterdir() if NAME.fullmatch(path.name))

    def every(self) -> list[Found]:
        """All backups, the oldest first."""
        return [self.find(name) for name in self.names()]

    def last_good(self) -> datetime | None:
        """When the last good one began."""
        return max((one.started_at for one in self.every() if one.is_good), default=None)

    def find(self, name: str) -> Found:
        """One that is there."""
        try:
            return Found(name, self.manifest(name))
        except AosError as error:
            if error.code == "backup_not_found":
                raise
            return Found(name, None, error.detail)

    def manifest(self, name: str) -> Manifest:
        """What it says of itself. Raises AosError: backup_not_found, backup_damaged also where its dump is gone."""
        if not NAME.fullmatch(name) or not (self.path / name).is_dir():
            raise AosError("backup_not_found", f"there is no backup {name[:64]!r}")
        try:
            with (self.path / name / _MANIFEST).open("rb") as file:
                found = loaded(file.read(MAX_BYTES + 1), name)
            size = (self.path / name / _DUMP).stat().st_size
        except FileNotFoundError as error:
            raise AosError("backup_damaged", f"{name}: {Path(error.filename).name} is gone") from None
        except OSError as error:
            raise AosError("backup_damaged", f"{name}: it can't be read: {error.strerror}") from None
        if size != found.size:
            raise AosError("backup_damaged", f"{name}: {_DUMP} has {size:,} bytes, not {found.size:,}")
        return found

    @contextmanager
    def making(self, name: str) -> Iterator[Made]:
        """A new one, which is gone at the end unless it was published."""
        made = Made(name, self.path / f".{name}.new")
        try:
            with self._writing(made.path):
                made.path.mkdir(0o700)
                yield made
        finally:
            shutil.rmtree(made.path, ignore_errors=True)

    def publish(self, made: Made, manifest: Manifest) -> None:
        """Give it its name, whole and on the disk."""
        with self._writing(made.path):
            with _created(made.path / _MANIFEST) as file:
                file.write(dumped(manifest))
            _sync(made.path / _DUMP)
            _sync(made.path)
            made.path.rename(self.path / made.name)
            _sync(self.path)

    def keep(self, manifest: Manifest) -> None:
        """Write its manifest anew."""
        folder = self.path / manifest.name
        new = folder / f".{_MANIFEST}.{secrets.token_hex(8)}"
        with self._writing(folder):
            try:
                with _created(new) as file:
                    file.write(dumped(manifest))
                new.rename(folder / _MANIFEST)
            finally:
                new.unlink(missing_ok=True)
            _sync(folder)

    def read(self, name: str) -> BinaryIO:
        """Its dump. Raises AosError(backup_damaged)."""
        try:
            return (self.path / name / _DUMP).open("rb")
        except OSError as error:
            raise AosError("backup_damaged", f"{name}: {_DUMP} can't be read: {error.strerror}") from None

    def remove(self, name: str) -> None:
        """Take it away: first its name."""
        gone = self.path / f".{name}.gone"
        with self._writing(gone):
            (self.path / name).rename(gone)
            _sync(self.path)
            shutil.rmtree(gone)

    def _running(self, descriptor: int) -> AosError:
        try:
            told = json.loads(os.pread(descriptor, 4096, 0))
            who = f"{told['what']}, running since {told['since']} (process {told['pid']})"
        except (ValueError, KeyError, TypeError):
            who = "another one has just begun"
        return AosError("backup_running", f"{self.path}: {who}", retry_after_s=60)

    @contextmanager
    def _writing(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise AosError("write_failed", f"AOS_BACKUP_PATH: {path}: {error.strerror or error}") from None


def new_name(at: datetime) -> str:
    """A name that no other backup has; those of later ones, sorted as text, come after it, to the microsecond."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{at.microsecond:05x}{secrets.randbelow(16):x}"


@contextmanager
def _created(path: Path) -> Iterator[BinaryIO]:
    with os.fdopen(os.open(path, _NEW, 0o600), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
