"""Webhooks: where messages go, and each message's way there."""

from aos_server.db.migrations import execute

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    execute(__file__)
