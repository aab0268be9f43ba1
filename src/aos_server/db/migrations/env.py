"""Alembic's way in: the connection comes from `aos_server.db.migrate`, and each migration is its own transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
