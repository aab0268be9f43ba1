"""Making a backup: one snapshot of the database, dumped and described; then tried."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import aos
from aos_server.db.content import content, snapshot
from aos_server.db.direct import (
    MAINTENANCE,
    Connection,
    at,
    database_of,
    direct,
    likeness,
    require_rights,
    sweep,
)
from aos_server.db.dump import Programs, dump, programs
from aos_server.services.backups.folder import new_name
from aos_server.services.backups.manifest import Manifest, Trial
from aos_server.services.backups.site import Site
from aos_server.services.backups.trial import tried

__all__ = ["create", "look", "verify"]


class _Ready(NamedTuple):
    """A connection to MAINTENANCE, and programs that know its server."""

    maintenance: Connection
    used: Programs

    @property
    def postgres(self) -> str:
        return self.maintenance.info.parameter_status("server_version") or ""


async def create(site: Site, name: str | None = None) -> Manifest:
    """Make a backup and try it; it is good, bad, or (where trying was cut off) as it was created.

    It has that name, where it has one already.

    Raises AosError: backup_running, postgres_programs, backup_failed, write_failed, schema_outdated, unavailable. Then
    there is none, unless what failed was the trial.
    """
    with site.folder.locked("making a backup"):
        async with _ready(site) as ready:
            made = await _made(site, ready, name)
            return await _verified(site, ready, made)


async def verify(site: Site, name: str) -> Manifest:
    """Try a backup anew, whatever was found before. Raises as `create`, backup_not_found, and backup_damaged."""
    with site.folder.locked(f"verifying {name}"):
        manifest = site.folder.manifest(name)
        async with _ready(site) as ready:
            return await _verified(site, ready, manifest)


async def look(site: Site) -> None:
    """Look whether one could be made here, without making one. Raises as `create`."""
    site.folder.prepare()
    async with _ready(site), direct(site.url, site.setting) as source:
        await require_rights(source, site.setting)
        await likeness(source)


@asynccontextmanager
async def _ready(site: Site) -> AsyncIterator[_Ready]:
    async with direct(at(site.url, MAINTENANCE), site.setting) as maintenance:
        await sweep(maintenance)
        yield _Ready(maintenance, await programs(maintenance.info.server_version // 10_000, site.programs))


async def _made(site: Site, ready: _Ready, name: str | None) -> Manifest:
    started = datetime.now(UTC)
    async with direct(site.url, site.setting) as source:
        like = await likeness(source)
        with site.folder.making(name or new_name(started)) as made:
            async with snapshot(source) as seen:
                there = await content(source, like.owner)
                with made.dump() as file:
                    written = await dump(ready.used, site.url, seen, file)
            manifest = Manifest(
                made.name,
                aos.__version__,
                database_of(site.url),
                ready.postgres,
                like,
                there,
                started,
                datetime.now(UTC),
                written.size,
                written.sha256,
            )
            await asyncio.to_thread(site.folder.publish, made, manifest)
    return manifest


async def _verified(site: Site, ready: _Ready, manifest: Manifest) -> Manifest:
    began = time.monotonic()
    wrong = await tried(site, ready.maintenance, ready.used, manifest)
    trial = Trial(datetime.now(UTC), time.monotonic() - began, ready.postgres, tuple(wrong))
    known = manifest._replace(trial=trial)
    await asyncio.to_thread(site.folder.keep, known)
    return known
