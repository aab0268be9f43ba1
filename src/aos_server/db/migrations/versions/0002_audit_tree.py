"""What a tenant needs to verify its part of the audit log."""

from aos_server.db.migrations import execute

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    execute(__file__)
