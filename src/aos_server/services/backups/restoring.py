"""A restore that takes the place of a database: tried first, under another name; then two names change at once.

What was there keeps its data under a name with the time. Nobody is cut off: whoever is connected is named instead.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from aos.errors import AosError, Finding
from aos_server.db.direct import (
    MAINTENANCE,
    Connection,
    at,
    connected,
    database_of,
    databases,
    direct,
    missing_roles,
    scratch,
    swap,
    sweep,
)
from aos_server.db.dump import programs
from aos_server.services.backups.manifest import Manifest
from aos_server.services.backups.site import Site
from aos_server.services.backups.trial import restored

__all__ = ["Restored", "damaged", "restore", "target_of"]

MAX_NAME = 63
"""Postgres cuts longer ones."""


class Restored(NamedTuple):
    """The database that was restored, and the name of the one that had the name before; None: there was none."""

    manifest: Manifest
    database: str
    before: str | None


def target_of(site: Site, beside: str) -> str:
    """The database that is restored: the one that the setting names, or one `beside` it."""
    target = beside or database_of(site.url)
    if not target or len(target.encode()) > MAX_NAME - len("_before_20261126T154900Z"):
        raise AosError("bad_value", "the name of the database is longer than one that can be kept beside it")
    return target


def damaged(manifest: Manifest, wrong: Sequence[str]) -> AosError:
    """The refusal of a backup that is not what it says, with all that is wrong."""
    head = wrong[0] if len(wrong) == 1 else f"{len(wrong)} things are wrong with it"
    findings = [Finding("", "backup_damaged", one) for one in wrong]
    return AosError("backup_damaged", f"{manifest.name}: {head}", findings=findings)


async def restore(site: Site, name: str, target: str, *, replaces: bool) -> Restored:
    """Restore a backup as the database `target`; one of that name has to be there only if it `replaces` one.

    Raises AosError: backup_not_found, backup_damaged, backup_running, database_in_use, bad_value where there is a
    database that was not to be replaced, backup_failed, postgres_programs, write_failed, unavailable.
    """
    with site.folder.locked(f"restoring {name}"):
        manifest = site.folder.manifest(name)
        async with direct(at(site.url, MAINTENANCE), site.setting) as maintenance:
            await sweep(maintenance)
            server = maintenance.info.server_version // 10_000
            await _fit(maintenance, manifest, server)
            before = await _before(maintenance, target, replaces)
            used = await programs(max(server, manifest.major), site.programs)
            async with scratch(maintenance, manifest.like, owned=True) as new:
                wrong = await restored(site, new, used, manifest, role=manifest.like.owner)
                if wrong:
                    raise damaged(manifest, wrong)
                if before:
                    await _unused(maintenance, target)
                await swap(maintenance, new, target, before, manifest.like)
    return Restored(manifest, target, before)


async def _fit(maintenance: Connection, manifest: Manifest, server: int) -> None:
    if server < manifest.major:
        raise AosError(
            "backup_failed",
            f"the backup is of Postgres {manifest.major} and this server is {server}: it takes a newer one",
        )
    roles = {manifest.like.owner, *(grantee for grantee, _ in manifest.like.grants)}
    if missing := await missing_roles(maintenance, sorted(roles)):
        raise AosError(
            "backup_failed",
            f"the server lacks the roles {', '.join(missing)}",
            fix="Have a superuser run src/aos_server/db/roles.sql first, connected to the database.",
        )


async def _before(maintenance: Connection, target: str, replaces: bool) -> str | None:
    """The name that what is there now will have; None where nothing is."""
    if target not in await databases(maintenance):
        return None
    if not replaces:
        raise AosError(
            "bad_value",
            f"there is a database {target}",
            fix=f"--yes-replace {target} puts the backup in its place and keeps it under another name.",
        )
    await _unused(maintenance, target)
    return f"{target}_before_{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


async def _unused(maintenance: Connection, target: str) -> None:
    """Raises AosError(database_in_use) with everybody who is connected. Who comes a moment later makes `swap` fail."""
    if who := await connected(maintenance, target):
        findings = [Finding("", "database_in_use", one) for one in who]
        raise AosError(
            "database_in_use", f"{len(who)} connected to {target}: {'; '.join(who[:3])}", findings=findings
        )
