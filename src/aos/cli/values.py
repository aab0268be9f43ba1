"""How the words given to options become values."""

from datetime import date
from decimal import Decimal, InvalidOperation

from typer import BadParameter

from aos.errors import InputError
from aos.wire.problems import visible
from aos.wire.strict import MAX_BYTES, Json, parse

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def cents(text: str) -> Decimal:
    """Cents, 0 or more, of at most 6 decimals: "100", "0.25"."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise BadParameter("expected an amount of cents, such as 100 or 0.25") from None
    if not amount.is_finite() or not 0 <= amount < 10**15:
        raise BadParameter("expected an amount from 0c up, below 10^15c")
    if amount != round(amount, 6):
        raise BadParameter("cents have at most 6 decimals")
    return amount


def milliseconds(text: str) -> float:
    """A time above 0 in ms: "30s", "5m", "1.5h", "30d", "800ms"; a bare number is milliseconds."""
    number = text.rstrip("mshd")
    unit = text[len(number) :] or "ms"
    try:
        time = float(number) * _UNITS_MS[unit]
    except (ValueError, KeyError):
        raise BadParameter("expected a time such as 30s, 5m, 1h or 800 (milliseconds)") from None
    if not 0 < time < 1e12:
        raise BadParameter("expected a time above 0 and below 30 years")
    return time


def share(text: str) -> float:
    """A probability: "0.95"."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise BadParameter("expected a number from 0 to 1, such as 0.95")
    return value


def seed_number(text: str) -> int:
    """A whole number that JSON keeps exact."""
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise BadParameter("expected a whole number of at most 15 digits")
    return int(text)


def day(text: str) -> date:
    """A day such as 2026-01-31, or `today`."""
    try:
        return date.today() if text == "today" else date.fromisoformat(text)
    except ValueError:
        raise BadParameter("expected a day such as 2026-01-31, or `today`") from None


def named_values(pairs: list[str]) -> dict[str, Json]:
    """`NAME=VALUE` pairs; a value that is JSON is that value, any other is text.

    Raises InputError(usage) for JSON that no plan may hold either (NaN, a duplicate key).
    """
    values: dict[str, Json] = {}
    for pair in pairs:
        name, given, value = pair.partition("=")
        if not given or not name:
            raise BadParameter("expected NAME=VALUE", param_hint="--input")
        if name in values:
            raise BadParameter(f"{visible(name)} is given twice", param_hint="--input")
        values[name] = _json_or_text(name, value)
    return values


def _json_or_text(name: str, value: str) -> Json:
    try:
        data = value.encode("utf-8", "surrogateescape")
        return parse(data, "json", name=f"--input {name}", max_bytes=MAX_BYTES, code="usage")
    except InputError as error:
        if all(finding.code == "malformed" for finding in error.findings):
            return value
        raise
