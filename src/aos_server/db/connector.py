"""procrastinate's statements over our pool: unprepared, in no session, cut off where Postgres hangs."""

from typing import Any

import psycopg
from procrastinate.connector import BaseAsyncConnector
from procrastinate.exceptions import ConnectorException, NoResult, UniqueViolation

from aos_server.db.pool import Database, Row

__all__ = ["Connector"]


class Connector(BaseAsyncConnector):
    """Raises AosError(unavailable) where a statement had no answer; then it may have been executed all the same."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def execute_query_async(self, query: str, **arguments: Any) -> None:
        """Execute a statement."""
        await self._rows(query, arguments)

    async def execute_query_one_async(self, query: str, **arguments: Any) -> dict[str, Any]:
        """Its first row. Raises NoResult."""
        rows = await self._rows(query, arguments)
        if not rows:
            raise NoResult
        return dict(rows[0])

    async def execute_query_all_async(self, query: str, **arguments: Any) -> list[dict[str, Any]]:
        """Every row."""
        return [dict(row) for row in await self._rows(query, arguments)]

    async def _rows(self, query: str, arguments: dict[str, Any]) -> list[Row]:
        try:
            return await self._database.execute(query, arguments)
        except psycopg.errors.UniqueViolation as error:
            raise UniqueViolation(
                constraint_name=error.diag.constraint_name, queueing_lock=arguments.get("queueing_lock")
            ) from error
        except psycopg.Error as error:
            raise ConnectorException(str(error)) from error
