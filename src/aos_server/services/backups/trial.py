"""Trying a backup: a restore into a database of its own, and every figure of the manifest computed again from it."""

from aos_server.db.content import content, differences
from aos_server.db.direct import Connection, at, direct, scratch
from aos_server.db.dump import Programs, restore
from aos_server.db.pool import Database
from aos_server.services.audit.checkpoints import opened
from aos_server.services.audit.log import verify
from aos_server.services.backups.manifest import Manifest
from aos_server.services.backups.site import Site

__all__ = ["restored", "tried"]

_BATCH_S = 60.0
"""What reading a part of the audit log may take; nobody waits for it."""
_MOST = 20
"""So many things are told that are wrong; where everything is, the first ones say it."""


async def tried(site: Site, maintenance: Connection, used: Programs, manifest: Manifest) -> list[str]:
    """What is wrong with a backup; nothing is left of the trial. Raises AosError where it can't be told."""
    async with scratch(maintenance, manifest.like, owned=False) as name:
        return await restored(site, name, used, manifest)


async def restored(
    site: Site, database: str, used: Programs, manifest: Manifest, *, role: str | None = None
) -> list[str]:
    """Restore into an empty database, and compare; what is wrong, nothing where it is the same as what was dumped."""
    url = at(site.url, database)
    with site.folder.read(manifest.name) as source:
        read, failure = await restore(used, url, role, source)
    if (read.size, read.sha256) != (manifest.size, manifest.sha256):
        return [f"the dump is another: {read.size:,} bytes with SHA-256 {read.sha256[:16]}…, "
                f"not {manifest.size:,} with {manifest.sha256[:16]}…"]  # fmt: skip
    if failure:
        return [failure]
    async with direct(url, site.setting) as connection:
        found = await content(connection, manifest.like.owner)
        same = connection.info.server_version // 10_000 == manifest.major
    wrong = differences(manifest.content, found, objects=same)
    if not wrong:
        wrong = await _tree(site, database, manifest)
    return wrong[:_MOST] + ([f"and {len(wrong) - _MOST:,} more"] if len(wrong) > _MOST else [])


async def _tree(site: Site, database: str, manifest: Manifest) -> list[str]:
    """The audit log's tree from its rows, against the manifest and what was signed up to there."""
    size = manifest.content.tree_size
    async with Database.open(at(site.url, database), 1, deadline_s=_BATCH_S) as restored:
        (inside,) = await restored.read(("audit.newest_notes", {"limit": 1}))
        notes = [*(row["note"] for row in inside), *(site.signed() if site.public else [])]
        if site.public:
            notes = [
                note for note in notes if (known := opened(note, site.public)) is None or known.size <= size
            ]
        verified = await verify(restored, notes, site.public)
    wrong = [f"audit log: {damage.detail}" for damage in verified.damage]
    if (verified.size, verified.root.hex()) != (size, manifest.content.tree_root):
        wrong.append("audit log: its rows make another tree than the one of the manifest")
    return wrong
