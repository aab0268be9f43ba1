"""What a worker measures of the whole: how much waits, for how long, and how it stands with the keys.

Every worker measures the same. What could not be measured is unknown: NaN, never the figure of before.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import nan

from prometheus_client import Gauge

from aos_server import metrics
from aos_server.db.pool import Database, Row
from aos_server.keystores.keyring import Keyring
from aos_server.services import clock

__all__ = ["measure", "measure_keys"]

_MEASURED: dict[tuple[str, str], Gauge] = {
    ("deliveries.standing", "waiting"): metrics.WEBHOOKS_WAITING,
    ("deliveries.standing", "oldest_s"): metrics.WEBHOOKS_OLDEST,
    ("deliveries.standing", "overdue_s"): metrics.WEBHOOKS_OVERDUE,
    ("deliveries.standing", "disabled"): metrics.WEBHOOKS_DISABLED,
    ("outbox.standing", "oldest_s"): metrics.OUTBOX_OLDEST,
    ("audit.standing", "oldest_s"): metrics.AUDIT_OLDEST,
    ("requests.standing", "closing"): metrics.APPROVALS_CLOSING,
    ("requests.standing", "overdue_s"): metrics.APPROVALS_OVERDUE,
    ("webhooks.unaccepted", "count"): metrics.KEYS_UNACCEPTED,
}
"""By statement and column."""


async def measure(database: Database, keys: Keyring) -> int:
    """Ask the database. Returns 0: to be asked again later. Raises AosError(unavailable)."""
    current, *older = keys.keys.live(datetime.now(UTC))
    names = list(dict.fromkeys(name for name, _ in _MEASURED))
    try:
        await clock.measure(database)
        rows = await database.read(*((name, {"version": current.name}) for name in names))
    except Exception:
        _tell({})
        raise
    found = {name: row for name, (row,) in zip(names, rows, strict=True)}
    if not older:  # whoever refuses messages that one key signs shows by the deliveries
        del found["webhooks.unaccepted"]
    _tell(found)
    return 0


def _tell(found: Mapping[str, Row]) -> None:
    for (name, column), gauge in _MEASURED.items():
        gauge.set(found[name][column] if name in found else nan)


def measure_keys(keys: Keyring) -> None:
    """Tell of the keys that were loaded, and whether their place could be read."""
    now = datetime.now(UTC)
    current, *older = keys.keys.live(now)
    ends = max((one.signs_until for one in older if one.signs_until), default=None)
    metrics.KEYS_LIVE.set(1 + len(older))
    metrics.KEY_AGE.set(nan if current.created_at is None else (now - current.created_at).total_seconds())
    metrics.KEY_GRACE_ENDS.set(nan if ends is None else ends.timestamp())
    metrics.KEYSTORE_UP.set(keys.trouble is None)
