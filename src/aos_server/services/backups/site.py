"""Where backups are made of what: what making, trying and restoring have in common."""

from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from aos_server.services.audit.checkpoints import read_notes, signer, verifier
from aos_server.services.backups.folder import Folder
from aos_server.settings import Audit, Secret, Settings

__all__ = ["Site", "site"]


class Site(NamedTuple):
    """A folder, and the database that `url` leads to, which is from `setting`. `programs` None: found.

    With `public`, checkpoints of the audit log are checked: those of the database, and of the file `notes`.
    """

    folder: Folder
    url: Secret
    setting: str
    programs: Path | None = None
    public: Ed25519PublicKey | None = None
    notes: Path | None = None

    def signed(self) -> list[str]:
        """The checkpoints that are kept outside of the database."""
        return read_notes(self.notes) if self.notes else []


def site(settings: Settings) -> Site:
    """That of a process which makes backups, or restores one. Raises AosError(unsafe_setting)."""
    backups, restores = settings.backups, settings.process == "restore"
    assert backups.path is not None
    return Site(
        Folder(backups.path),
        backups.restore_url if restores else backups.url,
        "AOS_RESTORE_DATABASE_URL" if restores else "AOS_BACKUP_DATABASE_URL",
        backups.programs,
        _public(settings.audit),
        settings.audit.checkpoints_path,
    )


def _public(audit: Audit) -> Ed25519PublicKey | None:
    """Known by its text, or from the worker's key, which is not made for this."""
    if audit.public_key:
        return verifier(audit.public_key)
    if audit.key_path and audit.key_path.exists():
        return signer(audit.key_path).public
    return None
