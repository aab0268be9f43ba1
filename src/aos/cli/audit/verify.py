"""`aos audit verify`."""

from pathlib import Path
from typing import Annotated

from typer import Option

from aos.api.server.audit import kept_notes
from aos.cli.answer import Answer
from aos.cli.server import Context, Server, told
from aos.errors import Exit

Checkpoints = Annotated[
    Path | None,
    Option("--checkpoints", metavar="FILE", help="Checkpoints kept elsewhere, to hold the log against, too."),
]
_EXITS = {"sound": Exit.YES, "damaged": Exit.DAMAGED, "undetermined": Exit.UNDETERMINED}


def verify(checkpoints: Checkpoints = None, server: Server = None, context: Context = None) -> Answer:
    """Have the audit log computed again: no entry of yours changed, none taken out, put in or moved.

    What was kept of its checkpoints elsewhere, given with --checkpoints, also tells whether the log's end was cut off.
    The exit status is 11 where anything is wrong, and every place is named; 5 where signatures could not be checked.
    """
    kept = kept_notes(checkpoints) if checkpoints else None
    return told(
        lambda client: client.verify_audit(kept),
        "aos.audit-check/1",
        "audit.check",
        server,
        context,
        lambda said: _EXITS.get(said["status"], Exit.UNDETERMINED),
    )
