"""`aos keys rotate`."""

from typing import Annotated

from typer import BadParameter, Option

from aos.api.server.rehearsals import rehearsed
from aos.cli.answer import Answer
from aos.cli.keys.options import DryRun
from aos.cli.server import Context, Server, told
from aos.errors import Exit

Overlap = Annotated[
    float,
    Option("--overlap", metavar="HOURS", min=0, max=168, help="How long the key before signs on."),
]
Rehearse = Annotated[
    bool, Option("--rehearse", help="Then ask every webhook whether it accepts the new key alone.")
]
Timeout = Annotated[
    float, Option("--timeout", metavar="SECONDS", min=0, max=3600, help="How long to wait for their answers.")
]
_EXITS = {"accepted": Exit.YES, "pending": Exit.PENDING}


def rotate(
    overlap: Overlap = 24,
    rehearse: Rehearse = False,
    dry_run: DryRun = False,
    timeout: Timeout = 60,
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Make a key that signs from now on; the one before it signs on for a while. Also makes the first.

    With --rehearse every webhook is sent a message that the new key alone has signed, and it is said who accepts it.
    Where an overlap is under way no key is made: so it may be said again until all accept. The exit status is 3 where
    one does not, 8 where answers are still awaited.
    """
    if not rehearse:
        return told(
            lambda client: client.rotate_keys(overlap, dry_run=dry_run),
            "aos.keys-change/1",
            "keys.change",
            server,
            context,
        )
    if dry_run:
        raise BadParameter("a rehearsal sends messages: leave out --rehearse", param_hint="--dry-run")
    return told(
        lambda client: rehearsed(client, overlap, timeout),
        "aos.key-rehearsal/1",
        "keys.rehearsal",
        server,
        context,
        lambda said: _EXITS.get(said["status"], Exit.NO),
    )
