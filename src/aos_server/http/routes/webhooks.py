"""The part of the API that is about webhooks."""

from aos_server.http.endpoint import Endpoint
from aos_server.http.handlers.webhooks import WebhookCalls
from aos_server.http.models.base import InTenant
from aos_server.http.models.webhooks import (
    DeliveriesQuery,
    Delivery,
    DeliveryList,
    EditWebhook,
    NewWebhook,
    Redelivery,
    Webhook,
    WebhookList,
    WebhookSecret,
    WebhooksQuery,
    WebhookTest,
)

__all__ = ["webhooks"]


def webhooks(at: str, to: WebhookCalls) -> tuple[Endpoint, ...]:
    """Webhooks and deliveries. What is done to one is for who made it, or level 4: the service knows who that is."""
    keyed = ["not_found", "idempotency_mismatch", "request_in_progress"]
    one = f"{at}/{{webhook_id}}"
    return (
        Endpoint(
            "POST",
            at,
            "Have messages sent to an address",
            to.create_webhook,
            Webhook,
            act="create",
            body=NewWebhook,
            codes=["webhook_refused", "webhook_conflict", "idempotency_mismatch", "request_in_progress"],
            status=201,
        ),
        Endpoint(
            "GET",
            at,
            "Webhooks, the newest first",
            to.list_webhooks,
            WebhookList,
            act="read",
            query=WebhooksQuery,
        ),
        Endpoint(
            "GET",
            f"{at}/deliveries/{{delivery_id}}",
            "One delivery, what it says, and each try",
            to.show_delivery,
            Delivery,
            act="read",
            query=InTenant,
            codes=["not_found"],
        ),
        Endpoint(
            "POST",
            f"{at}/deliveries/{{delivery_id}}/redeliver",
            "Send a message once more, with the same id",
            to.redeliver,
            Redelivery,
            act="create",
            query=InTenant,
            codes=[*keyed, "webhook_conflict"],
            status=202,
        ),
        Endpoint(
            "GET",
            one,
            "One webhook",
            to.get_webhook,
            Webhook,
            act="read",
            query=InTenant,
            codes=["not_found"],
        ),
        Endpoint(
            "PATCH",
            one,
            "Change some of a webhook",
            to.edit_webhook,
            Webhook,
            act="create",
            body=EditWebhook,
            codes=[*keyed, "webhook_refused"],
        ),
        Endpoint(
            "DELETE",
            one,
            "Remove a webhook, what waits for it and its log",
            to.remove_webhook,
            Webhook,
            act="create",
            query=InTenant,
            codes=keyed,
        ),
        Endpoint(
            "GET",
            f"{one}/secret",
            "The secrets that a receiver verifies with; asking is audited",
            to.show_webhook_secret,
            WebhookSecret,
            act="create",
            query=InTenant,
            codes=[
                *("not_found", "key_missing", "key_unsafe", "keys_damaged"),
                *("keystore_unavailable", "keystore_forbidden"),
            ],
        ),
        Endpoint(
            "POST",
            f"{one}/test",
            "Send a message that says nothing",
            to.test_webhook,
            WebhookTest,
            act="create",
            query=InTenant,
            codes=[*keyed, "webhook_conflict"],
            status=202,
        ),
        Endpoint(
            "GET",
            f"{one}/deliveries",
            "A webhook's deliveries, the newest first",
            to.list_deliveries,
            DeliveryList,
            act="read",
            query=DeliveriesQuery,
            codes=["not_found"],
        ),
        Endpoint(
            "POST",
            f"{one}/disable",
            "Send nothing there until it is enabled; messages wait",
            to.disable_webhook,
            Webhook,
            act="create",
            query=InTenant,
            codes=keyed,
        ),
        Endpoint(
            "POST",
            f"{one}/enable",
            "Send there again, also what waits",
            to.enable_webhook,
            Webhook,
            act="create",
            query=InTenant,
            codes=keyed,
        ),
    )
