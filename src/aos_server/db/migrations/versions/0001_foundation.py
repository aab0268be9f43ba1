"""Tenants, identity, budgets, runs, idempotency keys, audit, outbox."""

from aos_server.db.migrations import execute

revision = "0001"
down_revision = None


def upgrade() -> None:
    execute(__file__)
