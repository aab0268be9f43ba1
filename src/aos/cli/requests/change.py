"""`aos requests cancel`, `escalate` and `review`: what happens to a request besides a yes or a no."""

from typing import Annotated

from typer import BadParameter, Option

from aos.api.server.session import session
from aos.cli.answer import Answer
from aos.cli.requests.options import RequestId, Why
from aos.cli.requests.showing import decided
from aos.cli.server import Context, Server
from aos.errors import Exit

Justified = Annotated[
    bool | None,
    Option("--justified/--not-justified", help="Whether it was right to approve it alone."),
]
Found = Annotated[str, Option("--why", metavar="TEXT", help="What you found; it is kept with the review.")]


def cancel(request: RequestId, why: Why = None, server: Server = None, context: Context = None) -> Answer:
    """Take back a request that you made."""
    asked = session(server, context)
    with asked.client as client:
        return decided([client.cancel_request(request, reason=why)], [], asked.url, Exit.YES)


def escalate(request: RequestId, why: Why = None, server: Server = None, context: Context = None) -> Answer:
    """Have people of one level higher decide."""
    asked = session(server, context)
    with asked.client as client:
        return decided([client.escalate(request, reason=why)], [], asked.url, Exit.YES)


def review(
    request: RequestId,
    why: Found,
    justified: Justified = None,
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Close the review of a broken glass, which takes somebody of level 4 who neither asked nor broke it.

    Look at the request first: `aos requests show ID`; `aos requests --unreviewed` lists those that wait for a review.
    """
    if justified is None:
        raise BadParameter("say which: --justified or --not-justified", param_hint="--justified")
    asked = session(server, context)
    with asked.client as client:
        outcome = "justified" if justified else "not_justified"
        return decided([client.review(request, outcome, why)], [], asked.url, Exit.YES)
