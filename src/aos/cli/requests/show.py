"""`aos requests show`."""

from aos.api.server.approvals import exit_of, look, waited
from aos.api.server.session import session
from aos.cli.answer import Answer
from aos.cli.requests.options import RequestId, Timeout, Wait
from aos.cli.requests.showing import shown
from aos.cli.server import Context, Server
from aos.errors import Exit


def show(
    request: RequestId,
    wait: Wait = False,
    timeout: Timeout = None,
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Show a request: who asks, why, what exactly, what it will cost and do, what changed, who said what.

    With --wait the exit status is that of the decision: 0 approved, 3 rejected, expired or cancelled, 124 where the
    time is up; without it, 8 while nobody has decided.
    """
    asked = session(server, context)
    with asked.client as client:
        status: Exit | None = None
        if wait:
            _, status = waited(client, request, timeout)
        seen = look(client, request)
        return shown(client, seen, asked.url, exit_of(seen.document["status"]) if status is None else status)
