-- name: tenant
-- Whose rows the transaction sees.
SELECT set_config('aos.tenant', %(tenant)s, true);

-- name: begun
-- Postgres' name of the transaction, by which one can ask later whether it ended, and the instant that it has for now.
SELECT pg_current_xact_id()::text AS id, now() AS now;

-- name: ended
-- Whether a transaction is over.
SELECT coalesce(pg_xact_status(%(id)s::xid8) <> 'in progress', true) AS ended;

-- name: version
-- The version of the schema; no row where nothing was migrated yet.
SELECT version_num AS version FROM alembic_version;

-- name: excess
-- Rights of this role that none of ours may have. Where there is no table yet, nobody has rights to it.
SELECT excess FROM pg_roles, LATERAL (VALUES
    (rolsuper, 'is a superuser'),
    (rolbypassrls, 'sees every tenant (BYPASSRLS)'),
    (rolcreaterole, 'makes roles'),
    (has_table_privilege(to_regclass('audit'), 'UPDATE'), 'changes the audit log'),
    (has_table_privilege(to_regclass('audit'), 'DELETE'), 'deletes from the audit log'),
    (has_table_privilege(to_regclass('audit'), 'TRUNCATE'), 'empties the audit log')
) AS rights (held, excess)
WHERE rolname = current_user AND held;
