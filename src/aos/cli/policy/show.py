"""`aos policy show`."""

from contextlib import closing
from typing import Annotated

from typer import Argument

from aos.api.server.policy_versions import number_of
from aos.api.server.session import session
from aos.cli.answer import Answer, Look
from aos.cli.server import Context, Server
from aos.wire.results.documents import envelope


def show(
    version: Annotated[str, Argument(metavar="[VERSION]", help="Its number, or `active`.")] = "active",
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Show one version of the rules: who pushed it, when and why, and its text. Unless said, the one that is active."""
    asked = session(server, context)
    with closing(asked.client) as client:
        said = client.policy(number_of(client, version))
    document = {**said, **envelope("aos.policy-version/1"), "server": asked.url}

    def text(look: Look) -> str:
        from aos.report.server import policy_versions as report

        return report.version(document, *look)

    return Answer(lambda: document, text)
