"""Webhooks as people make, change, disable and remove them, and get their secrets.

Everybody who may create may make one. What is there already belongs to who made it, and to people of level 4 and above.
"""

import base64
import re
import secrets as random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from aos.errors import AosError, Finding, InputError
from aos.runtime.guards.network import Network
from aos.wire.results.documents import Document, envelope
from aos_server.db.pool import Database, Row, Statement
from aos_server.identity.caller import Caller
from aos_server.services.changes import Effect, Entry, Given, change, refused
from aos_server.services.idempotency import Key
from aos_server.services.pages import Place, before, cut
from aos_server.services.refusals import refuse
from aos_server.services.webhooks.health import disabling
from aos_server.services.webhooks.targets import check, origin

__all__ = ["MAX_WEBHOOKS", "Edit", "Webhooks", "kept_out", "of_request", "shown"]

MAX_WEBHOOKS = 100
"""How many a tenant may have, those of requests apart: each message goes to all that want it."""

LEVEL = 4
"""From here on people may change webhooks of others, and see their secrets."""

_TOPIC = re.compile(r"\*|[a-z_]{1,32}\.(?:\*|[a-z_]{1,32})")


class Edit(NamedTuple):
    """What is to be from now on; None: as it was."""

    url: str | None = None
    topics: Sequence[str] | None = None
    description: str | None = None
    legacy_signature: bool | None = None


class Webhooks:
    """The webhooks of every tenant. `network` says how far they may lead."""

    def __init__(self, database: Database, network: Network) -> None:
        self.database = database
        self.network = network

    async def create(self, caller: Caller, wanted: Edit, key: Key | None) -> Given:
        """Make one. Raises AosError: webhook_refused, webhook_conflict where there are too many."""
        assert wanted.url is not None
        row = {**_row(new_id(), caller, wanted.url), **_settings(wanted)}
        await self._check(caller, wanted.url, Entry("webhook.create.refused", ""))

        def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
            if rows[1][0]["count"] >= MAX_WEBHOOKS:
                raise AosError("webhook_conflict", f"a tenant has at most {MAX_WEBHOOKS} webhooks")
            made = {**row, "created_at": now, "disabled_at": None, "disabled_reason": None, "waiting": 0}
            entry = Entry("webhook.created", row["id"], _told(row))
            return Effect([("webhooks.add", row)], entry, 201, shown(made, caller))

        reads: list[Statement] = [("tenants.ensure", {}), ("webhooks.count", {})]
        return await change(self.database, caller, reads, decide, key)

    async def get(self, caller: Caller, webhook: str) -> Document:
        """One of them. Raises AosError(not_found)."""
        return shown(await self.row(caller.tenant, webhook), caller)

    async def row(self, tenant: str, webhook: str) -> Row:
        """The same as it is kept."""
        async with self.database.transaction(tenant) as transaction:
            row = await transaction.one("webhooks.get", id=webhook)
        if row is None:
            raise _unknown()
        return row

    async def page(
        self, caller: Caller, after: Place | None, limit: int
    ) -> tuple[list[Document], Place | None]:
        """The newest first, and where the next page starts; None: there is no more."""
        async with self.database.transaction(caller.tenant) as transaction:
            rows, following = cut(await transaction.all("webhooks.page", **before(after, limit)), limit)
        return [shown(row, caller) for row in rows], following

    async def edit(self, caller: Caller, webhook: str, wanted: Edit, key: Key | None) -> Given:
        """Change some of it. What waits is sent as it says from then on."""
        if wanted.url is not None:
            await self._check(caller, wanted.url, Entry("webhook.change.refused", webhook))
        new = {name: value for name, value in wanted._asdict().items() if value is not None}
        if "topics" in new:
            new["topics"] = _topics(new["topics"])

        def decide(row: Row) -> Effect:
            after = {**row, **new}
            entry = Entry("webhook.changed", webhook, {"changed": sorted(new), **_told(after)})
            return Effect([("webhooks.set", after)], entry, 200, shown(after, caller))

        return await self._change(caller, webhook, "change", decide, key)

    async def remove(self, caller: Caller, webhook: str, key: Key | None) -> Given:
        """Remove it for good, with what waits for it and the log of what was sent."""

        def decide(row: Row) -> Effect:
            entry = Entry("webhook.removed", webhook, _told(row))
            gone = {**shown(row, caller), "state": "removed"}
            return Effect([("webhooks.remove", {"id": webhook})], entry, 200, gone)

        return await self._change(caller, webhook, "remove", decide, key)

    async def disable(self, caller: Caller, webhook: str, key: Key | None) -> Given:
        """Send nothing there until it is enabled; messages wait meanwhile. Again changes nothing but the reason."""

        def decide(row: Row) -> Effect:
            now = row["now"]
            after = {**row, "disabled_at": now, "disabled_reason": "asked"}
            return disabling(webhook, "asked", dict(shown(after, caller)))

        return await self._change(caller, webhook, "disable", decide, key)

    async def enable(self, caller: Caller, webhook: str, key: Key | None) -> Given:
        """Send there again, also what waits."""

        def decide(row: Row) -> Effect:
            after = {**row, "disabled_at": None, "disabled_reason": None}
            entry = Entry("webhook.enabled", webhook)
            return Effect([("webhooks.enable", {"id": webhook})], entry, 200, shown(after, caller))

        return await self._change(caller, webhook, "enable", decide, key)

    async def test(self, caller: Caller, webhook: str, key: Key | None) -> Given:
        """Send a message that says nothing. Raises AosError(webhook_conflict) where it is disabled."""
        delivery, message = uuid4(), uuid4()

        def decide(row: Row) -> Effect:
            if row["disabled_at"] is not None:
                raise AosError("webhook_conflict", "the webhook is disabled: enable it first")
            said = {"webhook_id": webhook, "asked_by": caller.principal.subject}
            statements: list[Statement] = [
                ("outbox.add_spread", {"id": message, "topic": "webhook.test", "payload": said}),
                ("deliveries.add", {"id": delivery, "webhook": webhook, "message": message}),
            ]
            body = {
                **envelope("aos.webhook-test/1"),
                "webhook_id": webhook,
                "delivery_id": str(delivery),
                "message_id": str(message),
            }
            return Effect(statements, Entry("webhook.tested", webhook), 202, body)

        return await self._change(caller, webhook, "test", decide, key)

    async def secret_shown(self, caller: Caller, webhook: str) -> None:
        """Write down that the caller gets the secret. Raises AosError: authorization_denied, not_found."""

        def decide(row: Row) -> Effect:
            return Effect([], Entry("webhook.secret_shown", webhook), 200, {})

        await self._change(caller, webhook, "show_secret", decide, None)

    async def _check(self, caller: Caller, url: str, tried: Entry) -> None:
        """Raise AosError(webhook_refused), and keep who tried, where a webhook may not lead there."""
        try:
            await check(self.network, url)
        except AosError as error:
            told = tried._replace(details={"detail": error.detail})
            await refuse(self.database, caller, told, error)

    async def _change(
        self, caller: Caller, webhook: str, act: str, decide: Callable[[Row], Effect], key: Key | None
    ) -> Given:
        """Change a webhook that is there and that the caller may change."""

        def decided(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
            if not rows[0]:
                raise _unknown()
            row = rows[0][0]
            return kept_out(caller, webhook, row, act) or decide({**row, "now": now})

        reads: list[Statement] = [("webhooks.lock", {"id": webhook})]
        return await change(self.database, caller, reads, decided, key)


def new_id() -> str:
    """An id that nobody guesses."""
    return "wh_" + base64.b32encode(random.token_bytes(10)).decode().lower()


def of_request(caller: Caller, request: str, url: str) -> tuple[str, Statement]:
    """The webhook of one request: its id, and the statement that makes it with the request.

    It gets what is told of that request, in whose payload `request_id` is. Check the URL first (`targets.check`).
    """
    row = {**_row(new_id(), caller, url), "request_id": request}
    return row["id"], ("webhooks.add", row)


def kept_out(caller: Caller, webhook: str, row: Row, act: str) -> Effect | None:
    """The refusal of who has not made the webhook and is below level 4; None for everybody else."""
    if _owns(caller, row):
        return None
    error = AosError("authorization_denied", f"only who made a webhook may do this, or level {LEVEL}")
    return refused(Entry(f"webhook.{act}.refused", webhook), error)


def shown(row: Row, caller: Caller) -> Document:
    """The document `aos.webhook/1`. The path of a URL may be a password: only who may change it sees that."""
    disabled = row["disabled_at"]
    return {
        **envelope("aos.webhook/1"),
        "webhook_id": row["id"],
        "url": row["url"] if _owns(caller, row) else f"{origin(row['url'])}/…",
        "topics": row["topics"],
        "description": row["description"],
        "legacy_signature": row["legacy_signature"],
        "request_id": row["request_id"],
        "state": "active" if disabled is None else "disabled",
        "disabled_at": disabled and disabled.isoformat(),
        "disabled_reason": row["disabled_reason"],
        "waiting": row.get("waiting"),
        "created_by": row["created_by"],
        "created_at": row["created_at"].isoformat(),
    }


def _owns(caller: Caller, row: Row) -> bool:
    made = (row["created_issuer"], row["created_by"])
    return caller.principal == made or caller.level >= LEVEL or "operate" in caller.scopes


def _row(webhook: str, caller: Caller, url: str) -> dict[str, Any]:
    return {
        "id": webhook,
        "url": url,
        "topics": ["*"],
        "description": "",
        "legacy_signature": False,
        "request_id": None,
        "created_issuer": caller.principal.issuer,
        "created_by": caller.principal.subject,
    }


def _settings(wanted: Edit) -> dict[str, Any]:
    return {
        "topics": _topics(wanted.topics or ["*"]),
        "description": wanted.description or "",
        "legacy_signature": bool(wanted.legacy_signature),
    }


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit log says of a webhook."""
    return {"origin": origin(row["url"]), "topics": list(row["topics"])}


def _topics(topics: Sequence[str]) -> list[str]:
    findings = [
        Finding(f"/topics/{place}", "bad_value", "a topic is AREA.NAME, AREA.* or *")
        for place, topic in enumerate(topics)
        if not _TOPIC.fullmatch(topic)
    ]
    if findings:
        raise InputError.of("invalid_request", "body", findings)
    return list(dict.fromkeys(topics))


def _unknown() -> AosError:
    return AosError("not_found", "there is no such webhook", fix="`aos webhooks list` shows those there are.")
