"""`aos requests cancel` and `escalate`: what happens to a request besides a yes or a no."""

from contextlib import closing

from aos.api.server.session import session
from aos.cli.answer import Answer
from aos.cli.requests.options import RequestId, Why
from aos.cli.requests.showing import decided
from aos.cli.server import Context, Server
from aos.errors import Exit


def cancel(request: RequestId, why: Why = None, server: Server = None, context: Context = None) -> Answer:
    """Take back a request that you made."""
    asked = session(server, context)
    with closing(asked.client) as client:
        return decided([client.cancel_request(request, reason=why)], [], asked.url, Exit.YES)


def escalate(request: RequestId, why: Why = None, server: Server = None, context: Context = None) -> Answer:
    """Have people of one level higher decide."""
    asked = session(server, context)
    with closing(asked.client) as client:
        return decided([client.escalate(request, reason=why)], [], asked.url, Exit.YES)
