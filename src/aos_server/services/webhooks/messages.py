"""What is sent: a body that stays the same over all tries, and signatures made anew for each."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from aos.errors import AosError
from aos.webhooks import sign
from aos.wire.encode import one_line

__all__ = ["MAX_BODY", "LoadedSecrets", "Secrets", "body_of", "headers_of"]

MAX_BODY = 20_000
"""In bytes; receivers may rely on it."""

_SHORT = 256


class Secrets(Protocol):
    """What a `Keyring` gives."""

    def by_version(self, endpoint_id: str, now: datetime) -> Mapping[str, str]:
        """The live secrets of a webhook by version of the key, newest first."""
        ...


class LoadedSecrets(Secrets, Protocol):
    """The same, of which somebody may have made new ones meanwhile."""

    def refresh(self, now: datetime) -> None:
        """Take over what others have changed."""
        ...


def body_of(topic: str, at: datetime, tenant: str, sequence: int, data: Mapping[str, Any]) -> bytes:
    """The body: JSON in ASCII, of at most 20,000 bytes.

    Where `data` is too large, its short values are left, and `truncated` says so: enough to ask for the rest.
    """
    document = {"type": topic, "timestamp": at.isoformat(), "tenant_id": tenant, "sequence": sequence}
    body = one_line({**document, "data": data}).encode()
    if len(body) <= MAX_BODY:
        return body
    short = {key: value for key, value in list(data.items())[:50] if _is_short(key) and _is_short(value)}
    return one_line({**document, "data": short, "truncated": True}).encode()


def headers_of(
    secrets: Secrets,
    webhook: str,
    message: UUID,
    now: datetime,
    body: bytes,
    *,
    legacy: bool,
    only: str | None = None,
) -> dict[str, str]:
    """The headers that say who sent `body` at `now`, by every key that is live at that time, or by `only` one of them.

    Raises AosError(key_not_found) where that one is not loaded, or signs no more.

    With `legacy` the predecessor's as well. It has room for one signature, that of the oldest live key: receivers have
    the overlap to get the new secret, and the version tells which of them to take.
    """
    live = secrets.by_version(webhook, now)
    if only is not None:
        if only not in live:
            raise AosError("key_not_found", f"{only} is not among the keys that sign here")
        live = {only: live[only]}
    headers = sign(list(live.values()), str(message), now, body)
    if legacy:
        version, secret = list(live.items())[-1]
        headers["x-webhook-signature"] = (
            f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"
        )
        headers["x-webhook-key-version"] = version
    return headers


def _is_short(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _SHORT // 6  # as ASCII it may be six times as long
    return value is None or isinstance(value, bool | int | float)
