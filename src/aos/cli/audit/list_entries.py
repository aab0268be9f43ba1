"""`aos audit list`."""

from contextlib import closing
from typing import Annotated

from typer import Option

from aos.api.server.session import session
from aos.cli.answer import Answer, Look
from aos.cli.server import Context, Server
from aos.wire.results.documents import envelope

About = Annotated[str | None, Option("--object", metavar="ID", help="Only what was done to that object.")]
Limit = Annotated[int, Option("--limit", metavar="N", min=1, max=200, help="How many, the latest first.")]
Cursor = Annotated[str | None, Option("--cursor", metavar="TEXT", help="The `next` of the page before.")]


def list_entries(
    about: About = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    server: Server = None,
    context: Context = None,
) -> Answer:
    """What was done in your tenant: when, by whom, to what. The latest comes first."""
    asked = session(server, context)
    with closing(asked.client) as client:
        said = client.audit(object=about, limit=limit, cursor=cursor)
    document = {**said, **envelope("aos.audit-list/1"), "server": asked.url}

    def text(look: Look) -> str:
        from aos.report.server import audit as report

        return report.entries(document, *look)

    return Answer(lambda: document, text)
