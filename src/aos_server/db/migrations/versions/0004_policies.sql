-- The rules of each tenant. A version never changes and none goes; what is active is what was activated last.

CREATE TABLE policy_versions (
    tenant_id tenant_id NOT NULL REFERENCES tenants,
    version integer NOT NULL CHECK (version > 0),
    policy_digest text NOT NULL, -- of what the rules mean
    files_digest text NOT NULL,  -- of the text, comments included
    files jsonb NOT NULL,        -- [{"name", "text"}, ...]
    message text NOT NULL CHECK (octet_length(message) <= 4096),
    issuer text NOT NULL, -- of who pushed it
    subject text NOT NULL,
    audit_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, version),
    UNIQUE (tenant_id, files_digest)
);

CREATE TABLE policy_activations (
    tenant_id tenant_id NOT NULL REFERENCES tenants,
    number integer NOT NULL CHECK (number > 0),
    version integer, -- null: the rules that ship
    why text NOT NULL CHECK (octet_length(why) <= 4096),
    issuer text NOT NULL, -- of who activated it
    subject text NOT NULL,
    audit_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, number),
    FOREIGN KEY (tenant_id, version) REFERENCES policy_versions
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['policy_versions', 'policy_activations'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I USING (tenant_id = tenant()) WITH CHECK (tenant_id = tenant())', name);
    END LOOP;
END
$$;

GRANT SELECT, INSERT ON policy_versions, policy_activations TO aos_app;
GRANT SELECT ON policy_versions, policy_activations TO aos_reader;
