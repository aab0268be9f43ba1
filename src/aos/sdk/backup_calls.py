"""What can be asked of the server about backups; see `aos.sdk.calls`."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from aos.sdk.core import Call, given, new_key, path

__all__ = ["BackupCalls"]

_BACKUPS = "/api/v1/backups"

A = TypeVar("A")


class BackupCalls(ABC, Generic[A]):
    """Part of `Calls`. What is asked for is done by a worker; `order` in the answer says whether it has ended."""

    @abstractmethod
    def send(self, call: Call) -> A:
        """Send a call and give its answer."""

    def backups(self, *, tenant_id: str | None = None) -> A:
        """All of them, the newest first."""
        return self.send(Call("GET", _BACKUPS, {"tenant_id": tenant_id}))

    def backup(self, name: str, *, tenant_id: str | None = None) -> A:
        """One of them, and what was last asked for of it."""
        return self.send(Call("GET", path(f"{_BACKUPS}/{{name}}", name=name), {"tenant_id": tenant_id}))

    def create_backup(self, *, tenant_id: str | None = None, idempotency_key: str | None = None) -> A:
        """Ask for one; it is restored into a scratch database and compared before it is good."""
        body = given({"tenant_id": tenant_id})
        return self.send(Call("POST", _BACKUPS, body=body, key=idempotency_key or new_key()))

    def verify_backup(
        self, name: str, *, tenant_id: str | None = None, idempotency_key: str | None = None
    ) -> A:
        """Ask for a trial of one: it is restored and compared once more."""
        where = path(f"{_BACKUPS}/{{name}}/verify", name=name)
        body = given({"tenant_id": tenant_id})
        return self.send(Call("POST", where, body=body, key=idempotency_key or new_key()))
