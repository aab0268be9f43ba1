"""`aos approve` and `aos reject`."""

from typing import Annotated

from typer import Option

from aos.cli.answer import Answer
from aos.cli.requests.deciding import Which, decide
from aos.cli.requests.options import Digest, RequestIds, Skill, Tenant, Why
from aos.cli.server import Context, Server
from aos.sdk.client import Client
from aos.sdk.core import Document

AsLevel = Annotated[
    int | None, Option("--level", min=1, max=5, metavar="N", help="Act at that level, if yours is higher.")
]
Waiting = Annotated[
    bool,
    Option("--waiting", help="All that wait for you, of levels 1 to 3; with --skill those for it alone."),
]
BreakGlass = Annotated[
    bool, Option("--break-glass", help="Alone, at level 5; with --why, and somebody reviews it later.")
]


def approve(
    requests: RequestIds = None,
    digest: Digest = None,
    why: Why = None,
    level: AsLevel = None,
    waiting: Waiting = False,
    skill: Skill = None,
    tenant: Tenant = None,
    break_glass: BreakGlass = False,
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Approve requests. Each is shown first, and then you are asked; what you approve is what you were shown.

    Where nobody can be asked, --digest says what was looked at. Your yes counts once: the exit status is 0 where it
    did, 4 where you may not decide, 9 where it is decided already or is not what was looked at.
    """

    def yes(client: Client, seen: Document) -> Document:
        return client.approve(
            seen["request_id"],
            digest=seen["digest"],
            level=level,
            reason=why,
            break_glass=break_glass or None,
        )

    return decide("approve", digest, Which(requests or (), waiting, skill, tenant), yes, server, context)


def reject(
    why: Annotated[str, Option("--why", metavar="TEXT", help="The reason: whoever asked reads it.")],
    requests: RequestIds = None,
    digest: Digest = None,
    level: AsLevel = None,
    waiting: Waiting = False,
    skill: Skill = None,
    tenant: Tenant = None,
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Reject requests, which one person who could approve is enough for. Each is shown first, as for `aos approve`."""

    def no(client: Client, seen: Document) -> Document:
        return client.reject(seen["request_id"], digest=seen["digest"], level=level, reason=why)

    return decide("reject", digest, Which(requests or (), waiting, skill, tenant), no, server, context)
