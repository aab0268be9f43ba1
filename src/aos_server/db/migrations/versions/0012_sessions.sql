-- Sessions of browsers. What is kept opens nothing: the hash of a cookie, and an access token sealed with that cookie.

CREATE TABLE sessions (
    sha256 bytea PRIMARY KEY CHECK (length(sha256) = 32),
    tenant_id tenant_id NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    sealed bytea NOT NULL CHECK (length(sealed) BETWEEN 29 AND 16384),
    audit_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(), -- to the minute
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at)
);
CREATE INDEX sessions_of ON sessions (tenant_id, subject, issuer);
CREATE INDEX sessions_ending ON sessions (expires_at);

-- Whose session it is, before the tenant is known, as `find_service_key` does for keys. Half an hour without a request
-- ends it, and its own end in any case.
CREATE FUNCTION find_session(cookie bytea) RETURNS SETOF sessions
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        SELECT * FROM sessions
        WHERE sha256 = cookie AND expires_at > now() AND seen_at > now() - interval '30 minutes'
    $$;
REVOKE ALL ON FUNCTION find_session FROM PUBLIC;

ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON sessions USING (tenant_id = tenant()) WITH CHECK (tenant_id = tenant());
CREATE POLICY every_tenant ON sessions TO aos_worker USING (true);
GRANT SELECT, INSERT, DELETE, UPDATE (seen_at) ON sessions TO aos_app;
GRANT SELECT, DELETE, UPDATE (seen_at) ON sessions TO aos_worker; -- UPDATE to lock what it deletes
GRANT EXECUTE ON FUNCTION find_session TO aos_app;
