"""Messages to webhooks, signed so that their receivers can tell who sent them, and verified.

The scheme is Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over id, time and body, with a secret
written as `whsec_` and base64 of 24 to 64 bytes. While a secret is being replaced both are live, and a message bears a
signature of each.
"""

import base64
import binascii
import hmac
import secrets as random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

__all__ = ["TOLERANCE", "SignatureError", "new_secret", "sign", "verify"]

TOLERANCE = timedelta(minutes=5)
"""How far a message's time may be from the receiver's, both ways: an older one may be a recording."""

_PREFIX = "whsec_"


class SignatureError(Exception):
    """The message is not from whom it should be, or not as it was sent. `str(error)` says why, without secrets."""


def new_secret() -> str:
    """A secret of 32 random bytes."""
    return _PREFIX + base64.b64encode(random.token_bytes(32)).decode()


def sign(live: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message, with a signature by each of the `live` secrets; `at` is aware of its zone.

    `message_id` stays the same when a message is sent again. Raises ValueError for a secret of another form, an id
    with anything but letters, digits, `-` and `_`, or a body that is not UTF-8.
    """
    if not message_id.replace("-", "").replace("_", "").isalnum() or not message_id.isascii():
        raise ValueError("an id of a message is letters, digits, - and _")
    stamp = str(int(at.timestamp()))
    signatures = [_signature(secret, message_id, stamp, body) for secret in live]
    return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": " ".join(signatures)}


def verify(live: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The id of the message, if one of the `live` secrets has signed it and its time is near `now`.

    A receiver remembers the id, to do nothing twice. Raises SignatureError.
    """
    given = {name.lower(): value for name, value in headers.items()}
    missing = [
        name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if not given.get(name)
    ]
    if missing:
        raise SignatureError(f"the header {missing[0]} is missing")
    stamp = given["webhook-timestamp"]
    if not stamp.isascii() or not stamp.isdecimal() or len(stamp) > 12:
        raise SignatureError("webhook-timestamp is not in seconds")
    if abs(datetime.fromtimestamp(int(stamp), UTC) - now) > TOLERANCE:
        raise SignatureError("the message is too old, or from the future")
    try:
        right = [_signature(secret, given["webhook-id"], stamp, body).encode() for secret in live]
    except ValueError as error:
        raise SignatureError(str(error)) from None
    signed = [text.encode() for text in given["webhook-signature"].split(" ")]
    # Every pair is compared, whichever fits, so that the time it takes tells nothing.
    if not sum(hmac.compare_digest(one, other) for one in signed for other in right):
        raise SignatureError("no signature fits")
    return given["webhook-id"]


def _signature(secret: str, message_id: str, stamp: str, body: bytes) -> str:
    from standardwebhooks import Webhook

    at = datetime.fromtimestamp(int(stamp), UTC)
    return Webhook(_key(secret)).sign(message_id, at, body.decode())


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError("a secret is whsec_ and base64 of 24 to 64 bytes")
    return key
