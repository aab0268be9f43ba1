"""The file of checkpoints: only its end is looked at, however long it has become, and what can't be written is said."""

from pathlib import Path
from typing import Any, cast

import pytest

from aos.errors import AosError
from aos_server.services.audit.checkpoints import (
    Checkpoint,
    append,
    newest,
    read_notes,
    require_writable,
    signer,
)


class Counting:
    """A public key that counts how often it is used."""

    def __init__(self, key: Any) -> None:
        self.key = key
        self.used = 0

    def verify(self, signature: bytes, text: bytes) -> None:
        self.used += 1
        self.key.verify(signature, text)


def test_of_a_long_file_the_end_alone_is_verified(tmp_path: Path) -> None:
    key = signer(tmp_path / "audit.key")
    outside = tmp_path / "checkpoints"
    assert newest(outside, key.public) is None
    append(outside, [key.note(Checkpoint(size, bytes(32))) for size in [*range(1, 500), 498]])
    counting = Counting(key.public)
    assert newest(outside, cast(Any, counting)) == Checkpoint(499, bytes(32))
    assert 2 <= counting.used < 60


def test_an_end_without_a_note_hides_none(tmp_path: Path) -> None:
    key, other = signer(tmp_path / "audit.key"), signer(tmp_path / "other.key")
    outside = tmp_path / "checkpoints"
    append(outside, [key.note(Checkpoint(7, bytes(32)))])
    append(outside, [other.note(Checkpoint(9, bytes(32)))] * 200)
    with outside.open("ab") as file:
        file.write(b"\xff" * 20_000)
    assert newest(outside, key.public) == Checkpoint(7, bytes(32))
    assert len(read_notes(outside)) == 201


def test_what_the_files_lack_is_said_by_the_names_of_their_settings(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere/file"
    for act, name in (
        (signer, "KEY"),
        (require_writable, "CHECKPOINTS"),
        (lambda path: append(path, ["x"]), "CHECKPOINTS"),
    ):
        with pytest.raises(AosError, match=f"AOS_AUDIT_{name}_PATH") as caught:
            act(nowhere)
        assert caught.value.code == "write_failed"
    short = tmp_path / "short"
    short.touch(0o600)
    with pytest.raises(AosError, match="32 bytes"):
        signer(short)
