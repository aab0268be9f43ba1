-- What is the server's and no tenant's: who may touch it, and whom a change of it is told.

-- Whether there is a tenant besides that of the transaction; which one, is not told.
CREATE FUNCTION shared() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS 'SELECT EXISTS (SELECT FROM tenants WHERE id IS DISTINCT FROM tenant())';
REVOKE ALL ON FUNCTION shared FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shared TO aos_app;

-- A message to every other tenant that has a standing webhook; how many it were.
CREATE FUNCTION tell_others(told text, what jsonb, told_by uuid) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        WITH others AS (
            SELECT DISTINCT tenant_id FROM webhooks WHERE request_id IS NULL AND tenant_id IS DISTINCT FROM tenant()
        ), sent AS (
            INSERT INTO outbox (id, tenant_id, topic, payload, audit_id)
            SELECT gen_random_uuid(), tenant_id, told, what, told_by FROM others RETURNING 1
        )
        SELECT count(*) FROM sent
    $$;
REVOKE ALL ON FUNCTION tell_others FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tell_others TO aos_app, aos_worker;
