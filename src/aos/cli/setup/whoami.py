"""`aos whoami`."""

from aos.api.server.session import session
from aos.cli.answer import Answer, Look
from aos.cli.server import Context, Server
from aos.wire.results.documents import envelope


def whoami(server: Server = None, context: Context = None) -> Answer:
    """Show who the server takes you for: your tenant, your level, and whether it holds now."""
    asked = session(server, context)
    with asked.client as client:
        said = client.whoami()
    document = {**said, **envelope("aos.whoami/1"), "server": asked.url, "context": asked.context}

    def text(look: Look) -> str:
        from aos.report.server import status as report

        return report.whoami(document, *look)

    return Answer(lambda: document, text)
