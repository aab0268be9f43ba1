"""Requests found by the skill that they call or by the name of their plan; those that wait, counted in one scan."""

from aos_server.db.migrations import execute

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    execute(__file__)
