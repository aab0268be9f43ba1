"""What can be asked of the server about webhooks; see `aos.sdk.calls`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar
from uuid import uuid4

from aos.sdk.core import Call, path

__all__ = ["WebhookCalls"]

_HOOKS = "/api/v1/webhooks"

A = TypeVar("A")


class WebhookCalls(ABC, Generic[A]):
    """Part of `Calls`. What changes something is done once, however often it has to be sent."""

    @abstractmethod
    def send(self, call: Call) -> A:
        """Send a call and give its answer."""

    def create_webhook(
        self,
        url: str,
        *,
        topics: Sequence[str] | None = None,
        description: str | None = None,
        legacy_signature: bool | None = None,
        tenant_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> A:
        """Have messages sent to an address."""
        body = _settings(url, topics, description, legacy_signature, tenant_id)
        return self._change("POST", _HOOKS, {}, idempotency_key, body)

    def edit_webhook(
        self,
        webhook_id: str,
        *,
        url: str | None = None,
        topics: Sequence[str] | None = None,
        description: str | None = None,
        legacy_signature: bool | None = None,
        tenant_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> A:
        """Change some of a webhook; what is left out stays."""
        body = _settings(url, topics, description, legacy_signature, tenant_id)
        return self._change("PATCH", _at(webhook_id), {}, idempotency_key, body)

    def webhooks(
        self, *, limit: int | None = None, cursor: str | None = None, tenant_id: str | None = None
    ) -> A:
        """A page of webhooks, the newest first; its `next` is the `cursor` of the page after it."""
        return self.send(Call("GET", _HOOKS, {**_page(limit, cursor), "tenant_id": tenant_id}))

    def webhook(self, webhook_id: str, *, tenant_id: str | None = None) -> A:
        """One webhook."""
        return self.send(Call("GET", _at(webhook_id), {"tenant_id": tenant_id}))

    def webhook_secret(self, webhook_id: str, *, tenant_id: str | None = None) -> A:
        """The secrets that its receiver verifies with, the newest first; the audit log says who asked."""
        return self.send(Call("GET", _at(webhook_id, "/secret"), {"tenant_id": tenant_id}))

    def remove_webhook(
        self, webhook_id: str, *, tenant_id: str | None = None, idempotency_key: str | None = None
    ) -> A:
        """Remove a webhook, what waits for it and its log."""
        return self._change("DELETE", _at(webhook_id), {"tenant_id": tenant_id}, idempotency_key)

    def test_webhook(
        self, webhook_id: str, *, tenant_id: str | None = None, idempotency_key: str | None = None
    ) -> A:
        """Send it a message that says nothing."""
        return self._change("POST", _at(webhook_id, "/test"), {"tenant_id": tenant_id}, idempotency_key)

    def disable_webhook(
        self, webhook_id: str, *, tenant_id: str | None = None, idempotency_key: str | None = None
    ) -> A:
        """Send nothing there until it is enabled; messages wait."""
        return self._change("POST", _at(webhook_id, "/disable"), {"tenant_id": tenant_id}, idempotency_key)

    def enable_webhook(
        self, webhook_id: str, *, tenant_id: str | None = None, idempotency_key: str | None = None
    ) -> A:
        """Send there again, also what waits."""
        return self._change("POST", _at(webhook_id, "/enable"), {"tenant_id": tenant_id}, idempotency_key)

    def deliveries(
        self,
        webhook_id: str,
        *,
        state: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        tenant_id: str | None = None,
    ) -> A:
        """A page of a webhook's deliveries, the newest first; its `next` is the `cursor` of the page after it."""
        query = {**_page(limit, cursor), "state": state, "tenant_id": tenant_id}
        return self.send(Call("GET", _at(webhook_id, "/deliveries"), query))

    def delivery(self, delivery_id: str, *, tenant_id: str | None = None) -> A:
        """One delivery, what it says, and each try."""
        where = path(f"{_HOOKS}/deliveries/{{delivery_id}}", delivery_id=delivery_id)
        return self.send(Call("GET", where, {"tenant_id": tenant_id}))

    def redeliver(
        self, delivery_id: str, *, tenant_id: str | None = None, idempotency_key: str | None = None
    ) -> A:
        """Send a message once more, with the same id."""
        where = path(f"{_HOOKS}/deliveries/{{delivery_id}}/redeliver", delivery_id=delivery_id)
        return self._change("POST", where, {"tenant_id": tenant_id}, idempotency_key)

    def _change(
        self,
        method: str,
        where: str,
        query: Mapping[str, str | None],
        key: str | None,
        body: Mapping[str, Any] | None = None,
    ) -> A:
        return self.send(Call(method, where, query, body, key=key or str(uuid4())))


def _at(webhook_id: str, rest: str = "") -> str:
    return path(f"{_HOOKS}/{{webhook_id}}{rest}", webhook_id=webhook_id)


def _page(limit: int | None, cursor: str | None) -> dict[str, str | None]:
    return {"limit": None if limit is None else str(limit), "cursor": cursor}


def _settings(
    url: str | None,
    topics: Sequence[str] | None,
    description: str | None,
    legacy_signature: bool | None,
    tenant_id: str | None,
) -> dict[str, Any]:
    given = {
        "url": url,
        "topics": topics,
        "description": description,
        "legacy_signature": legacy_signature,
        "tenant_id": tenant_id,
    }
    return {key: value for key, value in given.items() if value is not None}
