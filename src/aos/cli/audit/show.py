"""`aos audit show`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument

from aos.api.server.audit import is_proved
from aos.cli.answer import Answer
from aos.cli.server import Context, Server, told
from aos.errors import Exit

if TYPE_CHECKING:
    from aos.sdk.client import Client

_EXITS = {True: Exit.YES, False: Exit.DAMAGED, None: Exit.PENDING}


def show(
    entry: Annotated[str, Argument(metavar="ENTRY", help="Its id, as `aos audit list` shows it.")],
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Show one entry, and compute from its proof, on this machine, whether it is in the tree that was signed.

    The exit status is 11 where the proof does not lead there, 8 where the entry is in no checkpoint yet.
    """

    def ask(client: "Client") -> Mapping[str, Any]:
        said = client.audit_entry(entry)
        return {**said, "proved": is_proved(said)}

    return told(ask, "aos.audit-entry/1", "audit.entry", server, context, lambda said: _EXITS[said["proved"]])
