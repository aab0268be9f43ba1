"""Migrations: `versions/NNNN_NAME.sql`, each beside a module of the same name that tells alembic of it."""

from pathlib import Path

from alembic import op

__all__ = ["execute"]


def execute(module: str) -> None:
    """Execute the .sql file beside `module`, as it stands there: psycopg looks for no parameters in it."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(Path(module).with_suffix(".sql").read_text("utf-8"))
