"""What a running server signs with: keys that were loaded, and stay when the place they came from is gone."""

import functools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias

from aos.errors import AosError
from aos_server.keystores.backend import Backend
from aos_server.keystores.changes import Change, carry_out, load, rotate
from aos_server.keystores.keyset import KeySet
from aos_server.keystores.secrets import endpoint_secret

__all__ = ["Keyring"]

_Derive: TypeAlias = Callable[[str, str], str]
"""Version of a key and endpoint to its secret."""


class Keyring:
    """Holds a key at every time: making one raises AosError where there is none, or it can't be read."""

    def __init__(self, backend: Backend, now: datetime) -> None:
        self._backend = backend
        self._held = _read(backend, now)  # one attribute: another thread may refresh it
        self.trouble: AosError | None = None
        """Why the last `refresh` did not succeed; None: it did."""

    @property
    def keys(self) -> KeySet:
        """The versions, for people and metrics."""
        return self._held[0]

    def secrets(self, endpoint_id: str, now: datetime) -> list[str]:
        """The live secrets of an endpoint, newest first: a message is signed with each."""
        return list(self.by_version(endpoint_id, now).values())

    def by_version(self, endpoint_id: str, now: datetime) -> dict[str, str]:
        """The same, with the versions of the keys that they are derived from."""
        keys, derive = self._held
        return {one.name: derive(one.name, endpoint_id) for one in keys.live(now)}

    def refresh(self, now: datetime) -> None:
        """Take over what others have changed. Where it can't be read, what was loaded stays; `trouble` says why."""
        try:
            self._held = _read(self._backend, now)
            self.trouble = None
        except AosError as error:
            self.trouble = error

    def rotate(self, now: datetime, overlap: timedelta) -> Change:
        """Rotate, and sign with the new key from now on. Raises AosError, and then signs as before."""
        change = rotate(self._backend, now, overlap)
        carry_out(self._backend, change)
        self.refresh(now)
        return change


def _read(backend: Backend, now: datetime) -> tuple[KeySet, _Derive]:
    """The keys that sign, and what derives secrets from them, each once.

    Read once more where one was retired between looking at the record and at the key.
    """
    keys, stamp = load(backend)
    while True:
        try:
            material = {one.name: backend.key(one.name) for one in keys.live(now)}
            break
        except AosError as error:
            if error.code != "key_not_found":
                raise
            before, (keys, stamp) = stamp, load(backend)
            if stamp == before:
                raise AosError("keys_damaged", error.detail) from error
    if not material:
        raise AosError("key_missing", f"{backend.where('')} holds no key")

    @functools.lru_cache(10_000)
    def derive(version: str, endpoint_id: str) -> str:
        return endpoint_secret(material[version], endpoint_id)

    return keys, derive
