"""Sessions of browsers."""

from aos_server.db.migrations import execute

revision = "0012"
down_revision = "0011"
serves = "0011"  # a table more


def upgrade() -> None:
    execute(__file__, serves)
