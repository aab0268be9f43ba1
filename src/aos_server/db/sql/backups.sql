-- name: session
-- What holds for a connection that backs up: it takes its time, sees every row, and writes values in one way.
SELECT set_config(name, value, false) FROM (VALUES
    ('statement_timeout', '0'), ('lock_timeout', '30s'), ('idle_in_transaction_session_timeout', '0'),
    ('row_security', 'off'), ('search_path', ''), ('TimeZone', 'UTC'), ('DateStyle', 'ISO'), ('IntervalStyle', 'postgres'),
    ('bytea_output', 'hex'), ('extra_float_digits', '1'), ('xmloption', 'content')
) AS settings (name, value);

-- name: likeness
-- What a database was made with.
SELECT rolname AS owner, pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datctype AS ctype
FROM pg_database JOIN pg_roles r ON r.oid = datdba WHERE datname = current_database();

-- name: grants
-- Who may do what with the database as a whole, besides its owner.
SELECT r.rolname AS grantee, g.privilege_type AS privilege
FROM pg_database d, aclexplode(coalesce(datacl, acldefault('d', datdba))) g JOIN pg_roles r ON r.oid = g.grantee
WHERE datname = current_database() AND g.grantee <> datdba ORDER BY 1, 2;

-- name: connected
-- Who is connected to a database. What another role does is hidden from a role that is not privileged.
SELECT concat_ws(' ', coalesce(usename, 'somebody'), nullif(application_name, ''), 'from ' || client_addr::text,
    'since ' || to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')) AS who
FROM pg_stat_activity
WHERE datname = %(database)s AND coalesce(backend_type, '') NOT IN ('autovacuum worker', 'parallel worker') -- which go
ORDER BY backend_start;

-- name: databases
-- Every database.
SELECT datname AS name FROM pg_database ORDER BY 1;

-- name: missing_roles
-- Which of some roles there are not.
SELECT name FROM unnest(%(names)s::text[]) AS name WHERE name NOT IN (SELECT rolname FROM pg_roles) ORDER BY 1;

-- name: lacks
-- What the role may not do that backs up.
SELECT lack FROM pg_roles, LATERAL (VALUES
    (rolsuper OR rolcreatedb, 'may not make databases (CREATEDB)'),
    (rolsuper OR rolbypassrls, 'does not see every row (BYPASSRLS)'),
    (rolsuper OR pg_has_role('pg_read_all_data', 'USAGE'), 'may not read every table (pg_read_all_data)')
) AS rights (held, lack) WHERE rolname = current_user AND NOT held;

-- name: hold
-- Hold a scratch database by its name, until the connection ends.
SELECT pg_advisory_lock(7300480, hashtext(%(name)s));

-- name: try_hold
-- The same where nobody else does.
SELECT pg_try_advisory_lock(7300480, hashtext(%(name)s)) AS held;

-- name: let_go
-- Hold it no longer.
SELECT pg_advisory_unlock(7300480, hashtext(%(name)s));

-- name: scratches
-- Scratch databases that this role may drop.
SELECT datname AS name FROM pg_database
WHERE datname LIKE 'aos\_scratch\_%%' AND pg_has_role(datdba, 'USAGE') ORDER BY 1;

-- name: snapshot
-- What the transaction sees, for others to see the same.
SELECT pg_export_snapshot() AS name;

-- name: tables
-- Every table that has rows of its own.
SELECT n.nspname AS schema, c.relname AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1, 2;

-- name: sequences
-- Where each sequence stands: the next number is above it.
SELECT schemaname AS schema, sequencename AS name, coalesce(last_value, 0) AS at
FROM pg_sequences WHERE schemaname !~ '^pg_' ORDER BY 1, 2;

-- name: revision
-- The version of the schema.
SELECT version_num AS version FROM public.alembic_version;

-- name: tree
-- The newest checkpoint of the audit log.
SELECT size, root FROM public.audit_checkpoints ORDER BY size DESC LIMIT 1;

-- name: objects
-- Everything that is no row, a line each with the object that it belongs to: tables with their columns, constraints,
-- indexes, policies, triggers and rights; functions, types. Whoever owns the database is not named, and nor is `owner`.
WITH own AS (
    SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), members AS (
    SELECT c.oid, relkind, relowner, relacl, reloptions, relrowsecurity, relforcerowsecurity, format('%%s %%I.%%I',
        CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' ELSE 'table' END, nspname, relname) AS object
    FROM pg_class c JOIN own ON own.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND relpersistence <> 't'
), owners AS (
    SELECT datdba AS oid FROM pg_database WHERE datname = current_database()
    UNION SELECT oid FROM pg_roles WHERE rolname = %(owner)s
), rights AS (
    SELECT object, '' AS part, relowner AS owner, coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END,
        relowner)) AS acl FROM members
    UNION ALL SELECT object, attname, relowner, attacl FROM members m JOIN pg_attribute ON attrelid = m.oid
    WHERE attacl IS NOT NULL AND NOT attisdropped
    UNION ALL SELECT format('function %%s', p.oid::regprocedure), '', proowner, coalesce(proacl, acldefault('f', proowner))
    FROM pg_proc p JOIN own ON own.oid = pronamespace
    UNION ALL SELECT format('schema %%I', n.nspname), '', n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner))
    FROM pg_namespace n JOIN own ON own.oid = n.oid
)
SELECT object, line FROM (
    SELECT object, concat_ws(' ', 'column', attnum - (
            SELECT count(*) FROM pg_attribute d WHERE d.attrelid = m.oid AND d.attnum BETWEEN 1 AND a.attnum AND attisdropped),
        attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid)) AS line
    FROM members m JOIN pg_attribute a ON a.attrelid = m.oid LEFT JOIN pg_attrdef ON adrelid = m.oid AND adnum = attnum
    WHERE attnum > 0 AND NOT attisdropped AND relkind <> 'S'
    UNION ALL SELECT object, concat_ws(' ', 'row security', relrowsecurity, relforcerowsecurity, reloptions) FROM members
    UNION ALL SELECT object, concat_ws(' ', 'constraint', conname, pg_get_constraintdef(k.oid))
    FROM members m JOIN pg_constraint k ON conrelid = m.oid
    UNION ALL SELECT object, pg_get_indexdef(indexrelid) FROM members m JOIN pg_index ON indrelid = m.oid
    UNION ALL SELECT object, concat_ws(' ', 'trigger', tgenabled, pg_get_triggerdef(t.oid))
    FROM members m JOIN pg_trigger t ON tgrelid = m.oid WHERE NOT tgisinternal
    UNION ALL SELECT object, pg_get_viewdef(m.oid) FROM members m WHERE relkind IN ('v', 'm')
    UNION ALL SELECT object, concat_ws(' ', 'policy', polname, polcmd, polpermissive,
        ARRAY(SELECT rolname FROM pg_roles r WHERE r.oid = ANY (polroles) ORDER BY 1), 0 = ANY (polroles),
        pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
    FROM members m JOIN pg_policy ON polrelid = m.oid
    UNION ALL SELECT format('function %%s', p.oid::regprocedure), pg_get_functiondef(p.oid)
    FROM pg_proc p JOIN own ON own.oid = pronamespace WHERE prokind <> 'a'
    UNION ALL SELECT format('type %%s', t.oid::regtype), concat_ws(' ', typtype, format_type(typbasetype, typtypmod), typnotnull,
        typdefault, ARRAY(SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contypid = t.oid ORDER BY 1),
        ARRAY(SELECT enumlabel FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder))
    FROM pg_type t JOIN own ON own.oid = typnamespace WHERE typtype IN ('d', 'e')
    UNION ALL SELECT object, concat_ws(' ', 'right', part, coalesce(rolname, 'everybody'), privilege_type, is_grantable)
    FROM rights, aclexplode(acl) AS g LEFT JOIN pg_roles r ON r.oid = g.grantee
    WHERE g.grantee <> rights.owner AND g.grantee NOT IN (SELECT oid FROM owners)
) AS lines ORDER BY object, line COLLATE "C";
