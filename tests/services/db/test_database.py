"""Transactions of one tenant, through PgBouncer as directly; and what its failures mean."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import psycopg
import pytest

from aos.errors import AosError
from aos_server.db.migrate import head
from aos_server.db.pool import Database, Work
from aos_server.settings import Secret
from tests.services.db.rows import ROWS, TENANT_TABLES


def run(
    url: Secret, act: Callable[[Database], Awaitable[object]], size: int = 2, deadline_s: float = 8
) -> object:
    async def main() -> object:
        async with Database.open(url, size, deadline_s=deadline_s) as database:
            return await act(database)

    return asyncio.run(main())


async def version(database: Database) -> str:
    async with database.transaction("acme") as t:
        row = await t.one("session.version")
        assert row is not None
        return str(row["version"])


def code(url: Secret, act: Callable[[Database], Awaitable[object]]) -> tuple[str, int, bool]:
    with pytest.raises(AosError) as caught:
        run(url, act)
    return caught.value.code, caught.value.row.status, caught.value.retry_after_s is not None


@pytest.fixture(scope="module")
def two_tenants(new_base):
    base = new_base()
    for tenant, key in (("acme", "a" * 16), ("evil", "b" * 16)):
        base.server.execute(ROWS.format(t=tenant, k=key, u=uuid4()), base.name)
    return base


def test_a_transaction_commits_directly_and_through_the_pooler(base):
    for url in (base.url("aos_app"), base.pooled("aos_app")):
        assert run(url, version) == head()


def test_the_tables_that_are_tried_are_all_that_have_a_tenant(base):
    found = base.rows(
        "SELECT CASE table_schema WHEN 'public' THEN '' ELSE table_schema || '.' END || table_name"
        " FROM information_schema.columns WHERE column_name = 'tenant_id'"
    )
    assert {name for (name,) in found} == set(TENANT_TABLES)
    unguarded = base.rows(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND NOT relrowsecurity "
        "AND relnamespace IN ('public'::regnamespace, 'archive'::regnamespace)"
    )
    assert unguarded == [("alembic_version",)]


@pytest.mark.parametrize("role", ["aos_app", "aos_reader"])
@pytest.mark.parametrize("table", TENANT_TABLES)
def test_another_tenants_rows_are_not_there(two_tenants, role, table):
    with psycopg.connect(two_tenants.pooled(role), prepare_threshold=None) as connection:
        if role == "aos_reader" and table in ("service_keys", "idempotency_keys", "sessions"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT 1 FROM {table}")
            return
        assert connection.execute(f"SELECT 1 FROM {table}").fetchall() == []  # no tenant set: nothing is seen
        connection.execute("SELECT set_config('aos.tenant', 'acme', true)")
        assert set(connection.execute(f"SELECT tenant_id FROM {table}").fetchall()) == {("acme",)}
        connection.rollback()
        # The setting went with its transaction, though PgBouncer gave the connection back and another time out.
        assert connection.execute(f"SELECT 1 FROM {table}").fetchall() == []


def test_what_a_transaction_sees_the_next_client_of_the_pooler_does_not(two_tenants):
    async def act(database: Database) -> int:
        async with database.transaction("acme") as t:
            return len(await t.all("audit.page", limit=5, before_at=None, before_id=None, object=None))

    assert run(two_tenants.pooled("aos_app"), act) == 1
    with psycopg.connect(two_tenants.pooled("aos_app"), prepare_threshold=None) as connection:
        assert connection.execute("SELECT 1 FROM audit").fetchall() == []


@pytest.mark.parametrize("table", ["policy_versions", "policy_activations"])
@pytest.mark.parametrize("words", ["UPDATE {} SET issuer = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_versions_and_activations_only_grow(two_tenants, table, words):
    with psycopg.connect(two_tenants.pooled("aos_app"), prepare_threshold=None) as connection:
        connection.execute("SELECT set_config('aos.tenant', 'acme', true)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
            connection.execute(words.format(table))


@pytest.mark.parametrize("table", [name for name in TENANT_TABLES if not name.startswith("all_")])
def test_nothing_is_written_into_another_tenant(two_tenants, table):
    with psycopg.connect(two_tenants.pooled("aos_app"), prepare_threshold=None) as connection:
        connection.execute("SELECT set_config('aos.tenant', 'acme', true)")
        with pytest.raises(
            psycopg.errors.InsufficientPrivilege, match=r"row-level security|permission denied"
        ):
            connection.execute(f"UPDATE {table} SET tenant_id = 'evil'")


def test_a_service_key_is_found_before_its_tenant_is_known_and_no_other_row_of_it(two_tenants):
    with psycopg.connect(two_tenants.pooled("aos_app"), prepare_threshold=None) as connection:
        found = connection.execute("SELECT tenant_id FROM find_service_key(%s)", ["b" * 16]).fetchall()
        assert found == [("evil",)]
        assert connection.execute("SELECT 1 FROM find_service_key('c')").fetchall() == []


@pytest.mark.parametrize("role", ["aos_app", "aos_worker", "aos_reader"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET subject = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit CASCADE",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "DROP TABLE audit",
        "SET ROLE aos_owner",
        "ALTER TABLE audit DISABLE ROW LEVEL SECURITY",
    ],
)
def test_nobody_changes_the_audit_log(two_tenants, role, statement):
    with psycopg.connect(two_tenants.pooled(role), prepare_threshold=None) as connection:
        connection.execute("SELECT set_config('aos.tenant', 'acme', true)")
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
            connection.execute(statement)


def test_limits_of_time_belong_to_the_role_and_pass_the_pooler(base):
    with psycopg.connect(base.pooled("aos_app"), prepare_threshold=None) as connection:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        found = [connection.execute(f"SHOW {name}").fetchone() for name in names]
        assert found == [("2s",), ("1500ms",), ("10s",)]


def test_our_roles_have_no_right_too_many_and_others_are_found_out(base):
    def excess(role: str, work: Work) -> str:
        found = run(base.url(role), lambda database: database.excess(work))
        assert isinstance(found, list)
        return ", ".join(found)

    assert excess("aos_app", "serve") == excess("aos_worker", "worker") == ""
    for right in ("changes the audit log", "deletes from", "empties", "may not answer requests"):
        assert right in excess("aos_owner", "serve")
    assert "is a superuser" in excess("root", "serve")
    assert "sees every tenant" in excess("aos_worker", "serve")
    assert "may not do the worker's work" in excess("aos_app", "worker")
    assert "may not answer requests" in excess("aos_reader", "serve")


def test_an_exception_rolls_back_and_the_connection_is_good_again(base):
    async def fail(database: Database) -> None:
        async with database.transaction("acme") as t:
            await t.send("tenants.ensure")
            raise KeyError

    async def act(database: Database) -> None:
        for _ in range(5):
            with pytest.raises(KeyError):
                await fail(database)
        assert await version(database) == head()

    run(base.pooled("aos_app"), act)
    assert base.rows("SELECT 1 FROM tenants") == []


def test_an_error_of_ours_in_a_statement_is_no_503(base):
    async def act(database: Database) -> None:
        async with database.transaction("not a tenant!") as t:
            await t.send("tenants.ensure")

    with pytest.raises(psycopg.errors.CheckViolation):
        run(base.url("aos_app"), act)


def test_no_schema_is_said(postgres):
    name = f"empty_{uuid4().hex}"
    postgres.create(name)
    assert code(Secret(postgres.url("aos_app", name)), Database.ready) == ("schema_outdated", 503, False)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_where_there_is_no_postgres_it_is_a_503_in_time():
    started = time.monotonic()
    assert code(Secret("postgresql://aos_app:x@127.0.0.1:1/aos"), version) == ("unavailable", 503, True)
    assert time.monotonic() - started < 10


def test_a_standby_is_not_ready_and_no_connection_to_it_is_kept(base):
    """As after a failover: what was the primary takes no changes any more."""

    async def changed(database: Database) -> str:
        try:
            async with database.transaction("acme") as t:
                await t.send("tenants.ensure")
        except AosError as error:
            return f"{error.row.status} {error.detail}"
        return "changed"

    async def act(database: Database) -> None:
        with pytest.raises(AosError, match="takes no changes") as caught:
            await database.ready()
        assert caught.value.code == "unavailable"
        base.server.execute(f"{alter} = off")  # for connections to come
        assert await changed(database) == "503 the database takes no changes for now"
        assert await changed(database) == "changed"
        await database.ready()

    alter = f"ALTER DATABASE {base.name} SET default_transaction_read_only"
    base.server.execute(f"{alter} = on")
    run(base.url("aos_app"), act, 1)


def test_a_pool_outlives_postgres_and_recovers_within_5_seconds(own_postgres):
    async def act(database: Database) -> None:
        async def answers() -> bool:
            try:
                async with database.transaction() as t:
                    await t.one("session.begun")
            except AosError as error:
                return error.code != "unavailable"
            return True

        assert await answers()
        own_postgres.kill()
        assert not await answers()
        await asyncio.sleep(1)
        assert not await answers()
        own_postgres.start()
        started = time.monotonic()
        while not await answers():
            assert time.monotonic() - started < 5
        assert time.monotonic() - started < 5

    run(Secret(own_postgres.url("root")), act, 1)


def test_a_postgres_that_hangs_is_cut_off(own_postgres):
    async def act(database: Database) -> None:
        async with database.transaction() as t:
            await t.one("session.begun")
        own_postgres.send(signal.SIGSTOP)
        started = time.monotonic()
        with pytest.raises(AosError) as caught:
            async with database.transaction() as t:
                await t.one("session.begun")
        own_postgres.send(signal.SIGCONT)
        assert caught.value.code == "unavailable"
        assert 1 <= time.monotonic() - started < 10

    run(Secret(own_postgres.url("root")), act, deadline_s=1)
