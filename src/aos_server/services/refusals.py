"""Refusals of callers whom one knows: nothing changes, and the audit log has it."""

from collections.abc import Mapping
from typing import Any

from aos.errors import AosError
from aos_server.db.pool import Database
from aos_server.identity.caller import Caller
from aos_server.services.changes import Effect, Entry, change, refused

__all__ = ["Refusals"]


class Refusals:
    """The refusals of every tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, caller: Caller, about: str, details: Mapping[str, Any], error: AosError) -> None:
        """Keep that the caller was not let in. Raises AosError(unavailable) where it can't be kept."""

        def decide(now: object, rows: object) -> Effect:
            return refused(Entry("access.refused", about, {**details, "detail": error.detail}), error)

        try:
            await change(self._database, caller, [], decide)
        except AosError as raised:
            if raised is not error:
                raise
