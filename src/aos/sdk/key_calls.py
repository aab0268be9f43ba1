"""What can be asked of the server about the keys that sign webhooks; see `aos.sdk.calls`."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from aos.sdk.core import Call, given, path

__all__ = ["KeyCalls"]

_KEYS = "/api/v1/keys"

A = TypeVar("A")


class KeyCalls(ABC, Generic[A]):
    """Part of `Calls`. No answer has a key in it. What changes something is sent once and never again by itself."""

    @abstractmethod
    def send(self, call: Call) -> A:
        """Send a call and give its answer."""

    def keys(self, *, tenant_id: str | None = None) -> A:
        """All versions, the newest first."""
        return self.send(Call("GET", _KEYS, {"tenant_id": tenant_id}))

    def key(self, version: str, *, tenant_id: str | None = None) -> A:
        """One version with its fingerprint."""
        return self.send(Call("GET", path(f"{_KEYS}/{{version}}", version=version), {"tenant_id": tenant_id}))

    def verify_keys(self, *, tenant_id: str | None = None) -> A:
        """Whether every key that signs is there and whole, and no other."""
        return self.send(Call("GET", f"{_KEYS}/verify", {"tenant_id": tenant_id}))

    def rotate_keys(
        self, overlap_hours: float = 24, *, dry_run: bool = False, tenant_id: str | None = None
    ) -> A:
        """Make a key that signs from now on; the one before it signs on for the overlap."""
        body = given({"overlap_hours": overlap_hours, "dry_run": dry_run, "tenant_id": tenant_id})
        return self.send(Call("POST", f"{_KEYS}/rotate", body=body, repeatable=False))

    def retire_key(
        self, version: str, *, confirm: str = "", dry_run: bool = False, tenant_id: str | None = None
    ) -> A:
        """Remove a key for good. `confirm` is its version once more, where webhooks have not accepted the new one."""
        body = given({"confirm": confirm, "dry_run": dry_run, "tenant_id": tenant_id})
        return self.send(
            Call("POST", path(f"{_KEYS}/{{version}}/retire", version=version), body=body, repeatable=False)
        )

    def rehearse_key(self, *, tenant_id: str | None = None) -> A:
        """Send every webhook a message that the current key alone has signed."""
        return self.send(Call("POST", f"{_KEYS}/rehearsal", body=given({"tenant_id": tenant_id})))

    def rehearsal(self, *, tenant_id: str | None = None) -> A:
        """Which webhooks accept the current key alone."""
        return self.send(Call("GET", f"{_KEYS}/rehearsal", {"tenant_id": tenant_id}))
