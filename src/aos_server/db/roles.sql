-- The roles, once per cluster, by a superuser who is connected to the database they are to use. Running it again is
-- harmless. Passwords are set apart (deploy/passwords.sh): they don't belong in a file.
--
-- aos_owner   migrates; owns the tables
-- aos_app     answers requests; sees one tenant at a time, can't change the audit log
-- aos_worker  sequences the audit log and delivers what is in the outbox, of every tenant
-- aos_reader  reads one tenant at a time, for reports
-- aos_backup  reads everything and makes databases to try backups in; changes nothing
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['aos_owner', 'aos_app', 'aos_worker', 'aos_reader', 'aos_backup'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I', name);
        END IF;
        EXECUTE format(
            'ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', name);
        -- Of the role, not of the session: a session's settings do not survive PgBouncer's transaction mode.
        IF name NOT IN ('aos_owner', 'aos_backup') THEN
            -- Who waits for an answer is to have it within 3 s, be it a refusal; nobody waits for the others.
            EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', name,
                           CASE name WHEN 'aos_app' THEN '2s' ELSE '5s' END);
            EXECUTE format('ALTER ROLE %I SET lock_timeout = %L', name, '1500ms');
            EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''10s''', name);
        END IF;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), name);
    END LOOP;
    ALTER ROLE aos_reader SET default_transaction_read_only = on;
    ALTER ROLE aos_backup CREATEDB BYPASSRLS;
    GRANT pg_read_all_data TO aos_backup;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('ALTER DATABASE %I OWNER TO aos_owner', current_database());
END
$$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO aos_owner;
