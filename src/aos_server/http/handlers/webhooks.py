"""Webhooks: make, change, test and disable them, get their secrets, see what was delivered, deliver it again."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

from aos.errors import AosError
from aos.wire.results.documents import Document, envelope
from aos_server.http.cursors import paged, place
from aos_server.http.endpoint import Call
from aos_server.http.models.webhooks import DeliveriesQuery, EditWebhook, NewWebhook, WebhooksQuery
from aos_server.keystores.backend import Backend
from aos_server.keystores.keyring import Keyring
from aos_server.keystores.keyset import moment
from aos_server.services.changes import Given
from aos_server.services.idempotency import Key
from aos_server.services.webhooks.deliveries import page, redeliver, show, unknown
from aos_server.services.webhooks.endpoints import Edit, Webhooks

__all__ = ["WebhookCalls"]

_PATH = "/api/v1/webhooks"


class WebhookCalls:
    """The handlers of `/api/v1/webhooks`. `keys` None: they are got from the `keystore` once somebody asks."""

    def __init__(
        self, webhooks: Webhooks | None, keys: Keyring | None, keystore: Backend | None = None
    ) -> None:
        self._kept = webhooks
        self._keys = keys
        self._keystore = keystore

    @property
    def _webhooks(self) -> Webhooks:
        if self._kept is None:
            raise AosError("unavailable", "no webhooks are kept here")
        return self._kept

    async def create_webhook(self, call: Call) -> Given:
        """Make one."""
        asked: NewWebhook = call.body
        wanted = Edit(asked.url, asked.topics, asked.description, asked.legacy_signature)
        return await self._webhooks.create(call.caller, wanted, _key(call, "POST", ""))

    async def list_webhooks(self, call: Call) -> Document:
        """A page of them, the newest first."""
        asked: WebhooksQuery = call.query
        after = place(asked.cursor)
        rows, following = await self._webhooks.page(call.caller, after, asked.limit)
        return paged("aos.webhook-list/1", "webhooks", rows, following)

    async def get_webhook(self, call: Call) -> Document:
        """One of them."""
        return await self._webhooks.get(call.caller, call.path["webhook_id"])

    async def edit_webhook(self, call: Call) -> Given:
        """Change some of it."""
        asked: EditWebhook = call.body
        webhook = call.path["webhook_id"]
        wanted = Edit(asked.url, asked.topics, asked.description, asked.legacy_signature)
        return await self._webhooks.edit(call.caller, webhook, wanted, _key(call, "PATCH", f"/{webhook}"))

    async def remove_webhook(self, call: Call) -> Given:
        """Remove it for good."""
        webhook = call.path["webhook_id"]
        return await self._webhooks.remove(call.caller, webhook, _key(call, "DELETE", f"/{webhook}"))

    async def disable_webhook(self, call: Call) -> Given:
        """Send nothing there until it is enabled."""
        webhook = call.path["webhook_id"]
        key = _key(call, "POST", f"/{webhook}/disable")
        return await self._webhooks.disable(call.caller, webhook, key)

    async def enable_webhook(self, call: Call) -> Given:
        """Send there again."""
        webhook = call.path["webhook_id"]
        key = _key(call, "POST", f"/{webhook}/enable")
        return await self._webhooks.enable(call.caller, webhook, key)

    async def test_webhook(self, call: Call) -> Given:
        """Send a message of the type webhook.test."""
        webhook = call.path["webhook_id"]
        key = _key(call, "POST", f"/{webhook}/test")
        return await self._webhooks.test(call.caller, webhook, key)

    async def show_webhook_secret(self, call: Call) -> Document:
        """The secrets that sign now; that they were asked for is in the audit log."""
        webhook = call.path["webhook_id"]
        now = datetime.now(UTC)
        keys = await asyncio.to_thread(self._current, now)
        await self._webhooks.secret_shown(call.caller, webhook)
        ends = {one.name: one.signs_until for one in keys.keys.live(now)}
        return {
            **envelope("aos.webhook-secret/1"),
            "webhook_id": webhook,
            "secrets": [
                {"key_version": version, "secret": secret, "signs_until": moment(ends.get(version))}
                for version, secret in keys.by_version(webhook, now).items()
            ],
        }

    def _current(self, now: datetime) -> Keyring:
        """The keys as they are now. When the server started there may have been none, or nobody who could say.

        Raises AosError: why there is none still, and not where they should be: that is for who operates the server.
        """
        if self._keys is not None:
            self._keys.refresh(now)
            return self._keys
        try:
            if self._keystore is None:
                raise AosError("key_missing", "there is no keystore")
            self._keys = Keyring(self._keystore, now)
        except AosError as error:
            raise AosError(error.code, "the server has no key to derive a secret from") from error
        return self._keys

    async def list_deliveries(self, call: Call) -> Document:
        """A page of a webhook's deliveries, the newest first."""
        asked: DeliveriesQuery = call.query
        webhook = call.path["webhook_id"]
        after = place(asked.cursor, UUID)
        await self._webhooks.row(call.caller.tenant, webhook)
        rows, following = await page(
            self._webhooks.database, call.caller.tenant, webhook, asked.state, after, asked.limit
        )
        return paged("aos.delivery-list/1", "deliveries", rows, following)

    async def show_delivery(self, call: Call) -> Document:
        """One delivery, try by try."""
        delivery = _delivery(call)
        return await show(self._webhooks.database, call.caller.tenant, delivery)

    async def redeliver(self, call: Call) -> Given:
        """Send it once more."""
        delivery = _delivery(call)
        key = _key(call, "POST", f"/deliveries/{delivery}/redeliver")
        return await redeliver(self._webhooks.database, call.caller, delivery, key)


def _key(call: Call, method: str, path: str) -> Key | None:
    stated = call.body and call.body.model_dump(mode="json", exclude_unset=True)
    return call.key(method, _PATH + path, stated)


def _delivery(call: Call) -> UUID:
    try:
        return UUID(call.path["delivery_id"])
    except ValueError:
        raise unknown() from None
