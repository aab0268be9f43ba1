"""Backups as they are told: on the host and over the API alike."""

from collections.abc import Sequence
from typing import Any

from aos.wire.results.documents import Document, envelope
from aos_server.services.backups.folder import Found
from aos_server.services.backups.manifest import Manifest, stamp

__all__ = ["line", "listed", "shown"]


def listed(backups: Sequence[Found]) -> Document:
    """The document `aos.backups/1`, newest first."""
    lines = [line(one) for one in reversed(backups)]
    return {
        **envelope("aos.backups/1"),
        "backups": lines,
        "last_good": next((one["name"] for one in lines if one["state"] == "good"), None),
    }


def line(backup: Found) -> dict[str, Any]:
    """A backup in short. What a damaged one says of itself is not believed, and null."""
    manifest = backup.manifest
    if manifest is None:
        nothing = dict.fromkeys(("ended_at", "verified_at", "bytes", "schema_revision", "postgres"))
        return {
            "name": backup.name,
            "state": "damaged",
            "wrong": [backup.damage],
            "started_at": stamp(backup.started_at),
            **nothing,
        }
    trial = manifest.trial
    return {
        "name": manifest.name,
        "state": manifest.state,
        "wrong": list(trial.wrong) if trial else [],
        "started_at": stamp(manifest.started_at),
        "ended_at": stamp(manifest.ended_at),
        "verified_at": stamp(trial.at) if trial else None,
        "bytes": manifest.size,
        "schema_revision": manifest.content.revision,
        "postgres": manifest.postgres,
    }


def shown(manifest: Manifest) -> Document:
    """The document `aos.backup/1`: in short, and what is in it."""
    content = manifest.content
    return {
        **envelope("aos.backup/1"),
        **line(Found(manifest.name, manifest)),
        "sha256": manifest.sha256,
        "audit": {"size": content.tree_size, "root": content.tree_root or None},
        "tables": {name: table.rows for name, table in content.tables.items()},
    }
