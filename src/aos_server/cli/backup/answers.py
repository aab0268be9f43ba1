"""What `aos-server backup` answers: the documents and texts of `aos backup`, of the folder itself."""

import asyncio
import sys
from collections.abc import Sequence

from aos.errors import AosError
from aos.report.server import backups as report
from aos.wire.results.documents import envelope
from aos_server.cli.answers import Answer
from aos_server.services.audit.checkpoints import newest
from aos_server.services.backups import documents
from aos_server.services.backups.folder import Folder
from aos_server.services.backups.manifest import Manifest, stamp
from aos_server.services.backups.restoring import Restored, damaged, restore, target_of
from aos_server.services.backups.retention import Kept
from aos_server.services.backups.site import Site

__all__ = ["listed", "pruned", "restored", "shown", "tried"]


def listed(folder: Folder) -> Answer:
    """All backups, the newest first."""
    document = documents.listed(folder.every())
    return Answer(document, report.backups(document))


def shown(manifest: Manifest) -> Answer:
    """One of them."""
    document = documents.shown(manifest)
    return Answer(document, report.backup(document))


def tried(manifest: Manifest) -> Answer:
    """One that was just tried. Raises AosError(backup_damaged) where it is not what it says."""
    if manifest.trial and manifest.trial.wrong:
        raise damaged(manifest, manifest.trial.wrong)
    return shown(manifest)


def pruned(kept: Sequence[Kept], dry_run: bool) -> Answer:
    """What becomes of each, the newest first, and why."""
    lines = [
        {"name": one.backup.name, "kept": bool(one.why), "why": one.why or "no longer needed"}
        for one in reversed(kept)
    ]
    document = {**envelope("aos.backup-prune/1"), "dry_run": dry_run, "backups": lines}
    return Answer(document, report.pruned(document))


def restored(site: Site, name: str, replaces: str, beside: str) -> Answer:
    """Restore one, once it is said what it replaces. Raises as `restore`."""
    target = target_of(site, beside)
    if not beside and not replaces and sys.stdin.isatty():
        print(
            f"{name} takes the place of the database {target}. Type its name: ",
            end="",
            file=sys.stderr,
            flush=True,
        )
        replaces = sys.stdin.readline().strip()
    if replaces and replaces != target:
        raise AosError(
            "bad_value", f"{replaces!r} is not the database that would be replaced: that is {target}"
        )
    done = asyncio.run(restore(site, name, target, replaces=bool(replaces)))
    signed = newest(site.notes, site.public) if site.notes and site.public else None
    document = _restored(done, signed.size if signed else None)
    return Answer(document, report.restored(document))


def _restored(done: Restored, signed: int | None) -> dict[str, object]:
    """`signed`: so many rows of the audit log were signed, as the file outside the database says."""
    return {
        **envelope("aos.backup-restore/1"),
        "name": done.manifest.name,
        "database": done.database,
        "kept_as": done.before,
        "as_of": stamp(done.manifest.started_at),
        "audit": {"size": done.manifest.content.tree_size, "signed": signed},
    }
