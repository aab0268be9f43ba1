"""`aos webhooks test`, `disable`, `enable` and `remove`."""

from aos.cli.answer import Answer
from aos.cli.server import Context, Server
from aos.cli.webhooks.options import Webhook, answered


def send_test(webhook: Webhook, server: Server = None, context: Context = None) -> Answer:
    """Send it a message that says nothing. `aos webhooks deliveries` shows what became of it."""
    return answered(
        "aos.webhook-test/1", lambda client: client.test_webhook(webhook), "sent", server, context
    )


def disable(webhook: Webhook, server: Server = None, context: Context = None) -> Answer:
    """Send nothing there until it is enabled. Messages wait meanwhile, for 30 days."""
    return answered(
        "aos.webhook/1", lambda client: client.disable_webhook(webhook), "webhook", server, context
    )


def enable(webhook: Webhook, server: Server = None, context: Context = None) -> Answer:
    """Send there again, also what waits."""
    return answered(
        "aos.webhook/1", lambda client: client.enable_webhook(webhook), "webhook", server, context
    )


def remove(webhook: Webhook, server: Server = None, context: Context = None) -> Answer:
    """Remove it for good, with what waits for it and the log of what was sent."""
    return answered(
        "aos.webhook/1", lambda client: client.remove_webhook(webhook), "webhook", server, context
    )
