"""Versions of the key that signs webhooks, and the rules they follow. No key is in here."""

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from aos.errors import AosError, InputError
from aos.wire.strict import Json, parse
from aos_server.keystores.backend import MAX_RECORD, RECORD

__all__ = ["MAX_OVERLAP", "KeySet", "Version", "decode", "encode", "is_version", "moment", "next_name"]

MAX_OVERLAP = timedelta(days=7)
MAX_LIVE = 2

State = Literal["current", "overlap", "ended"]


class Version(NamedTuple):
    """A key. `created_at` is None where nobody wrote it down, `signs_until` where it has no end."""

    name: str
    created_at: datetime | None = None
    signs_until: datetime | None = None

    def state(self, now: datetime) -> State:
        """What it does at that time."""
        if self.signs_until is None:
            return "current"
        return "overlap" if now < self.signs_until else "ended"


class KeySet(NamedTuple):
    """The versions, oldest first; the last one is current. Empty: there is no key yet.

    `serial` grows with every change, so that of two changes at once one notices the other.
    """

    versions: tuple[Version, ...] = ()
    serial: int = 0

    def live(self, now: datetime) -> list[Version]:
        """Those that sign, newest first."""
        return [one for one in reversed(self.versions) if one.state(now) != "ended"]

    def get(self, name: str) -> Version | None:
        """The version of that name."""
        return next((one for one in self.versions if one.name == name), None)

    def rotated(self, name: str, now: datetime, overlap: timedelta) -> "KeySet":
        """With a new key; the one before it signs for `overlap` more, ended ones are gone.

        Raises AosError(bad_value) for an overlap of over 7 days, `keys_conflict` where two keys sign already.
        """
        if not timedelta(0) <= overlap <= MAX_OVERLAP:
            raise AosError("bad_value", "an overlap is 0 to 168 hours: 7 days")
        live = self.live(now)
        if len(live) == MAX_LIVE:
            detail = f"{live[1].name} still signs, until {moment(live[1].signs_until)}; at most two keys do"
            raise AosError("keys_conflict", detail, fix=f"Wait, or `aos-server keys retire {live[1].name}`.")
        kept = [one._replace(signs_until=now + overlap) for one in live]
        return KeySet((*kept, Version(name, now)), self.serial + 1)

    def without(self, name: str) -> "KeySet":
        """Without that version. Raises AosError(keys_conflict) for the current one."""
        if self.versions and self.versions[-1].name == name:
            detail = f"{name} is the key that signs; without it no message could be sent"
            raise AosError("keys_conflict", detail, fix="Rotate first.")
        return KeySet(tuple(one for one in self.versions if one.name != name), self.serial + 1)


def moment(at: datetime | None) -> str | None:
    """As it is written: UTC, to the second."""
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def is_version(name: str) -> bool:
    """Whether a version may be called that: v1, v2 …"""
    return re.fullmatch("v[1-9][0-9]{0,5}", name) is not None


def next_name(taken: Sequence[str]) -> str:
    """A version that nobody had."""
    return f"v{max((int(name[1:]) for name in taken if is_version(name)), default=0) + 1}"


def encode(keys: KeySet) -> bytes:
    """The record of a key set."""
    versions = [
        {
            "version": one.name,
            "created_at": moment(one.created_at),
            "signs_until": moment(one.signs_until),
        }
        for one in keys.versions
    ]
    return (
        json.dumps({"aos_keys": "1", "serial": keys.serial, "versions": versions}, indent=1) + "\n"
    ).encode()


def decode(text: bytes) -> KeySet:
    """The key set of a record. Raises AosError(keys_damaged)."""
    try:
        document = parse(text, "json", name=RECORD, max_bytes=MAX_RECORD, code="keys_damaged")
    except InputError as error:
        raise AosError("keys_damaged", error.detail) from None
    match document:
        case {"aos_keys": "1", "serial": int(serial), "versions": [*rows]}:
            versions = tuple(map(_version, rows))
        case _:
            raise AosError("keys_damaged", f"{RECORD} is no record of keys")
    ends = [one.signs_until for one in versions]
    if (
        not ends
        or None in ends[:-1]
        or ends[-1] is not None
        or len({one.name for one in versions}) < len(ends)
    ):
        raise AosError("keys_damaged", f"{RECORD} does not name each key once, the last one without an end")
    return KeySet(versions, serial)


def _version(row: Json) -> Version:
    match row:
        case {"version": str(name), "created_at": str() | None as made, "signs_until": str() | None as end}:
            if is_version(name):
                return Version(name, _time(made), _time(end))
    raise AosError("keys_damaged", f"{RECORD} has a version that is none")


def _time(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        raise AosError("keys_damaged", f"{RECORD} has a time that is none") from None
