"""`aos keys retire`."""

from typing import Annotated

from typer import Option

from aos.cli.answer import Answer
from aos.cli.keys.options import DryRun, Version
from aos.cli.server import Context, Server, told

Confirm = Annotated[
    str, Option("--confirm", metavar="VERSION", help="Its name again: retire it though webhooks will refuse.")
]


def retire(
    version: Version,
    confirm: Confirm = "",
    dry_run: DryRun = False,
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Remove a key for good; never the one that signs.

    While it signs in an overlap, every webhook must have accepted the new key alone, as `aos keys rotate --rehearse`
    finds out; those that have not are named, and the exit status is 9.
    """
    return told(
        lambda client: client.retire_key(version, confirm=confirm, dry_run=dry_run),
        "aos.keys-change/1",
        "keys.change",
        server,
        context,
    )
