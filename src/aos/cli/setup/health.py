"""`aos health`."""

from contextlib import closing

from aos.api.server.session import session
from aos.cli.answer import Answer, Look
from aos.cli.server import Context, Server
from aos.errors import Exit
from aos.wire.results.documents import envelope


def health(server: Server = None, context: Context = None) -> Answer:
    """Ask a server whether it is well, and what it depends on is there.

    The exit status is 0 where it works, though something may be missing (degraded), 3 where it does not, 6 where there
    is no answer.
    """
    asked = session(server, context)
    with closing(asked.client) as client:
        said = client.health()
    status = Exit.NO if said.get("status") == "unhealthy" else Exit.YES
    document = {**said, **envelope("aos.health/1"), "server": asked.url, "exit_code": int(status)}

    def text(look: Look) -> str:
        from aos.report.server import status as report

        return report.health(document, *look)

    return Answer(lambda: document, text, status)
