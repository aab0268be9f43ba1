"""Changes of the keys that sign webhooks, and which webhooks have accepted which key."""

from aos_server.db.migrations import execute

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    execute(__file__)
