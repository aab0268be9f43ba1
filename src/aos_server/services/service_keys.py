"""Service keys as the database keeps them: found by their id, made and revoked as changes that the audit log has."""

from collections.abc import Sequence
from datetime import datetime

from aos.errors import AosError
from aos_server.db.pool import Database, Row
from aos_server.identity.caller import Act, Caller, Principal
from aos_server.identity.service_keys import NewKey, ServiceKey, make
from aos_server.services.changes import Effect, Entry, change

__all__ = ["StoredKeys"]


class StoredKeys:
    """Every tenant's keys. What is stored opens nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, key_id: str) -> ServiceKey | None:
        """See `identity.service_keys.ServiceKeys`."""
        (found,) = await self._database.read(("keys.find", {"id": key_id}))
        if not found:
            return None
        row = found[0]
        return ServiceKey(
            row["id"],
            bytes(row["sha256"]),
            row["tenant_id"],
            frozenset(row["scopes"]),
            Principal(row["owner_issuer"], row["owner_subject"]),
            row["expires_at_s"],
            row["per_minute"],
        )

    async def create(
        self,
        caller: Caller,
        name: str,
        scopes: frozenset[Act],
        *,
        expires_at_s: float | None = None,
        per_minute: int | None = None,
    ) -> NewKey:
        """Make a key that acts for the caller. Its text is nowhere else: who loses it makes another.

        Raises AosError: authorization_denied for a machine, since keys beget no keys; bad_value for a long name.
        """
        if len(name) > 64 or "\x00" in name:
            raise AosError("bad_value", "the name of a key has at most 64 characters, none of them NUL")
        if caller.kind != "human":
            raise AosError("authorization_denied", "a machine can't make service keys; people do")
        new = make(caller.tenant, scopes, caller.principal, expires_at_s=expires_at_s, per_minute=per_minute)

        def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
            entry = Entry("service_key.created", new.key.id, {"name": name, "scopes": sorted(new.key.scopes)})
            return Effect([("keys.add", _row(new.key, name))], entry, 201, {})

        await change(self._database, caller, [("tenants.ensure", {})], decide)
        return new

    async def revoke(self, caller: Caller, key_id: str) -> None:
        """From now on the key is not valid. Raises AosError(not_found), also for a key that was revoked before."""

        def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
            if not rows[0]:
                raise AosError(
                    "not_found",
                    "no such service key",
                    fix="`aos-server key list TENANT` shows those there are.",
                )
            return Effect([("keys.revoke", {"id": key_id})], Entry("service_key.revoked", key_id), 200, {})

        await change(self._database, caller, [("keys.lock", {"id": key_id})], decide)

    async def list(self, tenant: str) -> Sequence[Row]:
        """A tenant's keys, the newest first, without what is secret."""
        async with self._database.transaction(tenant) as transaction:
            return await transaction.all("keys.list")


def _row(key: ServiceKey, name: str) -> dict[str, object]:
    return {
        "id": key.id,
        "name": name,
        "sha256": key.sha256,
        "scopes": sorted(key.scopes),
        "owner_issuer": key.owner.issuer,
        "owner_subject": key.owner.subject,
        "per_minute": key.per_minute,
        "expires_at_s": key.expires_at_s,
    }
