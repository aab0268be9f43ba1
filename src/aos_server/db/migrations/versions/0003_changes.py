"""What every change writes, as functions."""

from aos_server.db.migrations import execute

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    execute(__file__)
