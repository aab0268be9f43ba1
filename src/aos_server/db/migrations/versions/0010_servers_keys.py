"""Whether tenants share the server, and messages to all of them."""

from aos_server.db.migrations import execute

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    execute(__file__)
