"""`aos policy list`."""

from contextlib import closing
from typing import Annotated

from typer import Option

from aos.api.server.session import session
from aos.cli.answer import Answer, Look
from aos.cli.server import Context, Server
from aos.wire.results.documents import envelope

Limit = Annotated[int, Option("--limit", metavar="N", min=1, max=200, help="How many, the newest first.")]
Cursor = Annotated[str | None, Option("--cursor", metavar="TEXT", help="The `next` of the page before.")]


def list_versions(
    limit: Limit = 50, cursor: Cursor = None, server: Server = None, context: Context = None
) -> Answer:
    """Versions of your tenant's rules on a server, and which of them is active. Version 0 is the policy that ships."""
    asked = session(server, context)
    with closing(asked.client) as client:
        said = client.policies(limit=limit, cursor=cursor)
    document = {**said, **envelope("aos.policy-versions/1"), "server": asked.url}

    def text(look: Look) -> str:
        from aos.report.server import policy_versions as report

        return report.versions(document, *look)

    return Answer(lambda: document, text)
