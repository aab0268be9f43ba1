"""`aos audit list`."""

from typing import Annotated

from typer import Option

from aos.cli.answer import Answer
from aos.cli.server import Context, Cursor, Limit, Server, told

About = Annotated[str | None, Option("--object", metavar="ID", help="Only what was done to that object.")]


def list_entries(
    about: About = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    server: Server = None,
    context: Context = None,
) -> Answer:
    """What was done in your tenant: when, by whom, to what. The latest comes first."""
    return told(
        lambda client: client.audit(object=about, limit=limit, cursor=cursor),
        "aos.audit-list/1",
        "audit.entries",
        server,
        context,
    )
