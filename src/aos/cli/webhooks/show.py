"""`aos webhooks show` and `aos webhooks secret`."""

from aos.cli.answer import Answer
from aos.cli.server import Context, Server, told
from aos.cli.webhooks.options import Webhook


def show(webhook: Webhook, server: Server = None, context: Context = None) -> Answer:
    """One webhook."""
    return told(lambda client: client.webhook(webhook), "aos.webhook/1", "webhooks.webhook", server, context)


def secret(webhook: Webhook, server: Server = None, context: Context = None) -> Answer:
    """Show the secrets that sign now: the current one and, while a key is being replaced, the one before it.

    Give the receiver all of them. Who asked is in the audit log.
    """
    return told(
        lambda client: client.webhook_secret(webhook),
        "aos.webhook-secret/1",
        "webhooks.secrets",
        server,
        context,
    )
