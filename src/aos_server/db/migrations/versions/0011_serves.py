"""Which code the schema serves."""

from aos_server.db.migrations import execute

revision = "0011"
down_revision = "0010"
serves = "0011"  # code before it takes no schema but its own


def upgrade() -> None:
    execute(__file__, serves)
