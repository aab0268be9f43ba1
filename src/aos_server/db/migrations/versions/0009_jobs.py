"""The queue of periodic jobs: the tables of procrastinate."""

from aos_server.db.migrations import execute

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    execute(__file__)
