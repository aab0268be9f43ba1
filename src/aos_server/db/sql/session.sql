-- name: tenant
-- Whose rows the transaction sees.
SELECT set_config('aos.tenant', %(tenant)s, true);

-- name: begun
-- Postgres' name of the transaction, by which one can ask later whether it ended, and the instant that it has for now.
SELECT pg_current_xact_id()::text AS id, now() AS now;

-- name: clock
-- What time it is for the database.
SELECT clock_timestamp() AS now;

-- name: ended
-- Whether a transaction is over.
SELECT coalesce(pg_xact_status(%(id)s::xid8) <> 'in progress', true) AS ended;

-- name: version
-- The version of the schema and the oldest code that it serves ("": its own alone, which is so before 0011); no row
-- where nothing was migrated yet. And whether it takes no changes, as a standby.
SELECT version_num AS version, coalesce(to_jsonb(v) ->> 'serves', '') AS serves,
    current_setting('transaction_read_only')::boolean AS read_only
FROM alembic_version AS v;

-- name: excess
-- What this role has that none of ours may have, and whether it is another one than that work takes. Where there is no
-- table yet, nobody has rights to it.
SELECT excess FROM pg_roles, LATERAL (
    SELECT coalesce(pg_has_role(to_regrole('aos_app'), 'USAGE'), false) AS serves,
        coalesce(pg_has_role(to_regrole('aos_worker'), 'USAGE'), false) AS works
) AS ours, LATERAL (VALUES
    (rolsuper, 'is a superuser'),
    (rolbypassrls, 'sees every tenant (BYPASSRLS)'),
    (rolcreaterole, 'makes roles'),
    (has_table_privilege(to_regclass('audit'), 'UPDATE'), 'changes the audit log'),
    (has_table_privilege(to_regclass('audit'), 'DELETE'), 'deletes from the audit log'),
    (has_table_privilege(to_regclass('audit'), 'TRUNCATE'), 'empties the audit log'),
    (%(work)s = 'serve' AND works AND NOT rolsuper, 'sees every tenant, as the worker has to (aos_worker)'),
    (%(work)s = 'serve' AND NOT serves, 'may not answer requests (aos_app may)'),
    (%(work)s = 'worker' AND NOT works, 'may not do the worker''s work (aos_worker may)')
) AS rights (held, excess)
WHERE rolname = current_user AND held;
