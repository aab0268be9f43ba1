"""What can be asked of the server about its archive; see `aos.sdk.calls`."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from aos.sdk.core import Call, given

__all__ = ["ArchiveCalls"]

_ARCHIVE = "/api/v1/archive"

A = TypeVar("A")


class ArchiveCalls(ABC, Generic[A]):
    """Part of `Calls`."""

    @abstractmethod
    def send(self, call: Call) -> A:
        """Send a call and give its answer."""

    def archive(self, *, tenant_id: str | None = None) -> A:
        """How many requests and runs there are, and how many of them are in the archive or due to be."""
        return self.send(Call("GET", _ARCHIVE, {"tenant_id": tenant_id}))

    def order_archive(self, *, tenant_id: str | None = None) -> A:
        """Have a worker archive now what is due."""
        return self.send(Call("POST", _ARCHIVE, body=given({"tenant_id": tenant_id})))
