"""Verify a message: what a receiver needs."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from aos.errors import AosError
from aos.webhooks.signatures import MESSAGE_ID, check_secret, signature

__all__ = ["FUTURE", "PAST", "Headers", "Seen", "SignatureError", "verify"]

PAST = timedelta(minutes=5)
"""How old a message may be: an older one may be a recording."""

FUTURE = timedelta(minutes=1)
"""How far ahead the sender's clock may be. One bound for both ways would double the life of a recording."""

Headers = Mapping[str, str] | Iterable[tuple[str, str] | tuple[bytes, bytes]]
"""A mapping, or pairs, in which a header that was sent twice shows."""

_NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")
_MAX_HEADER = 2048
_MAX_SECONDS = 253_402_300_799  # the last second of the year 9999


class SignatureError(AosError):
    """The message is not from whom it should be, or not as it was sent, or was here before.

    `code` is `webhook_malformed`, `webhook_forged`, `webhook_too_old`, `webhook_from_future` or `webhook_repeated`.
    Neither it nor the detail tells a secret.
    """


class Seen(Protocol):
    """Remembers the ids of messages."""

    def first(self, message_id: str, now: datetime) -> bool:
        """Whether that id was not there before; from now on it is."""
        ...


def verify(
    headers: Headers,
    body: bytes,
    secrets: Sequence[str],
    now: datetime,
    *,
    past: timedelta = PAST,
    future: timedelta = FUTURE,
    seen: Seen | None = None,
) -> str:
    """The id of the message, if one of the live `secrets` has signed it, at most `past` ago and `future` ahead.

    `body` is what arrived, byte for byte. With `seen` a message that was here before is refused; only one whose
    signature fits is remembered. Raises SignatureError, and ValueError where one of `secrets` has another form.
    """
    for secret in secrets:
        check_secret(secret)
    message_id, seconds, given = _read(headers)
    _check_signature(secrets, message_id, seconds, body, given)
    age = int(now.timestamp()) - seconds
    if age > past.total_seconds():
        raise SignatureError("webhook_too_old", f"the message was signed {age:,} s ago")
    if -age > future.total_seconds():
        raise SignatureError("webhook_from_future", f"the message was signed {-age:,} s ahead of this clock")
    if seen is not None and not seen.first(message_id, now):
        raise SignatureError("webhook_repeated", f"the message {message_id} was received before")
    return message_id


def _read(headers: Headers) -> tuple[str, int, list[str]]:
    """Id, time and signatures of version 1, each of the one form it may have."""
    message_id, stamp, given = (_one(headers, name) for name in _NAMES)
    if not MESSAGE_ID.fullmatch(message_id):
        raise SignatureError("webhook_malformed", "webhook-id is not 1 to 64 letters, digits, - and _")
    if not stamp.isdecimal() or stamp != stamp.lstrip("0") or len(stamp) > 12 or int(stamp) > _MAX_SECONDS:
        raise SignatureError("webhook_malformed", "webhook-timestamp is not in whole seconds")
    signatures = [word for word in given.split(" ") if word.startswith("v1,")]
    if not signatures:
        raise SignatureError("webhook_malformed", "webhook-signature has no signature of version 1")
    return message_id, int(stamp), signatures


def _one(headers: Headers, name: str) -> str:
    """The one value of a header. Raises SignatureError where there is none, another one, or what no sender writes."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    values = [value for key, value in pairs if _text(key).lower() == name]
    if len(values) != 1:
        what = "is missing" if not values else "was sent twice"
        raise SignatureError("webhook_malformed", f"the header {name} {what}")
    value = _text(values[0])
    if not value or not value.isascii() or not value.isprintable() or len(value) > _MAX_HEADER:
        raise SignatureError("webhook_malformed", f"the header {name} is empty, too long or not plain ASCII")
    return value


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _check_signature(
    secrets: Sequence[str], message_id: str, seconds: int, body: bytes, given: Sequence[str]
) -> None:
    try:
        right = [signature(secret, message_id, seconds, body).encode() for secret in secrets]
    except UnicodeDecodeError:
        raise SignatureError("webhook_malformed", "the body is not UTF-8") from None
    # Every pair is compared, whichever fits, so that the time it takes tells nothing.
    if not sum(hmac.compare_digest(one.encode(), other) for one in given for other in right):
        raise SignatureError("webhook_forged", "no signature fits: another secret, or a changed message")
