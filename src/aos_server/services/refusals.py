"""Refusals of callers whom one knows: nothing changes, and the audit log has it."""

from collections.abc import Mapping
from typing import Any, NoReturn

from aos.errors import AosError
from aos_server.db.pool import Database
from aos_server.identity.caller import Caller
from aos_server.services.changes import Entry, change, refused

__all__ = ["Refusals", "refuse"]


async def refuse(database: Database, caller: Caller, told: Entry, error: AosError) -> NoReturn:
    """Leave an entry that tells of the refusal, and raise it; or AosError(unavailable), where it can't be kept."""
    await change(database, caller, [], lambda now, rows: refused(told, error))
    raise error  # which `change` has done


class Refusals:
    """The refusals of every tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, caller: Caller, about: str, details: Mapping[str, Any], error: AosError) -> None:
        """Keep that the caller was not let in. Raises AosError(unavailable) where it can't be kept."""

        told = Entry("access.refused", about, {**details, "detail": error.detail})
        try:
            await refuse(self._database, caller, told, error)
        except AosError as raised:
            if raised is not error:
                raise
