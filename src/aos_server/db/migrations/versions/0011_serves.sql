-- The oldest code that works with the schema as it is. Each migration states it; the greatest holds.
ALTER TABLE alembic_version ADD COLUMN serves text NOT NULL DEFAULT '0011';
