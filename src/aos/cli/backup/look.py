"""`aos backup list` and `show`."""

from aos.cli.answer import Answer
from aos.cli.backup.options import Name
from aos.cli.server import Context, Server, told

__all__ = ["list_backups", "show"]


def list_backups(server: Server = None, context: Context = None) -> Answer:
    """Which backups there are, the newest first, and which of them were restored and are good."""
    return told(lambda client: client.backups(), "aos.backups/1", "backups.backups", server, context)


def show(name: Name, server: Server = None, context: Context = None) -> Answer:
    """One backup: how large it is, what is in it, when it was tried, and what was last asked for of it."""
    return told(lambda client: client.backup(name), "aos.backup/1", "backups.backup", server, context)
