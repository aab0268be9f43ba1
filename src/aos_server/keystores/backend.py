"""What a place for keys must be able to do: keep keys by version, and one record that says which of them sign.

A key is written first and the record last, so that whatever is cut off, the record names keys that are whole.
"""

from typing import NamedTuple, Protocol

from aos.errors import AosError

__all__ = ["MAX_RECORD", "RECORD", "SIZES", "Backend", "Record", "check_size"]

RECORD = "keys.json"
"""The name of the record. It holds no secret."""

MAX_RECORD = 4096
"""In bytes: what SSM takes."""

SIZES = range(16, 4097)
"""How many bytes a key may have: enough that nobody guesses it, and as many as SSM takes."""


class Record(NamedTuple):
    """The record as it is: None where no key was rotated yet. `stamp` changes with it."""

    text: bytes | None
    stamp: str


class Backend(Protocol):
    """Methods raise AosError: `keystore_unavailable`, `keystore_forbidden`, and what each says."""

    kind: str
    first: str
    """The version that signs while there is no record."""

    def where(self, name: str) -> str:
        """The place of a key or of the record, for people."""
        ...

    def new_places(self) -> list[str]:
        """Folders that the first key makes."""
        ...

    def record(self) -> Record:
        """The record."""
        ...

    def names(self) -> list[str]:
        """The versions that are taken, whether they sign or not."""
        ...

    def key(self, name: str) -> bytes:
        """A key as it is kept. Raises `key_not_found` or `key_unsafe`."""
        ...

    def add(self, name: str, key: bytes) -> None:
        """Keep a new key; it is safe when this returns. Raises `keys_conflict` where the version is taken."""
        ...

    def swap(self, text: bytes, stamp: str) -> None:
        """Replace the record, if it still has that stamp. Raises `keys_conflict` where it has another."""
        ...

    def remove(self, name: str) -> None:
        """Forget a key for good; one that is gone already is no error."""
        ...


def check_size(key: bytes, where: str) -> bytes:
    """The key. Raises AosError(key_unsafe) where it can't be one."""
    if len(key) not in SIZES:
        size = "is empty" if not key else f"has {'over ' if len(key) > SIZES[-1] else ''}{len(key):,} bytes"
        raise AosError("key_unsafe", f"{where} {size}; a key has {SIZES[0]} to {SIZES[-1]:,}")
    if key.isascii() and b"\r\n" in key:
        raise AosError("key_unsafe", f"{where} has line ends of Windows: it was changed after it was made")
    return key
