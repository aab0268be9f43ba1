"""The archive: requests and runs that are over, out of the way and still there."""

from aos_server.db.migrations import execute

revision = "0013"
down_revision = "0012"
serves = "0011"


def upgrade() -> None:
    execute(__file__, serves)
