"""An upgrade that rolls: code goes on at a newer schema as long as that serves it, and no longer."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from aos.errors import AosError
from aos_server.cli.serving.starting import look
from aos_server.db.migrate import _FOLDER, Migrated, head, migrate
from aos_server.db.pool import Database
from tests.services.conftest import Base
from tests.services.serving.settings import SERVE

Release = Callable[[str, str], str]

MODULE = """
from aos_server.db.migrations import execute
revision, down_revision, serves = "{number}", "{before}", "{serves}"
def upgrade(): execute(__file__, serves)
"""


@pytest.fixture
def release(base: Base, tmp_path: Path) -> Release:
    """Migrates as code to come does, whose schema serves what is from `serves` on; gives its version."""
    folder = tmp_path / "migrations"
    shutil.copytree(_FOLDER, folder)
    config = Config()
    config.set_main_option("script_location", str(folder))

    def to_come(serves: str, change: str) -> str:
        before = max(path.name[:4] for path in (folder / "versions").glob("[0-9]*.py"))
        number = f"{int(before) + 1:04}"
        path = folder / f"versions/{number}_next.py"
        path.write_text(MODULE.format(number=number, before=before, serves=serves))
        path.with_suffix(".sql").write_text(change)
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(base.url("aos_owner")),
            poolclass=NullPool,
        )
        with engine.connect() as config.attributes["connection"]:
            command.upgrade(config, "head")
        return number

    return to_come


def test_servers_go_on_until_the_schema_serves_them_no_longer(base: Base, release: Release) -> None:
    environment = {**SERVE, "DATABASE_URL": base.pooled("aos_app")}
    owner = base.url("aos_owner")

    async def of_a_server_that_runs() -> list[str]:
        async with Database.open(base.pooled("aos_app"), 1) as database:

            async def state() -> str:
                try:
                    await database.ready()
                    return "ready"
                except AosError as error:
                    return f"{error.code}: {error.detail}"

            states = [await state()]
            number = await asyncio.to_thread(release, head(), "ALTER TABLE tenants ADD COLUMN motto text")
            states.append(await state())
            assert (await asyncio.to_thread(look, environment, "serve"))[1].findings == []
            going_back = await asyncio.to_thread(migrate, owner)
            assert going_back == Migrated(number, number)
            await asyncio.to_thread(release, number, "ALTER TABLE tenants DROP COLUMN motto")
            return [*states, await state()]

    *before, after = asyncio.run(of_a_server_that_runs())
    assert before == ["ready", "ready"]
    older, newer = f"{int(head()) + 1:04}", f"{int(head()) + 2:04}"
    wrong = f"the schema is {newer} and serves no code before {older}; this code is {head()}"
    assert after == f"schema_outdated: {wrong}"
    assert look(environment, "serve")[1].schema == wrong
    with pytest.raises(AosError, match="serves no code before") as caught:
        migrate(owner)
    assert caught.value.code == "schema_outdated"


def test_what_one_migration_ended_no_later_one_begins_anew(base: Base, release: Release) -> None:
    ended = release(f"{int(head()) + 1:04}", "ALTER TABLE tenants ADD COLUMN motto text")
    release(head(), "ALTER TABLE tenants ADD COLUMN crest text")
    assert base.rows("SELECT serves FROM alembic_version") == [(ended,)]


def test_every_migration_says_which_code_it_serves() -> None:
    from importlib import import_module

    for path in (_FOLDER / "versions").glob("[0-9]*.py"):
        module = import_module(f"aos_server.db.migrations.versions.{path.stem}")
        assert module.revision == path.stem[:4]
        if module.revision > "0010":
            assert "0011" <= module.serves <= module.revision
            assert "execute(__file__, serves)" in path.read_text()
