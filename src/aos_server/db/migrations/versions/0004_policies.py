"""Rules of tenants, version by version, and which of them is active."""

from aos_server.db.migrations import execute

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    execute(__file__)
