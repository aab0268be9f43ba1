"""A change with its key, audit row and messages: once, in few round trips, and known for sure where the line is cut."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from decimal import Decimal

import pytest

from aos.errors import AosError
from aos_server.db.pool import Database, Row, Statement
from aos_server.identity.caller import Caller, Principal
from aos_server.services.changes import Effect, Entry, Given, Message, change
from aos_server.services.idempotency import Key, key_of
from aos_server.settings import Secret
from tests.services.db.wire import Wire

CALLER = Caller(Principal("https://login.example", "ann"), "acme", "human")
KEY = key_of("k1", "POST", "/budgets", {"cents": 100})
READS: list[Statement] = [("tenants.ensure", {})]


def spend(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
    """A change one can count: the agent has spent a cent more."""
    return Effect(
        [("tenants.spend", {"agent": "a1", "cents": 1, "unpriced": 0})],
        Entry("budgets.spend", "a1", {"by": "1"}),
        201,
        {"at": now.isoformat()},
        [Message("budget.spent", {"agent": "a1"})],
    )


def run(url: Secret, act: Callable[[Database], Awaitable[Given]], size: int = 8) -> Given:
    async def main() -> Given:
        async with Database.open(url, size) as database:
            return await act(database)

    return asyncio.run(main())


def once(key: Key | None = KEY) -> Callable[[Database], Awaitable[Given]]:
    return lambda database: change(database, CALLER, READS, spend, key)


def counts(base) -> tuple[object, ...]:
    """What was spent, and how many audit rows, messages and keys there are."""
    query = (
        "SELECT coalesce((SELECT sum(spent_cents) FROM budgets), 0), (SELECT count(*) FROM audit), "
        "(SELECT count(*) FROM outbox), (SELECT count(*) FROM idempotency_keys)"
    )
    found: tuple[object, ...] = base.rows(query)[0]
    return found


def test_everything_is_written_together(base):
    given = run(base.pooled("aos_app"), once())
    assert (given.status, given.again) == (201, False)
    assert counts(base) == (Decimal(1), 1, 1, 1)
    same = base.rows(
        "SELECT count(DISTINCT audit_id) FROM (SELECT audit_id FROM budgets UNION ALL SELECT id FROM audit "
        "UNION ALL SELECT audit_id FROM outbox) AS ids (audit_id)"
    )
    assert same == [(1,)]


def test_it_takes_two_round_trips(base):
    async def main() -> list[int]:
        async with (
            Wire.to(base.server.port) as wire,
            Database.open(Secret(base.server.url("aos_app", base.name, wire.port)), 1) as database,
        ):
            await change(database, CALLER, READS, spend)
            trips = []
            for number in range(3):
                before = wire.trips
                await change(database, CALLER, READS, spend, Key(f"k{number}", b"d"))
                trips.append(wire.trips - before)
            return trips

    assert asyncio.run(main()) == [2, 2, 2]


def test_while_the_server_thinks_its_transaction_is_idle_and_so_ended_where_it_never_goes_on(base):
    async def main() -> None:
        async with Database.open(base.url("aos_app"), 1) as database, database.transaction("acme") as t:
            await t.begun()
            query = (
                f"SELECT state FROM pg_stat_activity WHERE usename = 'aos_app' AND datname = '{base.name}'"
            )
            assert base.rows(query) == [("idle in transaction",)]

    asyncio.run(main())


def test_values_are_never_taken_for_statements(base):
    hostile = "'; DELETE FROM outbox; --\\' $$ %(key)s %s \u2019 \\"

    def told(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
        return Effect([], Entry(hostile, hostile, {hostile: hostile}), 200, {hostile: hostile},
                      [Message(hostile, {hostile: hostile})])  # fmt: skip

    for again in (False, True):
        given = run(base.pooled("aos_app"), lambda database: change(database, CALLER, [], told, KEY))
        assert given == Given(200, {hostile: hostile}, again)
    found = base.rows(
        "SELECT action, object, details FROM audit UNION SELECT topic, topic, payload FROM outbox"
    )
    assert found == [(hostile, hostile, {hostile: hostile})]


def test_what_only_reads_takes_one_round_trip(base):
    async def main() -> int:
        async with (
            Wire.to(base.server.port) as wire,
            Database.open(Secret(base.server.url("aos_app", base.name, wire.port)), 1) as database,
        ):
            await database.read(("session.version", {}))
            before = wire.trips
            assert await database.read(("tenants.catalog", {}), ("audit.latest", {}), tenant="acme") == [
                [],
                [],
            ]
            return wire.trips - before

    assert asyncio.run(main()) == 1


def test_the_same_key_has_one_effect_and_one_answer(base):
    first = run(base.pooled("aos_app"), once())
    assert run(base.pooled("aos_app"), once()) == first._replace(again=True)
    assert counts(base) == (Decimal(1), 1, 1, 1)


def test_another_body_with_the_key_is_refused_and_another_caller_has_keys_of_their_own(base):
    run(base.pooled("aos_app"), once())
    with pytest.raises(AosError) as caught:
        run(base.pooled("aos_app"), once(key_of("k1", "POST", "/budgets", {"cents": 101})))
    assert caught.value.code == "idempotency_mismatch"
    other = CALLER._replace(principal=Principal("https://login.example", "bob"))
    run(base.pooled("aos_app"), lambda database: change(database, other, READS, spend, KEY))
    assert counts(base) == (Decimal(2), 2, 2, 2)


def test_a_key_is_free_after_a_day(base):
    run(base.pooled("aos_app"), once())
    base.server.execute("UPDATE idempotency_keys SET created_at = now() - interval '23 hours'", base.name)
    assert run(base.pooled("aos_app"), once()).again
    base.server.execute("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'", base.name)
    assert not run(base.pooled("aos_app"), once()).again
    assert counts(base) == (Decimal(2), 2, 2, 1)


def test_of_many_at_once_one_has_the_effect_and_all_have_its_answer(base):
    async def act(database: Database) -> Given:
        answers = await asyncio.gather(*(change(database, CALLER, READS, spend, KEY) for _ in range(8)))
        assert sorted(given.again for given in answers) == [False, *[True] * 7]
        assert len({given.body["at"] for given in answers}) == 1
        return answers[0]

    run(base.pooled("aos_app"), act)
    assert counts(base) == (Decimal(1), 1, 1, 1)


def test_one_that_still_runs_is_a_conflict_that_passes(base):
    async def act(database: Database) -> Given:
        async with database.transaction("acme") as t:
            await t.one(
                "idempotency.claim",
                issuer="https://login.example",
                subject="ann",
                key="k1",
                digest=KEY.digest,
            )
            with pytest.raises(AosError) as caught:
                await change(database, CALLER, READS, spend, KEY)
            assert (caught.value.code, caught.value.retry_after_s) == ("request_in_progress", 2)
        return Given(0, {})

    run(base.url("aos_app"), act)


def test_a_refusal_leaves_nothing_and_the_key_free(base):
    def refuse(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
        raise AosError("authorization_denied", "no")

    with pytest.raises(AosError, match="no"):
        run(base.pooled("aos_app"), lambda database: change(database, CALLER, READS, refuse, KEY))
    assert counts(base) == (Decimal(0), 0, 0, 0)
    assert not run(base.pooled("aos_app"), once()).again


def test_a_failure_in_the_last_statement_takes_everything_back(base):
    def too_much(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
        effect = spend(now, rows)
        return effect._replace(messages=[Message("t", {}), Message("t", {"text": "\0"})])

    with pytest.raises(AosError) as caught:
        run(base.pooled("aos_app"), lambda database: change(database, CALLER, READS, too_much, KEY))
    assert caught.value.code == "bad_value"
    assert counts(base) == (Decimal(0), 0, 0, 0)


@pytest.mark.parametrize("carried", [True, False], ids=["cut after", "cut before"])
def test_a_line_cut_at_commit_is_found_out_about(base, carried):
    async def main() -> Given:
        async with (
            Wire.to(base.server.port) as wire,
            Database.open(Secret(base.server.url("aos_app", base.name, wire.port)), 2) as database,
        ):
            await change(database, CALLER, READS, spend)
            wire.cut_at(b"COMMIT", carried=carried)
            return await change(database, CALLER, [], spend, KEY)

    if carried:
        assert asyncio.run(main()).status == 201
        assert counts(base)[0] == Decimal(2)
    else:
        with pytest.raises(AosError) as caught:
            asyncio.run(main())
        assert (caught.value.code, caught.value.effect) == ("unavailable", "none")
        assert counts(base)[0] == Decimal(1)


@pytest.mark.parametrize("header", ["", "x" * 256, "a b", "ü", "a\n"])
def test_a_key_is_visible_ascii(header):
    with pytest.raises(AosError) as caught:
        key_of(header, "POST", "/", {})
    assert caught.value.code == "bad_value"
