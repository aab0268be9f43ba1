"""What is asked for of backups over the API, and what a worker saw of them."""

from aos_server.db.migrations import execute

revision = "0014"
down_revision = "0013"
serves = "0011"  # it only adds


def upgrade() -> None:
    execute(__file__, serves)
