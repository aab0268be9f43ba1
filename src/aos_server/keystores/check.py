"""Is each key there, whole, and no other? What `keys verify` and `check` ask."""

from datetime import datetime
from typing import NamedTuple

from aos.errors import AosError
from aos.webhooks import SignatureError, sign, verify
from aos_server.keystores.backend import Backend
from aos_server.keystores.changes import load
from aos_server.keystores.secrets import endpoint_secret

__all__ = ["Finding", "check"]


class Finding(NamedTuple):
    """What was looked at, and what is wrong with it; "" is nothing."""

    name: str
    wrong: str


def check(backend: Backend, now: datetime) -> list[Finding]:
    """The record, every key that signs, and keys that nobody uses. Raises AosError where the place can't be read."""
    keys, _ = load(backend)
    live = keys.live(now)
    found = [Finding("keys", "" if live else "there is none: `aos-server keys rotate` makes the first")]
    found += [Finding(version.name, _wrong(backend, version.name, now)) for version in live]
    unused = sorted(set(backend.names()) - {one.name for one in keys.versions})
    return found + [
        Finding(name, f"signs nothing: a rotation was cut off; `aos-server keys retire {name}` removes it")
        for name in unused
    ]


def _wrong(backend: Backend, name: str, now: datetime) -> str:
    try:
        secret = endpoint_secret(backend.key(name), "check")
        verify(sign([secret], "check", now, b"{}"), b"{}", [secret], now)
    except SignatureError:
        return "does not verify what it signs"
    except AosError as error:
        if error.code in ("keystore_unavailable", "keystore_forbidden"):
            raise
        return error.detail
    return ""
