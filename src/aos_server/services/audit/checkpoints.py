"""Checkpoints: signed statements "the audit log had this many rows and this root", kept outside the database.

A checkpoint is a signed note as transparency logs write it (C2SP signed-note and tlog-checkpoint): three lines, an
empty one, and a signature with Ed25519. The file only grows; who can change the database cannot change what it says.
"""

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from aos.errors import AosError

__all__ = [
    "Checkpoint",
    "Signer",
    "append",
    "newest",
    "notes_in",
    "opened",
    "read_notes",
    "require_writable",
    "signer",
    "verifier",
]

ORIGIN = "aos.audit"
_KEY_BYTES = 32  # of Ed25519, RFC 8032
_END = 8 * 1024  # some forty notes
_NOTE = re.compile(
    rf"(?P<text>{re.escape(ORIGIN)}\n(?P<size>[1-9][0-9]{{0,15}})\n(?P<root>[A-Za-z0-9+/]{{43}}=)\n)"
    rf"\n— {re.escape(ORIGIN)} (?P<signature>[A-Za-z0-9+/]{{91}}=)\n"
)
_VERIFIER = re.compile(rf"{re.escape(ORIGIN)}\+(?P<id>[0-9a-f]{{8}})\+(?P<key>[A-Za-z0-9+/]{{44}})")


class Checkpoint(NamedTuple):
    """The size and root of the tree at one time."""

    size: int
    root: bytes


class Signer(NamedTuple):
    """The key that signs."""

    key: Ed25519PrivateKey

    @property
    def public(self) -> Ed25519PublicKey:
        """What verifies."""
        return self.key.public_key()

    @property
    def verifier(self) -> str:
        """The public key as text, as signed notes have it: for who is to check signatures."""
        raw = b"\x01" + self.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"{ORIGIN}+{_key_id(self.public).hex()}+{base64.b64encode(raw).decode()}"

    def note(self, checkpoint: Checkpoint) -> str:
        """The signed note."""
        text = f"{ORIGIN}\n{checkpoint.size}\n{base64.b64encode(checkpoint.root).decode()}\n"
        signature = base64.b64encode(_key_id(self.public) + self.key.sign(text.encode())).decode()
        return f"{text}\n— {ORIGIN} {signature}\n"


def verifier(text: str) -> Ed25519PublicKey:
    """The public key that a text of `Signer.verifier` stands for. Raises AosError(bad_value)."""
    match = _VERIFIER.fullmatch(text)
    raw = base64.b64decode(match["key"]) if match else b""
    if match and raw[0] == 1:
        public = Ed25519PublicKey.from_public_bytes(raw[1:])
        if _key_id(public).hex() == match["id"]:
            return public
    raise AosError(
        "bad_value",
        f"AOS_AUDIT_PUBLIC_KEY is not a public key of {ORIGIN}",
        fix="`aos-server check --process worker` shows it.",
    )


def signer(path: Path) -> Signer:
    """The key of that file, made (0600) if there is none.

    Raises AosError: unsafe_setting where others may read it or it is no key, write_failed where it can't be had.
    """
    with _filing("AOS_AUDIT_KEY_PATH", path):
        if not path.exists():
            _make(path)
        found, raw = path.stat(), path.read_bytes()
    if found.st_mode & 0o077 or found.st_uid != os.geteuid():
        raise AosError(
            "unsafe_setting", "the key of the audit log must belong to the server alone, with mode 0600"
        )
    if len(raw) != _KEY_BYTES:
        raise AosError("unsafe_setting", f"the key of the audit log must have {_KEY_BYTES} bytes")
    return Signer(Ed25519PrivateKey.from_private_bytes(raw))


def _make(path: Path) -> None:
    """Write a new key. It has its name only once it is whole, and where two are made at once, the first one stays."""
    raw = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    new = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    _write(new, raw, os.O_CREAT | os.O_EXCL)
    try:
        os.link(new, path)
    except FileExistsError:
        pass
    finally:
        new.unlink()
    _sync_folder(path)


def opened(note: str, public: Ed25519PublicKey) -> Checkpoint | None:
    """What a note says; None where it is no note, or not signed with that key."""
    match = _NOTE.fullmatch(note)
    if match is None:
        return None
    signature = base64.b64decode(match["signature"])
    try:
        public.verify(signature[4:], match["text"].encode())
    except InvalidSignature:
        return None
    return Checkpoint(int(match["size"]), base64.b64decode(match["root"]))


def append(path: Path, notes: Sequence[str]) -> None:
    """Add notes to the file; they are on disk when it returns. The same note twice, by two workers, does no harm.

    Raises AosError(write_failed).
    """
    if notes:
        _append(path, notes)


def require_writable(path: Path) -> None:
    """Raises AosError(write_failed) where no note could be added."""
    _append(path, ())


def newest(path: Path, public: Ed25519PublicKey) -> Checkpoint | None:
    """The largest one at the end of the file, or in all of it where none is there; None where there is none.

    The file grows for ever and is looked at twice a second, so it is not read whole.
    """
    for notes in (read_notes(path, _END), read_notes(path)):
        if found := [checkpoint for note in notes if (checkpoint := opened(note, public))]:
            return max(found)
    return None


def _append(path: Path, notes: Sequence[str]) -> None:
    with _filing("AOS_AUDIT_CHECKPOINTS_PATH", path):
        existed = path.exists()
        _write(path, "".join(f"{note}\n" for note in notes).encode(), os.O_CREAT | os.O_APPEND)
        if not existed:
            _sync_folder(path)


def read_notes(path: Path, end: int | None = None) -> list[str]:
    """The notes of the file, or of its last `end` bytes, in its order; none if there is no file.

    A note cut off by a crash is left out. Raises AosError(write_failed) where it can't be read.
    """
    with _filing("AOS_AUDIT_CHECKPOINTS_PATH", path):
        if not path.exists():
            return []
        with path.open("rb") as file:
            if end is not None:
                file.seek(max(0, path.stat().st_size - end))
            return notes_in(file.read().decode("utf-8", "replace"))


def notes_in(text: str) -> list[str]:
    """The notes of a text, in its order."""
    return [match[0] for match in _NOTE.finditer(text)]


@contextmanager
def _filing(name: str, path: Path) -> Iterator[None]:
    """What the operating system refuses, as a failure that names the setting."""
    try:
        yield
    except OSError as error:
        raise AosError("write_failed", f"{name}: {path}: {error.strerror}") from None


def _write(path: Path, data: bytes, how: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | how, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path.parent, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _key_id(public: Ed25519PublicKey) -> bytes:
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(f"{ORIGIN}\n\x01".encode() + raw).digest()[:4]
