"""`aos webhooks list`."""

from aos.cli.answer import Answer
from aos.cli.server import Context, Cursor, Limit, Server, told


def list_webhooks(
    limit: Limit = 50, cursor: Cursor = None, server: Server = None, context: Context = None
) -> Answer:
    """Webhooks of your tenant, the newest first: where they lead, what they want, and how much waits for them."""
    return told(
        lambda client: client.webhooks(limit=limit, cursor=cursor),
        "aos.webhook-list/1",
        "webhooks.webhooks",
        server,
        context,
    )
