"""What a worker measures of the whole, on a real database; and that what it can't measure is unknown, not 0."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import isnan
from pathlib import Path

import pytest
from prometheus_client.registry import REGISTRY

from aos.errors import AosError
from aos_server.db.pool import Database
from aos_server.jobs.measuring import measure, measure_keys
from aos_server.keystores.keyring import Keyring
from tests.services.conftest import Base
from tests.services.keys.making import new_keys
from tests.services.requests.requesting import ask, desk_of
from tests.services.webhooks.delivering import run, tell, webhook

STANDING = (
    *("nova_webhook_waiting", "nova_webhook_oldest_undelivered_seconds"),
    *("nova_webhook_longest_overdue_seconds", "nova_webhook_disabled_endpoints"),
    *("nova_outbox_oldest_unspread_seconds", "nova_audit_oldest_unsequenced_seconds"),
    *("nova_approval_closing", "nova_approval_longest_overdue_seconds", "nova_clock_ahead_seconds"),
)


@pytest.fixture
def keys(tmp_path: Path) -> Keyring:
    return Keyring(new_keys(tmp_path / "keys"), datetime.now(UTC))


@pytest.fixture
def measured(base: Base, keys: Keyring) -> Callable[[str], float]:
    """Measure, and look at one metric."""

    def look(name: str) -> float:
        run(base, lambda database: measure(database, keys))
        return value(name)

    return look


def value(name: str) -> float:
    found = REGISTRY.get_sample_value(name)
    assert found is not None
    return found


def test_where_nothing_waits_it_is_0_and_without_a_database_unknown(base: Base, keys: Keyring) -> None:
    async def without(_: Database) -> None:
        async with Database.open(base.url("nobody"), 1) as database:
            with suppress(AosError):
                await measure(database, keys)

    run(base, lambda database: measure(database, keys))
    assert {name: value(name) for name in STANDING} == dict.fromkeys(STANDING, 0)
    run(base, without)
    assert [name for name in STANDING if not isnan(value(name))] == []


def test_a_message_and_a_row_wait_since_they_are_there(base: Base, measured: Callable[[str], float]) -> None:
    tell(base)
    base.server.execute("UPDATE outbox SET created_at = now() - interval '90 s'", base.name)
    assert measured("nova_outbox_oldest_unspread_seconds") == pytest.approx(90, abs=60)
    base.server.execute("UPDATE outbox SET spread_at = now()", base.name)
    assert measured("nova_outbox_oldest_unspread_seconds") == 0
    base.server.execute(
        "INSERT INTO audit VALUES (gen_random_uuid(), 'acme', now() - interval '90 s', 'i', 's', 'a', 'o')",
        base.name,
    )
    assert measured("nova_audit_oldest_unsequenced_seconds") == pytest.approx(90, abs=60)


@pytest.mark.parametrize(
    ("due", "claimed", "overdue_s"),
    [("-3600", "-infinity", 3600), ("3600", "-infinity", 0), ("-3600", "600", 0), ("-3600", "-1800", 1800)],
)
def test_a_delivery_is_overdue_where_it_is_due_and_nobody_has_it(
    base: Base, measured: Callable[[str], float], due: str, claimed: str, overdue_s: float
) -> None:
    """One that was tried, and waits for its next try, is not, however old it is."""
    webhook(base, "https://example.com/hook")
    tell(base)
    until = "'-infinity'" if claimed == "-infinity" else f"now() + interval '{claimed} s'"
    base.server.execute(
        "INSERT INTO deliveries (tenant_id, webhook_id, message_id, sequence, due_at, claimed_until, created_at) "
        f"SELECT 'acme', w.id, o.id, 1, now() + interval '{due} s', {until}, now() - interval '2 h' "
        "FROM webhooks w, outbox o",
        base.name,
    )
    assert measured("nova_webhook_longest_overdue_seconds") == pytest.approx(overdue_s, abs=60)
    assert value("nova_webhook_oldest_undelivered_seconds") == pytest.approx(7200, abs=60)
    base.server.execute("UPDATE webhooks SET disabled_at = now(), disabled_reason = 'gone'", base.name)
    assert measured("nova_webhook_longest_overdue_seconds") == 0


def test_a_request_is_closing_in_the_last_tenth_of_its_time_and_then_overdue(
    base: Base, measured: Callable[[str], float]
) -> None:
    async def act(_: Database) -> None:
        async with Database.open(base.pooled("aos_app"), 2) as database:
            await ask(desk_of(database))

    def age(share: float) -> None:
        base.server.execute(
            f"UPDATE requests SET created_at = now() - interval '24 h' * {share},"
            f" expires_at = now() + interval '24 h' * (1 - {share})",
            base.name,
        )

    run(base, act)
    for share, closing, overdue_s in ((0.5, 0, 0), (0.95, 1, 0), (1.5, 0, 12 * 3600)):
        age(share)
        assert measured("nova_approval_closing") == closing, share
        assert value("nova_approval_longest_overdue_seconds") == pytest.approx(overdue_s, abs=60)


def test_who_has_not_accepted_the_key_is_told_while_two_sign(
    base: Base, keys: Keyring, measured: Callable[[str], float]
) -> None:
    for number, accepted in enumerate(("'v1'", "'v2'", "NULL")):
        webhook(base, "https://example.com/hook", number, accepted_key=accepted)
    assert isnan(measured("nova_webhook_key_unaccepted"))
    measure_keys(keys)
    assert isnan(value("nova_webhook_key_grace_ends_timestamp_seconds"))
    now = datetime.now(UTC)
    keys.rotate(now, timedelta(hours=2))
    measure_keys(keys)
    assert measured("nova_webhook_key_unaccepted") == 2
    ends = value("nova_webhook_key_grace_ends_timestamp_seconds")
    assert ends == pytest.approx(now.timestamp() + 7200, abs=2)
    base.server.execute("UPDATE webhooks SET accepted_key = 'v2'", base.name)
    assert measured("nova_webhook_key_unaccepted") == 0
