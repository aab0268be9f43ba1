"""Servers that a session shares, each started when the first test asks for it; and a database for each test."""

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import psycopg
import pytest

from aos_server.settings import Secret
from tests.services.oidc.provider import OpenId
from tests.services.processes import Postgres, Process, migrated, pooled, redis, started

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
        tables = self.rows(
            "SELECT table_schema || '.' || table_name FROM information_schema.columns WHERE column_name = 'audit_id'"
        )
        missing = "SELECT count(*) FROM {} x WHERE NOT EXISTS (SELECT FROM audit a WHERE a.id = x.audit_id)"
        return [str(name) for (name,) in tables if self.rows(missing.format(name)) != [(0,)]]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A cluster with the template of every test's database."""
    with migrated(_TEMPLATE) as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """An empty cluster of the test's own, to be killed."""
    with started(Postgres) as server:
        yield server


@pytest.fixture(scope="session")
def pooler(postgres: Postgres) -> Iterator[Process]:
    with pooled(postgres) as bouncer:
        yield bouncer


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Process]:
    with started(redis) as server:
        yield server


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenId]:
    with started(OpenId) as running:
        yield running


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
