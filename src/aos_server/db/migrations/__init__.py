"""Migrations: `versions/NNNN_NAME.sql`, each beside a module of the same name that tells alembic of it.

Servers of the version before go on while they are replaced. So a module also states what it `serves`: the oldest code
that works with the tables as it leaves them. What only adds serves the code before it, what takes away does not.
"""

from pathlib import Path

from alembic import op

__all__ = ["execute"]


def execute(module: str, serves: str | None = None) -> None:
    """Execute the .sql file beside `module`, as it stands there: psycopg looks for no parameters in it.

    From there on no code older than `serves` is served (None: before 0011, which is the first to keep it).
    """
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(Path(module).with_suffix(".sql").read_text("utf-8"))
    if serves is not None:
        connection.execute("UPDATE alembic_version SET serves = greatest(serves, %s)", [serves])
