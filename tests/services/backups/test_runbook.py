"""docs/runbooks/backup-restore.md, as typed: from a backup of one machine to a service that works on another."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from aos.errors import CODES, AosError
from aos_server.services.backups.restoring import restore
from aos_server.settings import VARIABLES, Secret
from tests.services.backups.backing import Backed
from tests.services.keys.making import new_keys
from tests.services.processes import LOGINS, Postgres, started

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/runbooks/backup-restore.md").read_text("utf-8")


def commands(*kinds: str) -> str:
    """Those of the page that run on the host, in its order."""
    found = re.findall(r"```(sh[^\n]*)\n(.*?)```", PAGE, re.DOTALL)
    return "\n".join(text for kind, text in found if kind in kinds)


def test_from_a_fresh_machine_to_a_restored_service(backed: Backed, tmp_path):
    name = backed.create().name
    backed.base.server.execute("DELETE FROM runs", backed.base.name)
    new_keys(tmp_path / "keys")
    with started(Postgres) as server:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {
            **backed.settings,
            "PATH": path,
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.port),
            "PGUSER": "root",
            **{f"{role.upper()}_PASSWORD": f"{role}-of-16-characters" for role in LOGINS},
            "AOS_RESTORE_DATABASE_URL": server.url("root", "aos"),
            "AOS_BACKUP_DATABASE_URL": url(server, "aos_backup"),
            "AOS_MIGRATE_DATABASE_URL": url(server, "aos_owner"),
            "DATABASE_URL": url(server, "aos_worker"),
            "WEBHOOK_KEYS_PATH": str(tmp_path / "keys"),
        }
        site = backed.restoring._replace(url=Secret(server.url("root", "aos")))
        with pytest.raises(AosError, match="lacks the roles aos_app, aos_backup, aos_owner"):
            asyncio.run(restore(site, name, "aos", replaces=True))
        typed = "\n".join([commands("sh fresh", "sh beside"), "aos-server backup create"])
        done = subprocess.run(
            ["bash", "-e"],
            input=typed,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        with psycopg.connect(server.url("root", "aos")) as connection:
            assert connection.execute("SELECT count(*) FROM runs").fetchone() == (2,)
            names = [name for (name,) in connection.execute("SELECT datname FROM pg_database ORDER BY 1")]
    assert [re.sub("[0-9TZ]{16}$", "", name) for name in names if name.startswith("aos")] == [
        *("aos", "aos_before_", "aos_look"),
    ]
    assert len(backed.here()) == 2


def url(server: Postgres, role: str) -> str:
    return f"postgresql://{role}:{role}-of-16-characters@127.0.0.1:{server.port}/aos"


def test_the_settings_are_settings_and_the_codes_have_those_statuses():
    assert set(re.findall(r"^([A-Z_]+)=", commands("sh settings"), re.MULTILINE)) <= set(VARIABLES)
    shown = {code: int(status) for status, code in re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE, re.MULTILINE)}
    assert shown == {code: CODES[code].exit for code in shown}
    assert {code for code, row in CODES.items() if row.area == "backups"} - {"backup_not_found"} <= set(shown)
