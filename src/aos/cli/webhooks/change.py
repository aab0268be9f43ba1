"""`aos webhooks test`, `disable`, `enable` and `remove`."""

from aos.cli.answer import Answer
from aos.cli.server import Context, Server, told
from aos.cli.webhooks.options import Webhook


def send_test(webhook: Webhook, server: Server = None, context: Context = None) -> Answer:
    """Send it a message that says nothing. `aos webhooks deliveries` shows what became of it."""
    return told(
        lambda client: client.test_webhook(webhook), "aos.webhook-test/1", "webhooks.sent", server, context
    )


def disable(webhook: Webhook, server: Server = None, context: Context = None) -> Answer:
    """Send nothing there until it is enabled. Messages wait meanwhile, for 30 days."""
    return told(
        lambda client: client.disable_webhook(webhook), "aos.webhook/1", "webhooks.webhook", server, context
    )


def enable(webhook: Webhook, server: Server = None, context: Context = None) -> Answer:
    """Send there again, also what waits."""
    return told(
        lambda client: client.enable_webhook(webhook), "aos.webhook/1", "webhooks.webhook", server, context
    )


def remove(webhook: Webhook, server: Server = None, context: Context = None) -> Answer:
    """Remove it for good, with what waits for it and the log of what was sent."""
    return told(
        lambda client: client.remove_webhook(webhook), "aos.webhook/1", "webhooks.webhook", server, context
    )
