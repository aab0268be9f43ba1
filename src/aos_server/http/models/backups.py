"""Backups, as they are asked for and told."""

from typing import Literal

from aos_server.http.models.base import Document, Id, Request

__all__ = ["AskBackup", "Backup", "BackupList"]


class AskBackup(Request):
    """Nothing but who asks."""

    tenant_id: Id | None = None


class BackupLine(Document):
    """A backup in short. Nulls are not known: it is not there yet, or what it says of itself can't be believed."""

    name: str
    state: Literal["waiting", "created", "good", "bad", "damaged", "failed"]
    wrong: list[str]
    started_at: str
    ended_at: str | None
    verified_at: str | None
    bytes: int | None
    schema_revision: str | None
    postgres: str | None


class BackupList(Document):
    """Backups, the newest first: the document `aos.backups/1`. `seen_at` null: no worker has looked into the folder."""

    backups: list[BackupLine]
    last_good: str | None
    seen_at: str | None


class Tree(Document):
    """The audit log's tree in it."""

    size: int
    root: str | None


class Order(Document):
    """What was last asked for of it. `ended_at` null: it waits, or is under way. `code` null: it did not fail."""

    action: Literal["create", "verify"]
    asked_at: str
    ended_at: str | None
    code: str | None
    detail: str | None


class Backup(BackupLine):
    """One of them: the document `aos.backup/1`. `tables` has the rows of each."""

    sha256: str | None
    audit: Tree | None
    tables: dict[str, int] | None
    order: Order | None
