"""Servers that a session shares, each started when the first test asks for it; and a database for each test."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from aos_server.db.migrate import migrate
from aos_server.settings import Secret
from tests.services.oidc.provider import OpenId
from tests.services.processes import Postgres, Process, folder, pgbouncer, redis

_TEMPLATE = "aos_template"
_numbers = itertools.count()


class Base(NamedTuple):
    """A migrated database of one test, on a server that the session shares; `pooled` goes through PgBouncer."""

    server: Postgres
    name: str
    pooler: Process

    def url(self, role: str) -> Secret:
        return Secret(self.server.url(role, self.name))

    def pooled(self, role: str) -> Secret:
        return Secret(self.server.url(role, self.name, self.pooler.port))

    def drop(self) -> None:
        """With its connections, of which PgBouncer would keep some."""
        self.server.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What a superuser sees."""
        with psycopg.connect(self.server.url("root", self.name)) as connection:
            return connection.execute(query).fetchall()

    def unaudited(self) -> list[str]:
        """Tables that hold a row whose change the audit log does not have."""
        tables = self.rows("SELECT table_name FROM information_schema.columns WHERE column_name = 'audit_id'")
        missing = "SELECT count(*) FROM {} x WHERE NOT EXISTS (SELECT FROM audit a WHERE a.id = x.audit_id)"
        return [str(name) for (name,) in tables if self.rows(missing.format(name)) != [(0,)]]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A cluster with the template of every test's database."""
    with folder() as home:
        server = Postgres(home)
        server.start()
        server.create(_TEMPLATE)
        server.set_passwords()
        migrate(Secret(server.url("aos_owner", _TEMPLATE)))
        yield server
        server.kill()


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """An empty cluster of the test's own, to be killed."""
    with folder() as home:
        server = Postgres(home)
        server.start()
        yield server
        server.kill()


@pytest.fixture(scope="session")
def pooler(postgres: Postgres) -> Iterator[Process]:
    """PgBouncer in transaction mode, configured as shipped."""
    with folder() as home:
        bouncer = pgbouncer(home, postgres, userlist(postgres))
        bouncer.start()
        yield bouncer
        bouncer.kill()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Process]:
    with folder() as home:
        server = redis(home)
        server.start()
        yield server
        server.kill()


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenId]:
    with folder() as home:
        running = OpenId(home)
        running.start()
        yield running
        running.kill()


@pytest.fixture(scope="module")
def new_base(postgres: Postgres, pooler: Process) -> Iterator[Callable[[], Base]]:
    """Makes databases that are empty but for the schema; they are gone after the module."""
    made: list[Base] = []

    def make() -> Base:
        base = Base(postgres, f"aos_{next(_numbers)}", pooler)
        postgres.create(base.name, _TEMPLATE)
        made.append(base)
        return base

    yield make
    for base in made:
        base.drop()


@pytest.fixture
def base(new_base: Callable[[], Base]) -> Base:
    """A database of the test's own."""
    return new_base()


def userlist(postgres: Postgres) -> str:
    """What deploy/pgbouncer/userlist.sh writes for this server."""
    import os
    import subprocess

    script = Path(__file__).parents[2] / "deploy/pgbouncer/userlist.sh"
    with folder() as home:
        where = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(postgres.port),
            "PGUSER": "root",
            "PGDATABASE": "postgres",
        }
        subprocess.run([script, home / "userlist.txt"], check=True, env=os.environ | where)
        assert (home / "userlist.txt").stat().st_mode & 0o777 == 0o600
        return (home / "userlist.txt").read_text()
