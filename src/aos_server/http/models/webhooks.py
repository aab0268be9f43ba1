"""Webhooks and deliveries as they are asked for and told."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from aos_server.http.models.base import Cursor, Document, Id, JsonObject, Limit, Request

__all__ = [
    "DeliveriesQuery",
    "Delivery",
    "DeliveryList",
    "EditWebhook",
    "NewWebhook",
    "Redelivery",
    "Webhook",
    "WebhookList",
    "WebhookSecret",
    "WebhookTest",
    "WebhooksQuery",
]

Url = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
Topics = Annotated[
    list[Annotated[str, StringConstraints(max_length=65)]],
    Field(min_length=1, max_length=50, description="Names of messages, as run.ended; run.* or * for more"),
]
Words = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
State = Literal["waiting", "delivered", "failed"]


class NewWebhook(Request):
    """Where messages are to go, and which."""

    tenant_id: Id | None = None
    url: Url
    topics: Topics = Field(default=["*"])
    description: Words = ""
    legacy_signature: Annotated[
        bool, Field(description="Send X-Webhook-Signature and X-Webhook-Key-Version, too")
    ] = False


class EditWebhook(Request):
    """What is to change; what is left out stays."""

    tenant_id: Id | None = None
    url: Url | None = None
    topics: Topics | None = None
    description: Words | None = None
    legacy_signature: bool | None = None


class WebhooksQuery(Request):
    """From where a page before ended."""

    tenant_id: Id | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class DeliveriesQuery(WebhooksQuery):
    """Those in one state alone."""

    state: State | None = None


class Webhook(Document):
    """A webhook: the document `aos.webhook/1`. Of its `url` only who may change it sees the path.

    `waiting` counts deliveries that have not arrived; null where it was not counted. `disabled_reason`: somebody asked
    for it; the receiver said that it is gone (410); it failed for days.
    """

    webhook_id: str
    url: str
    topics: list[str]
    description: str
    legacy_signature: bool
    request_id: str | None
    state: Literal["active", "disabled", "removed"]
    disabled_at: str | None
    disabled_reason: Literal["asked", "gone", "failing"] | None
    waiting: int | None
    created_by: str
    created_at: str


class WebhookList(Document):
    """A page of webhooks, the newest first: the document `aos.webhook-list/1`. `next` null: there are no more."""

    webhooks: list[Webhook]
    count: int
    next: str | None


class LiveSecret(Document):
    """A secret, derived from a key. `signs_until` null: it signs until the next rotation."""

    key_version: str
    secret: str
    signs_until: str | None


class WebhookSecret(Document):
    """The secrets that sign now, the newest first; a receiver takes all: the document `aos.webhook-secret/1`."""

    webhook_id: str
    secrets: list[LiveSecret]


class WebhookTest(Document):
    """A message of the type webhook.test is on its way: the document `aos.webhook-test/1`."""

    webhook_id: str
    delivery_id: str
    message_id: str


class DeliveryLine(Document):
    """A delivery in a few figures. `status` and `code` are of the last try; `next_at` is when the next one is due."""

    delivery_id: str
    webhook_id: str
    message_id: str
    type: str
    sequence: int
    state: State
    attempts: int | None
    status: int | None
    code: str | None
    next_at: str | None
    created_at: str
    ended_at: str | None


class Attempt(Document):
    """One try. `status` null: there was no answer. `code` null: it has arrived. `reply` is how the answer began."""

    at: str
    ms: int
    status: int | None
    code: str | None
    detail: str | None
    reply: str | None


class Delivery(DeliveryLine):
    """A delivery with what it says and each try: the document `aos.delivery/1`."""

    data: JsonObject
    log: list[Attempt]


class DeliveryList(Document):
    """A page of deliveries, the newest first: the document `aos.delivery-list/1`. `next` null: there are no more."""

    deliveries: list[DeliveryLine]
    count: int
    next: str | None


class Redelivery(DeliveryLine):
    """A delivery that is on its way once more: the document `aos.redelivery/1`."""
