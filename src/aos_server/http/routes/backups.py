"""The part of the API that is about backups."""

from aos_server.http.endpoint import Endpoint
from aos_server.http.handlers.backups import BackupCalls
from aos_server.http.models.backups import AskBackup, Backup, BackupList
from aos_server.http.models.base import InTenant

__all__ = ["backups"]

OWNERS = 5
"""A backup is of every tenant, so its operators are the owners of the operating tenant."""


def backups(at: str, to: BackupCalls) -> tuple[Endpoint, ...]:
    """Backups. What is asked for is done by a worker: the answer is 202, and tells what to look at."""
    asking = ["backup_running", "idempotency_mismatch", "request_in_progress", "bad_value"]
    every = (
        Endpoint(
            "POST",
            at,
            "Ask for a backup, which is restored into a scratch database and compared",
            to.create_backup,
            Backup,
            act="operate",
            body=AskBackup,
            codes=asking,
            status=202,
        ),
        Endpoint(
            "GET",
            at,
            "Backups, the newest first, and which are good",
            to.list_backups,
            BackupList,
            act="operate",
            query=InTenant,
        ),
        Endpoint(
            "GET",
            f"{at}/{{name}}",
            "One backup: its size, its rows, when it was tried, and what is asked for of it",
            to.show_backup,
            Backup,
            act="operate",
            query=InTenant,
            codes=["backup_not_found"],
        ),
        Endpoint(
            "POST",
            f"{at}/{{name}}/verify",
            "Ask for a trial: it is restored into a scratch database and compared once more",
            to.verify_backup,
            Backup,
            act="operate",
            body=AskBackup,
            codes=[*asking, "backup_not_found"],
            status=202,
        ),
    )
    return tuple(one._replace(of_server=True, level=OWNERS) for one in every)
