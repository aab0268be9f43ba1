"""Keys in files: who else may touch one, and what is no key."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aos.errors import AosError
from aos_server.keystores.changes import carry_out, rotate
from aos_server.keystores.file import FileBackend
from aos_server.keystores.keyring import Keyring

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good key."""
    path = tmp_path / "keys"
    path.mkdir(0o700)
    put(path / "v1", b"k" * 32)
    return path


def put(path: Path, data: bytes, mode: int = 0o600) -> None:
    path.write_bytes(data)
    path.chmod(mode)


def refused(folder: Path) -> tuple[str, str]:
    """Nothing is changed by it, and a server doesn't start."""
    before = {path.name: path.lstat() for path in folder.iterdir()}
    with pytest.raises(AosError) as failed:
        rotate(FileBackend(folder), NOW, DAY)
    with pytest.raises(AosError):
        Keyring(FileBackend(folder), NOW)
    after = {path.name: path.lstat() for path in folder.iterdir()}
    assert {name: (found.st_ino, found.st_mtime_ns) for name, found in after.items()} == {
        name: (found.st_ino, found.st_mtime_ns) for name, found in before.items()
    }
    return failed.value.code, failed.value.detail


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"k", "has 1 bytes"),
        (b"k" * 10_000_000, "over"),
        (b"0123456789abcdef0123\r\n", "line ends of Windows"),
    ],
)
def test_what_is_no_key(folder: Path, data: bytes, words: str):
    put(folder / "v1", data)
    code, detail = refused(folder)
    assert (code, words in detail) == ("key_unsafe", True)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o601])
def test_a_key_that_others_may_touch(folder: Path, mode: int):
    (folder / "v1").chmod(mode)
    assert refused(folder) == ("key_unsafe", f"{folder}/v1 may be read by others: chmod 600 it")


def test_a_folder_that_others_may_change(folder: Path):
    folder.chmod(0o770)
    assert refused(folder)[0] == "key_unsafe"


def test_links_and_what_is_no_file(folder: Path, tmp_path: Path):
    (folder / "v1").rename(tmp_path / "elsewhere")
    (folder / "v1").symlink_to(tmp_path / "elsewhere")
    assert refused(folder)[0] == "key_unsafe"
    (folder / "v1").unlink()
    os.link(tmp_path / "elsewhere", folder / "v1")
    assert refused(folder)[0] == "key_unsafe"
    (folder / "v1").unlink()
    os.mkfifo(folder / "v1", 0o600)
    assert refused(folder)[0] == "key_unsafe"
    (tmp_path / "link").symlink_to(folder)
    assert refused(tmp_path / "link")[0] == "key_unsafe"


def test_what_is_made_is_for_the_server_alone(tmp_path: Path):
    umask = os.umask(0)
    try:
        backend = FileBackend(tmp_path / "keys")
        carry_out(backend, rotate(backend, NOW, DAY))
    finally:
        os.umask(umask)
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {
        "v1": 0o600,
        "keys.json": 0o600,
    }


def test_any_bytes_of_the_predecessor_are_the_key(folder: Path):
    for data in (b"0123456789abcdef0123\n", bytes(range(200)), b"\r\n\xff" * 10):
        put(folder / "v1", data)
        assert FileBackend(folder).key("v1") == data


def test_another_version_may_be_the_first(folder: Path):
    put(folder / "v7", b"s" * 32)
    backend = FileBackend(folder, "v7")
    assert [one.name for one in Keyring(backend, NOW).keys.versions] == ["v7"]
    assert rotate(backend, NOW, DAY).adds == "v8"


def test_loaded_keys_sign_on_when_the_folder_is_gone(folder: Path, tmp_path: Path):
    ring = Keyring(FileBackend(folder), NOW)
    secrets = ring.secrets("ep_1", NOW)
    folder.rename(tmp_path / "away")
    ring.refresh(NOW)
    assert ring.trouble is not None
    assert ring.secrets("ep_1", NOW) == secrets
    (tmp_path / "away").rename(folder)
    ring.rotate(NOW, DAY)
    assert ring.trouble is None
    assert ring.secrets("ep_1", NOW)[1:] == secrets
