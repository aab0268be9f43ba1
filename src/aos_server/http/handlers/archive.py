"""The archive: how much is in it, and have it filled now."""

from aos.errors import AosError
from aos.wire.results.documents import Document
from aos_server.http.endpoint import Call
from aos_server.services.archive import Archive
from aos_server.services.changes import Given

__all__ = ["ArchiveCalls"]


class ArchiveCalls:
    """The handlers of `/api/v1/archive`."""

    def __init__(self, archive: Archive | None) -> None:
        self._kept = archive

    @property
    def _archive(self) -> Archive:
        if self._kept is None:
            raise AosError("unavailable", "nothing is kept here")
        return self._kept

    async def show_archive(self, call: Call) -> Document:
        """How many rows there are here and there."""
        return await self._archive.show(call.caller.tenant)

    async def order_archive(self, call: Call) -> Given:
        """Have a worker archive what is due."""
        return await self._archive.order(call.caller, call.key("POST", "/api/v1/archive", {}))
