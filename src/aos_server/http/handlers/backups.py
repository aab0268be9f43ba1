"""Backups: ask for one, or for a trial; list and show them. What is in one, nobody gets here."""

from aos.errors import AosError
from aos.wire.results.documents import Document
from aos_server.http.endpoint import Call
from aos_server.services.backups.orders import Orders
from aos_server.services.changes import Given

__all__ = ["BackupCalls"]

_PATH = "/api/v1/backups"


class BackupCalls:
    """The handlers of `/api/v1/backups`."""

    def __init__(self, orders: Orders | None) -> None:
        self._kept = orders

    @property
    def _orders(self) -> Orders:
        if self._kept is None:
            raise AosError("unavailable", "no backups are kept here")
        return self._kept

    async def create_backup(self, call: Call) -> Given:
        """Ask for a backup."""
        return await self._orders.create(call.caller, call.key("POST", _PATH))

    async def list_backups(self, call: Call) -> Document:
        """All of them, the newest first."""
        return await self._orders.list(call.caller)

    async def show_backup(self, call: Call) -> Document:
        """One of them."""
        return await self._orders.show(call.caller, call.path["name"])

    async def verify_backup(self, call: Call) -> Given:
        """Ask for a trial of one."""
        name = call.path["name"]
        return await self._orders.verify(call.caller, name, call.key("POST", f"{_PATH}/{name}/verify"))
