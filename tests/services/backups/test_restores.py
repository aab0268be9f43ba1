"""A restore puts back rows, rights and row-level security, keeps what was there, and disturbs nobody."""

import asyncio
import os
import subprocess
import sys

import psycopg
import pytest

from aos.errors import AosError, InputError
from aos_server.services.backups.folder import Folder
from aos_server.services.backups.making import create
from aos_server.services.backups.restoring import restore
from tests.services.backups.backing import Backed
from tests.services.processes import folder

REFUSED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)
CHANGES = ("UPDATE audit SET object = 'x'", "DELETE FROM audit", "TRUNCATE audit", "DELETE FROM audit_leaves")


def test_a_backup_on_the_host_from_beginning_to_end(backed):
    status, made = backed.host("create")
    assert (status, made["state"], made["audit"]["size"]) == (0, "good", 22)
    assert Folder(backed.path).last_good() is not None
    kept = backed.path / made["name"]
    assert [oct(path.stat().st_mode & 0o777) for path in (backed.path, kept, *sorted(kept.iterdir()))] == [
        *("0o700", "0o700"),
        *("0o600", "0o600"),
    ]
    assert "-pw" not in (kept / "manifest.json").read_text()
    backed.base.server.execute("DELETE FROM runs", backed.base.name)

    with pytest.raises(AosError, match=f"there is a database {backed.base.name}"):
        asyncio.run(restore(backed.restoring, made["name"], backed.base.name, replaces=False))
    somebody = psycopg.connect(backed.base.url("aos_app"), application_name="somebody")
    with somebody, pytest.raises(AosError, match=f"connected to {backed.base.name}") as refused:
        backed.restore(made["name"])
    assert (refused.value.code, refused.value.row.exit) == ("database_in_use", 9)
    assert any("aos_app somebody from 127.0.0.1" in found.detail for found in refused.value.findings)
    backed.quiet()
    status, wrong = backed.host("restore", made["name"], "--yes-replace", "postgres")
    assert (status, wrong["code"]) == (2, "bad_value")
    assert backed.base.rows("SELECT count(*) FROM runs") == [(0,)]

    status, done = backed.host("restore", made["name"], "--yes-replace", backed.base.name)
    assert (status, done["database"], done["audit"]) == (0, backed.base.name, {"size": 22, "signed": 22})
    assert backed.base.rows("SELECT count(*) FROM runs") == [(2,)]
    with psycopg.connect(backed.base.server.url("root", done["kept_as"])) as before:
        assert before.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    assert_rights(backed)
    assert backed.log.verify().damage == []
    assert backed.scratches() == []


def assert_rights(backed: Backed) -> None:
    """Nobody but the owner changes the audit log, and a tenant sees its own rows alone."""
    for role in ("aos_app", "aos_worker", "aos_reader", "aos_backup"):
        for change in CHANGES:
            with (
                psycopg.connect(backed.base.url(role)) as connection,
                pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)),
            ):
                connection.execute(change)
    with psycopg.connect(backed.base.url("aos_app")) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)
        connection.execute("SELECT set_config('aos.tenant', 'acme', true)")
        assert connection.execute("SELECT DISTINCT tenant_id FROM runs").fetchall() == [("acme",)]
        connection.execute("INSERT INTO tenants VALUES ('acme') ON CONFLICT DO NOTHING")
    owners = backed.base.rows("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    assert owners == [("aos_owner",)]
    backed.base.server.execute("SET ROLE aos_owner; ALTER TABLE runs ADD later text", backed.base.name)


def test_what_is_damaged_replaces_nothing(backed):
    name = backed.create().name
    backed.quiet()
    dump = backed.path / name / "database.dump"
    dump.write_bytes(dump.read_bytes()[:-9] + b"123456789")
    with pytest.raises(AosError) as refused:
        backed.restore(name)
    assert (refused.value.code, refused.value.row.exit) == ("backup_damaged", 11)
    assert backed.base.rows("SELECT count(*) FROM runs") == [(2,)]
    status, told = backed.host("verify", name)
    assert (status, told["code"], len(told["errors"])) == (11, "backup_damaged", 1)
    assert Folder(backed.path).manifest(name).state == "bad"
    assert Folder(backed.path).last_good() is None
    assert backed.scratches() == []


def test_the_pooler_is_refused_and_whoever_may_not(backed):
    name = backed.create().name
    backed.quiet()
    for url in (backed.base.pooled("aos_worker"), backed.base.url("aos_app")):
        with pytest.raises(InputError) as refused:
            asyncio.run(create(backed.site._replace(url=url)))
        assert refused.value.findings[0].code == "unsafe_setting"
    owner = backed.restoring._replace(url=backed.base.url("aos_owner"))
    with pytest.raises(InputError, match="permission denied to create database"):
        asyncio.run(restore(owner, name, backed.base.name, replaces=True))
    assert backed.here() == [name]


def test_an_older_pg_dump_is_refused_with_what_to_install(backed):
    with folder() as old:
        for program in ("pg_dump", "pg_restore"):
            (old / program).write_text(f"#!/bin/sh\necho '{program} (PostgreSQL) 9.6.24'\n")
            (old / program).chmod(0o755)
        with pytest.raises(AosError, match="is 9, older than the server") as refused:
            asyncio.run(create(backed.site._replace(programs=old)))
    assert refused.value.code == "postgres_programs"
    assert "postgresql-client-" in refused.value.fix
    assert backed.here() == []


def test_a_full_disk_leaves_nothing_behind_and_says_so(backed, tmp_path):
    (tmp_path / "backups").mkdir(0o700)
    steps = (
        "mount -t tmpfs -o size=64k,mode=700 none $2",
        "$1 -m aos_server backup create --json",
        "ls -A $2",
    )
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    shell = ["sh", "-c", "; ".join(steps), "sh", sys.executable, str(tmp_path / "backups")]
    command = ["unshare", "--mount", *root, *shell]
    done = subprocess.run(command, env=backed.settings, capture_output=True, text=True)
    assert '"code":"write_failed"' in done.stdout.replace(" ", "")
    assert "No space left on device" in done.stdout
    assert done.stdout.splitlines()[1:] == [".lock"]
    assert backed.scratches() == []
