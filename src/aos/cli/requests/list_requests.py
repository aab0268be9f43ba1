"""`aos requests`, or `aos requests list`."""

from datetime import UTC, datetime
from typing import Annotated, Any

from typer import BadParameter, Option

from aos.api.server.session import session
from aos.cli.answer import Answer, Look, Stream
from aos.cli.requests.options import Level, PlanName, Skill, Status, Tenant
from aos.cli.requests.watching import changes
from aos.cli.server import Context, Cursor, Limit, Server
from aos.sdk.client import Client
from aos.wire.results.documents import envelope

Mine = Annotated[bool, Option("--mine", help="Those that you made.")]
Waiting = Annotated[bool, Option("--waiting", help="Those that wait for you: open, and yours to decide.")]
Unreviewed = Annotated[
    bool, Option("--unreviewed", help="Those approved by one person alone, that nobody has reviewed yet.")
]
Watch = Annotated[bool, Option("--watch", help="Print each change as a line of JSON, until interrupted.")]


def list_requests(
    mine: Mine = False,
    waiting: Waiting = False,
    unreviewed: Unreviewed = False,
    status: Status = None,
    level: Level = None,
    skill: Skill = None,
    plan_name: PlanName = None,
    tenant: Tenant = None,
    watch: Watch = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    server: Server = None,
    context: Context = None,
) -> Answer | Stream:
    """Approval requests of your tenant, the latest first: all, those that you made, or those that wait for you.

    --level with --waiting: those that take at most that level; otherwise those that take it.
    """
    if waiting and (mine or status):
        raise BadParameter("--waiting goes neither with --mine nor with --status", param_hint="--waiting")
    if unreviewed and (mine or waiting or status or level or skill or plan_name):
        raise BadParameter("--unreviewed goes with no other filter", param_hint="--unreviewed")
    asked = session(server, context)

    def page(client: Client) -> dict[str, Any]:
        said = client.approval_requests(
            status=status,
            mine=mine,
            waiting=waiting,
            level=level,
            skill_id=skill,
            plan_name=plan_name,
            review="open" if unreviewed else None,
            limit=limit,
            cursor=cursor,
            tenant_id=tenant,
        )
        return {**said, **envelope("aos.requests/1"), "server": asked.url}

    if watch:
        return Stream(changes(asked.client, page))
    with asked.client as client:
        document = page(client)

    def text(look: Look) -> str:
        from aos.report.approvals import lists

        return lists.requests(document, datetime.now(UTC), *look)

    return Answer(lambda: document, text)
