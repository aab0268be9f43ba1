"""What the commands about webhooks share."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Annotated, Any

from typer import Argument, Option

from aos.api.server.session import session
from aos.cli.answer import Answer, Look
from aos.sdk.client import Client
from aos.wire.results.documents import envelope

__all__ = ["Cursor", "Limit", "Webhook", "answered"]

Webhook = Annotated[str, Argument(metavar="WEBHOOK", help="Its id, as `aos webhooks list` shows it: wh_…")]
Limit = Annotated[int, Option("--limit", metavar="N", min=1, max=200, help="How many, the newest first.")]
Cursor = Annotated[str | None, Option("--cursor", metavar="TEXT", help="The `next` of the page before.")]

Text = Callable[[Mapping[str, Any], int, bool, bool], str]


def answered(
    schema: str,
    ask: Callable[[Client], Mapping[str, Any]],
    text: str,
    server: str | None,
    context: str | None,
) -> Answer:
    """What a server says to `ask`; `text` names the function of `aos.report.server.webhooks` that shows it."""
    asked = session(server, context)
    with closing(asked.client) as client:
        document = {**ask(client), **envelope(schema), "server": asked.url}

    def shown(look: Look) -> str:
        from aos.report.server import webhooks as report

        render: Text = getattr(report, text)
        return render(document, *look)

    return Answer(lambda: document, shown)
