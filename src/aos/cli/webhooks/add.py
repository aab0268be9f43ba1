"""`aos webhooks add`."""

from typing import Annotated

from typer import Argument, Option

from aos.cli.answer import Answer
from aos.cli.server import Context, Server, told

Topics = Annotated[
    list[str] | None,
    Option(
        "--topic",
        metavar="NAME",
        help="Only such messages: run.ended, run.* … May be given again; else all.",
    ),
]
Description = Annotated[str | None, Option("--description", metavar="TEXT", help="What it is, for people.")]
Legacy = Annotated[
    bool, Option("--legacy-signature", help="Send X-Webhook-Signature and X-Webhook-Key-Version, too.")
]


def add(
    url: Annotated[str, Argument(metavar="URL", help="Where messages are to go: https://…")],
    topics: Topics = None,
    description: Description = None,
    legacy: Legacy = False,
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Have messages sent to an address. Its receiver verifies them with what `aos webhooks secret` shows."""

    return told(
        lambda client: client.create_webhook(
            url, topics=topics or None, description=description, legacy_signature=legacy or None
        ),
        "aos.webhook/1",
        "webhooks.webhook",
        server,
        context,
    )
