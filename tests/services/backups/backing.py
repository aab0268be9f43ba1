"""A database with something in it, a folder for its backups, and commands of the host as processes."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

from aos_server.services.audit.checkpoints import signer
from aos_server.services.backups.folder import Folder
from aos_server.services.backups.making import create
from aos_server.services.backups.manifest import Manifest
from aos_server.services.backups.restoring import Restored, restore
from aos_server.services.backups.site import Site
from tests.cli.schemas import faults
from tests.services.audit.log import TEN, Log
from tests.services.conftest import Base
from tests.services.db.rows import ROWS
from tests.services.processes import program, wait_for

SCRATCHES = r"SELECT datname FROM pg_database WHERE datname LIKE 'aos\_scratch\_%' ORDER BY 1"
TENANTS = {"acme": "a", "evil": "b"}


class Backed:
    """A database with rows of two tenants, and 22 in the audit log's tree."""

    def __init__(self, base: Base, home: Path) -> None:
        self.base = base
        self.path = home / "backups"
        self.log = Log(base, home)
        for tenant, letter in TENANTS.items():
            request = f"00000000-0000-0000-0000-00000000000{letter}"
            base.server.execute(ROWS.format(t=tenant, k=letter * 16, u=request), base.name)
        for _ in range(2):
            base.server.execute(TEN, base.name)
            self.log.sequence()

    @property
    def site(self) -> Site:
        public = signer(self.log.outside.with_name("audit.key")).public
        url = self.base.url("aos_backup")
        return Site(Folder(self.path), url, "AOS_BACKUP_DATABASE_URL", None, public, self.log.outside)

    @property
    def settings(self) -> dict[str, str]:
        """Of the commands of the host."""
        return {
            "PATH": os.environ["PATH"],
            "AOS_BACKUP_PATH": str(self.path),
            "AOS_BACKUP_DATABASE_URL": self.base.url("aos_backup"),
            "AOS_RESTORE_DATABASE_URL": self.base.url("root"),
            "AOS_AUDIT_KEY_PATH": str(self.log.outside.with_name("audit.key")),
            "AOS_AUDIT_CHECKPOINTS_PATH": str(self.log.outside),
        }

    def begin(self, *words: str, more: Mapping[str, str] = {}) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "aos_server", "backup", *words, "--json"]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env={**self.settings, **more}, stdout=pipe, stderr=pipe, text=True)

    def host(self, *words: str, more: Mapping[str, str] = {}) -> tuple[int, dict[str, Any]]:
        """The exit status and the document of a command."""
        with self.begin(*words, more=more) as process:
            said, aside = process.communicate()
        assert aside == ""
        document: dict[str, Any] = json.loads(said)
        assert faults(document) == []
        return process.returncode, document

    def create(self) -> Manifest:
        return asyncio.run(create(self.site))

    def here(self) -> list[str]:
        """What is in the folder, but for the lock."""
        return sorted(path.name for path in self.path.glob("*") if path.name != ".lock")

    def quiet(self) -> None:
        """Nobody is connected, as where server, workers and pooler have ended."""
        there = f"FROM pg_stat_activity WHERE datname = '{self.base.name}'"
        self._beside(f"SELECT pg_terminate_backend(pid) {there}")
        wait_for(lambda: self._beside(f"SELECT 1 {there}") == [], "nobody is connected")

    @property
    def restoring(self) -> Site:
        return self.site._replace(url=self.base.url("root"), setting="AOS_RESTORE_DATABASE_URL")

    def restore(self, name: str, target: str = "") -> Restored:
        """In the place of the database, or beside it."""
        return asyncio.run(restore(self.restoring, name, target or self.base.name, replaces=not target))

    def scratches(self) -> Sequence[object]:
        return [name for (name,) in self._beside(SCRATCHES)]

    def _beside(self, query: str) -> list[tuple[object, ...]]:
        """What a superuser sees who is not connected to the database: a restore refuses where anybody is."""
        with psycopg.connect(self.base.server.url("root", "postgres"), autocommit=True) as connection:
            return connection.execute(query).fetchall()


def stuck(folder: Path) -> Path:
    """Programs that stop amid their work, and end with whoever called them."""
    folder.mkdir()
    forever = "while kill -0 $PPID; do sleep 0.05; done"
    for name, act in (
        ("pg_dump", f'{program("pg_dump")} "$@" | head -c 50000'),
        ("pg_restore", "head -c 50000"),
    ):
        known = f'[ "$1" = --version ] && exec {program(name)} --version'
        (folder / name).write_text(f"#!/bin/sh\n{known}\n{act}\n{forever}\n")
        (folder / name).chmod(0o755)
    return folder
