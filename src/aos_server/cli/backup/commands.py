"""`aos-server backup`: makes, tries, lists, removes and restores backups, without the API."""

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from aos_server.cli.answers import Answer
from aos_server.cli.groups import group
from aos_server.settings import Process, read

if TYPE_CHECKING:
    from aos_server.services.backups.folder import Folder
    from aos_server.services.backups.site import Site

__all__ = ["backup"]

backup = group("Backups of the database: each is tried by restoring it. Works while the API is down.")

Name = Annotated[str, Argument(metavar="NAME", help="As `backup list` shows it.")]


@backup.command(epilog="Example:  aos-server backup create")
def create() -> Answer:
    """Make a backup, restore it into a scratch database and compare. It is good only if it is the same."""
    import asyncio

    from aos_server.cli.backup import answers
    from aos_server.services.backups.making import create

    return answers.tried(asyncio.run(create(_site("backup"))))


@backup.command("list", epilog="Example:  aos-server backup list --json")
def list_() -> Answer:
    """Which backups there are, the newest first, and which of them were restored and are good."""
    from aos_server.cli.backup import answers

    return answers.listed(_folder())


@backup.command(epilog="Example:  aos-server backup show 20261126T023000Z-4f3a9c")
def show(name: Name) -> Answer:
    """One backup: how large it is, what is in it, when it was tried."""
    from aos_server.cli.backup import answers

    return answers.shown(_folder().manifest(name))


@backup.command(epilog="Example:  aos-server backup verify 20261126T023000Z-4f3a9c")
def verify(name: Name) -> Answer:
    """Restore a backup into a scratch database and compare every figure; status 11 says that it is damaged."""
    import asyncio

    from aos_server.cli.backup import answers
    from aos_server.services.backups.making import verify

    return answers.tried(asyncio.run(verify(_site("backup"), name)))


@backup.command(epilog="Example:  aos-server backup prune --dry-run")
def prune(
    dry_run: Annotated[bool, Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    least: Annotated[
        float, Option("--min-age", metavar="HOURS", min=0, help="What is younger stays in any case.")
    ] = 24,
) -> Answer:
    """Remove backups that are no longer needed, as a worker does after each good one. The last good one stays."""
    from aos_server.cli.backup import answers
    from aos_server.services.backups.retention import Rule, prune

    settings = read(os.environ, "backups").backups
    rule = Rule(settings.keep_days, settings.keep_weeks, timedelta(hours=least))
    return answers.pruned(prune(_folder(), rule, datetime.now(UTC), dry_run=dry_run), dry_run)


@backup.command(epilog="Example:  aos-server backup restore 20261126T023000Z-4f3a9c --yes-replace aos")
def restore(
    name: Name,
    replaces: Annotated[
        str, Option("--yes-replace", metavar="DATABASE", help="The database that it takes the place of.")
    ] = "",
    beside: Annotated[
        str, Option("--as", metavar="DATABASE", help="A new database beside the one that is there.")
    ] = "",
) -> Answer:
    """Restore a backup: into a new database, compared, then put in place. The old one is kept under another name.

    Nobody may be connected to it: who is, is named. Without --yes-replace its name is asked for.
    """
    from aos_server.cli.backup import answers

    return answers.restored(_site("restore"), name, replaces, beside)


def _folder() -> "Folder":
    from aos_server.services.backups.folder import Folder

    path = read(os.environ, "backups").backups.path
    assert path is not None
    return Folder(path)


def _site(process: Process) -> "Site":
    from aos_server.services.backups.site import site

    return site(read(os.environ, process))
