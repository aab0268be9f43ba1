"""Rotate and retire: a change is worked out as a value, which `--dry-run` shows and `carry_out` does."""

import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from aos.errors import AosError
from aos_server.keystores.backend import RECORD, Backend
from aos_server.keystores.keyset import KeySet, Version, decode, encode, next_name

__all__ = ["Change", "Step", "carry_out", "load", "retire", "rotate", "steps"]


class Change(NamedTuple):
    """From one key set to the next: first `adds` is written, then the record replaced, then `removes` removed.

    `stamp` is that of the record it was worked out from; where the record has another by then, nothing is changed.
    """

    before: KeySet
    after: KeySet
    stamp: str
    adds: str | None
    removes: tuple[str, ...]


class Step(NamedTuple):
    """What happens, where, and what it means."""

    do: str
    where: str
    what: str


def load(backend: Backend) -> tuple[KeySet, str]:
    """The key set and the record's stamp. Without a record, the key of the predecessor signs, if there is one."""
    record = backend.record()
    if record.text is not None:
        return decode(record.text), record.stamp
    found = (Version(backend.first),) if backend.first in backend.names() else ()
    return KeySet(found), record.stamp


def rotate(backend: Backend, now: datetime, overlap: timedelta) -> Change:
    """A new key signs from now on, the one before it for `overlap` more. What has ended is removed.

    A key that can't be read is no base for a rotation: raises what reading it raises. Times are to the second.
    """
    before, stamp = load(backend)
    for version in before.live(now):
        backend.key(version.name)
    name = next_name([*backend.names(), *(one.name for one in before.versions)])
    after = before.rotated(name, now.replace(microsecond=0), overlap)
    ended = tuple(one.name for one in before.versions if after.get(one.name) is None)
    return Change(before, after, stamp, name, ended)


def retire(backend: Backend, name: str, now: datetime, confirm: str = "") -> Change:
    """A version signs no more and is removed. While it still signs, `confirm` must be its name.

    Also removes what a rotation that was cut off has left. Raises AosError: `key_not_found`, `keys_conflict`,
    `not_confirmed`.
    """
    before, stamp = load(backend)
    version = before.get(name)
    if version is None and name not in backend.names():
        raise AosError("key_not_found", f"there is no key {name}")
    after = before.without(name)
    if version is not None and version.state(now) == "overlap" and confirm != name:
        raise AosError(
            "not_confirmed",
            f"{name} still signs; receivers that don't have the new secret would refuse every message",
            fix=f"Wait until its end, or say that you mean it: --confirm {name}",
        )
    return Change(before, after, stamp, None, (name,))


def steps(change: Change, backend: Backend, now: datetime) -> list[Step]:
    """What carrying it out does, in its order."""
    found = [Step("make", place, "a folder for the server alone, 0700") for place in backend.new_places()]
    if change.adds:
        found.append(Step("write", backend.where(change.adds), "a new key of 256 random bits"))
    found.append(Step("replace", backend.where(RECORD), _meaning(change, now)))
    return found + [Step("remove", backend.where(name), "the key, for good") for name in change.removes]


def _meaning(change: Change, now: datetime) -> str:
    """Who signs from now on, and who no more."""
    words = [f"{change.adds} signs from now on"] if change.adds else []
    for one in change.after.live(now):
        if one.signs_until is not None and one != change.before.get(one.name):
            hours = (one.signs_until - now.replace(microsecond=0)).total_seconds() / 3600
            words.append(f"{one.name} for {hours:g} h more")
    live = {one.name for one in change.after.live(now)}
    words += [f"{one.name} no more" for one in change.before.live(now) if one.name not in live]
    return "; ".join(words) or "the same keys sign as before"


def carry_out(backend: Backend, change: Change) -> None:
    """Do it. Whatever is cut off, the record names the old keys or the new ones, and they are whole.

    Raises AosError; its `effect` says what was changed, `keys_unknown` that nobody can tell.
    """
    if change.adds:
        backend.add(change.adds, secrets.token_hex(32).encode())
    _swap(backend, change)
    for name in change.removes:
        try:
            backend.remove(name)
        except AosError as error:
            error.effect = "committed"
            raise


def _swap(backend: Backend, change: Change) -> None:
    """Replace the record. An answer that was lost is not a no: the record itself says what happened."""
    text = encode(change.after)
    try:
        backend.swap(text, change.stamp)
    except AosError as error:
        try:
            now_there = backend.record().text
        except AosError:
            raise AosError("keys_unknown", f"{backend.where(RECORD)}: {error.detail}") from error
        if now_there == text:
            if error.code != "write_failed":
                return
            error.effect = "unknown"  # it is there, and may be gone after a power cut
            raise
        if change.adds:
            with suppress(AosError):  # it signs nothing; `verify` names it if it stays
                backend.remove(change.adds)
        raise
