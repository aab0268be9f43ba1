"""Secrets and signatures of Standard Webhooks: what a sender needs."""

import base64
import binascii
import re
import secrets as random
from collections.abc import Sequence
from datetime import UTC, datetime

__all__ = ["MESSAGE_ID", "check_secret", "new_secret", "sign", "signature"]

MESSAGE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""What an id may be. Without a dot: what is signed is `id.time.body`, which must be read in one way only."""

_PREFIX = "whsec_"


def new_secret() -> str:
    """A secret of 32 random bytes."""
    return _PREFIX + base64.b64encode(random.token_bytes(32)).decode()


def sign(live: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message, with a signature by each of the `live` secrets; `at` is aware of its zone.

    `message_id` stays the same when a message is sent again. Raises ValueError for a secret or an id of another form,
    or a body that is not UTF-8.
    """
    if not MESSAGE_ID.fullmatch(message_id):
        raise ValueError("an id of a message is 1 to 64 letters, digits, - and _, and starts with no sign")
    seconds = int(at.timestamp())
    signatures = [signature(secret, message_id, seconds, body) for secret in live]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signatures),
    }


def signature(secret: str, message_id: str, seconds: int, body: bytes) -> str:
    """`v1,` and base64 of the HMAC, at that time of the Unix epoch."""
    from standardwebhooks import Webhook

    return Webhook(_key(secret)).sign(message_id, datetime.fromtimestamp(seconds, UTC), body.decode())


def check_secret(secret: str) -> None:
    """Raises ValueError for a secret of another form; the error doesn't show it."""
    _key(secret)


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError("a secret is whsec_ and base64 of 24 to 64 bytes")
    return key
