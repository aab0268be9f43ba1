"""`aos audit show`."""

from contextlib import closing
from typing import Annotated

from typer import Argument

from aos.api.server.audit import is_proved
from aos.api.server.session import session
from aos.cli.answer import Answer, Look
from aos.cli.server import Context, Server
from aos.errors import Exit
from aos.wire.results.documents import envelope


def show(
    entry: Annotated[str, Argument(metavar="ENTRY", help="Its id, as `aos audit list` shows it.")],
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Show one entry, and compute from its proof, on this machine, whether it is in the tree that was signed.

    The exit status is 11 where the proof does not lead there, 8 where the entry is in no checkpoint yet.
    """
    asked = session(server, context)
    with closing(asked.client) as client:
        said = client.audit_entry(entry)
    proved = is_proved(said)
    status = Exit.PENDING if proved is None else Exit.YES if proved else Exit.DAMAGED
    added = {"proved": proved, "server": asked.url, "exit_code": int(status)}
    document = {**said, **envelope("aos.audit-entry/1"), **added}

    def text(look: Look) -> str:
        from aos.report.server import audit as report

        return report.entry(document, *look)

    return Answer(lambda: document, text, status)
