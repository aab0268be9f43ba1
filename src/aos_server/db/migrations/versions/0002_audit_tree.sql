-- What a tenant needs to verify its part of the audit log: the tree is one for all, its own rows are all it sees. These
-- tell hashes, and whether a row is there; nothing of what another tenant's rows say.

CREATE FUNCTION audit_tree(first bigint, most integer)
    RETURNS TABLE (place bigint, leaf bytea, row_id uuid, gone boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        SELECT l.position, l.hash, l.audit_id, a.id IS NULL
        FROM audit_leaves l LEFT JOIN audit a ON a.id = l.audit_id
        WHERE l.position >= first ORDER BY l.position LIMIT most
    $$;
REVOKE ALL ON FUNCTION audit_tree FROM PUBLIC;

-- The tenant's rows that are neither in the tree nor waiting for it.
CREATE FUNCTION audit_strays() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        SELECT a.id FROM audit a
        WHERE a.tenant_id = tenant()
          AND NOT EXISTS (SELECT FROM audit_leaves l WHERE l.audit_id = a.id)
          AND NOT EXISTS (SELECT FROM audit_pending p WHERE p.audit_id = a.id)
        LIMIT 100
    $$;
REVOKE ALL ON FUNCTION audit_strays FROM PUBLIC;

GRANT EXECUTE ON FUNCTION audit_tree, audit_strays TO aos_app;
