"""`aos webhooks list`."""

from aos.cli.answer import Answer
from aos.cli.server import Context, Server
from aos.cli.webhooks.options import Cursor, Limit, answered


def list_webhooks(
    limit: Limit = 50, cursor: Cursor = None, server: Server = None, context: Context = None
) -> Answer:
    """Webhooks of your tenant, the newest first: where they lead, what they want, and how much waits for them."""
    return answered(
        "aos.webhook-list/1",
        lambda client: client.webhooks(limit=limit, cursor=cursor),
        "webhooks",
        server,
        context,
    )
