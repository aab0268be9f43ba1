"""Postgres: the pool, the named queries, the migrations, and what its errors mean. Nobody else knows psycopg."""
