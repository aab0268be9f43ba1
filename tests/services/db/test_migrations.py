"""Migrations: through the front door only, one at a time, and as if nothing had been where one is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from procrastinate.schema import SchemaManager
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from aos.errors import AosError, InputError
from aos_server.db.migrate import _FOLDER, Migrated, head, migrate
from aos_server.settings import Secret
from tests.services.db.rows import ROWS
from tests.services.processes import Postgres, wait_for

TABLES = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"


STUCK = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


# All that procrastinate has made, as Postgres says it; without rights, which are ours to give.
QUEUE = """
SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname LIKE 'procrastinate%'
UNION ALL SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'procrastinate%'
UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid::regclass::text LIKE 'procrastinate%'
    AND tgname LIKE 'procrastinate%'
UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid::regclass::text LIKE 'procrastinate%'
UNION ALL SELECT concat_ws(' ', attrelid::regclass, attnum, attname, format_type(atttypid, atttypmod), attnotnull,
        attidentity, pg_get_expr(adbin, adrelid))
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid::regclass::text LIKE 'procrastinate%' AND attnum > 0
UNION ALL SELECT enumtypid::regtype || ' ' || enumsortorder || ' ' || enumlabel FROM pg_enum
ORDER BY 1
"""


@pytest.fixture
def empty(postgres) -> Iterator[str]:
    """The name of a database without tables."""
    name = f"empty_{uuid4().hex}"
    postgres.create(name)
    yield name
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


def start(postgres: Postgres, name: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "AOS_MIGRATE_DATABASE_URL": postgres.url("aos_owner", name)}
    words = [sys.executable, "-m", "aos_server", "migrate", "--json"]
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def upgrade(url: str, version: str) -> None:
    """As `migrate` does, up to an older version of the schema."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    with engine.connect() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(_FOLDER))
        command.upgrade(config, version)


def count(postgres: Postgres, name: str, query: str = TABLES) -> int:
    with psycopg.connect(postgres.url("root", name)) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])


def test_again_is_harmless(postgres, empty):
    url = Secret(postgres.url("aos_owner", empty))
    assert migrate(url) == Migrated("", head())
    assert migrate(url) == Migrated(head(), head())


def test_three_at_once_migrate_once(postgres, empty):
    # The last query of a connection; one that works has gone on to others.
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ 'migrate' AND query ~ 'advisory|COMMIT'"
    with psycopg.connect(postgres.url("root", empty)) as other:
        other.execute("CREATE TABLE outbox ()")  # so that the first one is not done before the last has come
        migrators = [start(postgres, empty) for _ in range(3)]
        wait_for(lambda: count(postgres, empty, STUCK) == 1, "one of them is at work")
        wait_for(lambda: count(postgres, empty, waiting) == 2, "the others wait for it")
        other.rollback()
    answers = [migrator.communicate(timeout=60) for migrator in migrators]
    assert [migrator.returncode for migrator in migrators] == [0, 0, 0], answers
    assert sorted(b'"before":null' in out for out, _ in answers) == [False, False, True]


def test_one_that_is_killed_in_the_middle_leaves_nothing_and_lets_the_next_in(postgres, empty):
    # Holds what the migration needs next to last, so that it stops in the middle of its work.
    with psycopg.connect(postgres.url("root", empty)) as other:
        other.execute("CREATE TABLE outbox ()")
        migrator = start(postgres, empty)
        wait_for(lambda: count(postgres, empty, STUCK) == 1, "the migrator waits")
        migrator.send_signal(signal.SIGKILL)
        migrator.communicate()
        second = start(postgres, empty)
        other.rollback()
    assert second.communicate(timeout=60)[1] == b""
    assert second.returncode == 0
    assert count(postgres, empty) == count(postgres, "aos_template")


def test_an_older_schema_is_brought_up_with_what_is_in_it(postgres, empty):
    url = postgres.url("aos_owner", empty)
    upgrade(url, "0005")
    for tenant, key in (("acme", "a" * 16), ("evil", "b" * 16)):
        rows, _, _ = ROWS.format(t=tenant, k=key, u=uuid4()).partition("INSERT INTO webhooks")
        postgres.execute(rows, empty)
    postgres.execute(
        "UPDATE outbox SET state = 'delivered', ended_at = now() WHERE tenant_id = 'evil'", empty
    )
    tables = (
        "tenants",
        "service_keys",
        "budgets",
        "runs",
        "audit",
        "outbox",
        "requests",
        "request_decisions",
    )
    before = [count(postgres, empty, f"SELECT count(*) FROM {table}") for table in tables]
    assert migrate(Secret(url)) == Migrated("0005", head())
    assert (
        before
        == [2] * len(tables)
        == [count(postgres, empty, f"SELECT count(*) FROM {one}") for one in tables]
    )
    unsent = "SELECT count(*) FROM outbox WHERE tenant_id = 'acme' AND spread_at IS NULL"
    sent = "SELECT count(*) FROM outbox WHERE tenant_id = 'evil' AND spread_at IS NOT NULL"
    assert count(postgres, empty, unsent) == count(postgres, empty, sent) == 1


def test_the_pooler_is_refused(base):
    with pytest.raises(InputError) as caught:
        migrate(base.pooled("aos_app"))
    assert [finding.code for finding in caught.value.findings] == ["unsafe_setting"]


def test_who_may_not_migrate_is_told_so(postgres, empty):
    with pytest.raises(InputError, match="use aos_owner"):
        migrate(Secret(postgres.url("aos_app", empty)))
    with pytest.raises(AosError, match="password authentication failed"):
        migrate(Secret(postgres.url("aos_owner", empty).replace("-pw", "-px")))


def test_every_migration_has_its_sql_and_follows_the_one_before():
    from aos_server.db import migrate as module

    folder = module._FOLDER / "versions"
    names = sorted(path.stem for path in folder.glob("[0-9]*.py"))
    assert names == sorted(path.stem for path in folder.glob("*.sql"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


def test_the_queue_is_that_of_the_installed_procrastinate(postgres, empty):
    postgres.execute(SchemaManager.get_schema(), empty)
    with (
        psycopg.connect(postgres.url("root", empty)) as theirs,
        psycopg.connect(postgres.url("root", "aos_template")) as ours,
    ):
        wanted = theirs.execute(QUEUE).fetchall()
        assert ours.execute(QUEUE).fetchall() == wanted
    assert len(wanted) > 100
