-- Tenants and who acts in them, what they may and what they spent, what was done and what is to be told.
--
-- A tenant's rows are visible where `aos.tenant`, set in each transaction, names it; where nothing is set, none are.
-- Money is numeric(20, 6) cents. Ids are text of the caller's making, or uuid where the server makes them.

CREATE FUNCTION tenant() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('aos.tenant', true), '');

CREATE DOMAIN tenant_id AS text CHECK (VALUE ~ '^[A-Za-z0-9._:@-]{1,64}$');

CREATE TABLE tenants (
    id tenant_id PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- -- who acts -------------------------------------------------------------------------------------------------------

CREATE TABLE subjects (
    tenant_id tenant_id NOT NULL REFERENCES tenants,
    issuer text NOT NULL,
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    kind text NOT NULL CHECK (kind IN ('human', 'machine')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, issuer, subject)
);

CREATE TABLE roles (
    tenant_id tenant_id NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    role text NOT NULL,
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, issuer, subject, role),
    FOREIGN KEY (tenant_id, issuer, subject) REFERENCES subjects ON DELETE CASCADE
);

-- A key is shown once, when it is made; what is kept is the SHA-256 of its secret, whose 256 random bits need no salt.
CREATE TABLE service_keys (
    id text PRIMARY KEY CHECK (id ~ '^[a-z2-7]{16}$'),
    tenant_id tenant_id NOT NULL REFERENCES tenants,
    name text NOT NULL DEFAULT '' CHECK (length(name) <= 64),
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    scopes text[] NOT NULL,
    owner_issuer text NOT NULL,
    owner_subject text NOT NULL,
    per_minute integer CHECK (per_minute > 0),
    audit_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX service_keys_tenant ON service_keys (tenant_id);

-- Whose key it is, before the tenant is known: the one question asked across tenants, answered for one key.
CREATE FUNCTION find_service_key(key_id text) RETURNS SETOF service_keys
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS 'SELECT * FROM service_keys WHERE id = key_id AND revoked_at IS NULL';
REVOKE ALL ON FUNCTION find_service_key FROM PUBLIC;

-- -- what they may and what is known --------------------------------------------------------------------------------

-- Laid over the catalog that ships. Text, since its bytes are what was checked and digested.
CREATE TABLE catalogs (
    tenant_id tenant_id PRIMARY KEY REFERENCES tenants,
    document text NOT NULL,
    digest text NOT NULL,
    audit_id uuid NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- agent_id '' is the tenant as a whole. `unpriced` counts attempts whose cost nobody knows: no sum has them.
CREATE TABLE budgets (
    tenant_id tenant_id NOT NULL REFERENCES tenants,
    agent_id text NOT NULL DEFAULT '' CHECK (length(agent_id) <= 64),
    budget_cents numeric(20, 6) CHECK (budget_cents >= 0), -- null: nobody set one
    spent_cents numeric(20, 6) NOT NULL DEFAULT 0 CHECK (spent_cents >= 0),
    unpriced bigint NOT NULL DEFAULT 0 CHECK (unpriced >= 0),
    audit_id uuid NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, agent_id)
);

-- skill_id '*' is every skill that no row of its own names.
CREATE TABLE permissions (
    tenant_id tenant_id NOT NULL REFERENCES tenants,
    agent_id text NOT NULL DEFAULT '' CHECK (length(agent_id) <= 64),
    skill_id text NOT NULL CHECK (length(skill_id) BETWEEN 1 AND 128),
    allowed boolean NOT NULL,
    audit_id uuid NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, agent_id, skill_id)
);

CREATE TABLE runs (
    tenant_id tenant_id NOT NULL REFERENCES tenants,
    id text NOT NULL CHECK (id ~ '^[A-Za-z0-9._:@-]{1,64}$'),
    agent_id text NOT NULL DEFAULT '' CHECK (length(agent_id) <= 64),
    status text NOT NULL,
    plan_digest text NOT NULL,
    cost_cents numeric(20, 6) NOT NULL CHECK (cost_cents >= 0), -- of the attempts that have a price
    unpriced integer NOT NULL CHECK (unpriced >= 0),
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    digest text NOT NULL, -- of the document: the same run uploaded again is recognised
    document jsonb NOT NULL,
    audit_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX runs_newest ON runs (tenant_id, started_at DESC, id DESC);
CREATE INDEX runs_of_agent ON runs (tenant_id, agent_id, started_at DESC, id DESC);

-- -- one effect, one answer -----------------------------------------------------------------------------------------
-- This table and the next ones have no foreign key to tenants: every write would lock the same row.

CREATE TABLE idempotency_keys (
    tenant_id tenant_id NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_digest bytea NOT NULL,
    status smallint, -- null only inside the transaction that claims the key
    answer jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, issuer, subject, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- -- what was done --------------------------------------------------------------------------------------------------

CREATE TABLE audit (
    id uuid PRIMARY KEY,
    tenant_id tenant_id NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    issuer text NOT NULL, -- of the actor
    subject text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_newest ON audit (tenant_id, at DESC, id DESC);

-- Rows that are not in the tree yet. The trigger's owner writes here: the role that answers requests can neither keep a
-- row out nor take one away.
CREATE TABLE audit_pending (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    audit_id uuid NOT NULL UNIQUE REFERENCES audit
);

CREATE FUNCTION audit_enqueue() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    INSERT INTO audit_pending (audit_id) VALUES (NEW.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_enqueue AFTER INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_enqueue();

-- The leaves of the Merkle tree (RFC 9162), from 0 without gaps.
CREATE TABLE audit_leaves (
    position bigint PRIMARY KEY CHECK (position >= 0),
    audit_id uuid NOT NULL UNIQUE REFERENCES audit,
    hash bytea NOT NULL CHECK (length(hash) = 32)
);

-- `peaks` are the roots of the complete subtrees of which the tree consists: what is needed to go on from here.
CREATE TABLE audit_checkpoints (
    size bigint PRIMARY KEY CHECK (size > 0),
    root bytea NOT NULL CHECK (length(root) = 32),
    peaks bytea[] NOT NULL,
    note text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- -- what is to be told ---------------------------------------------------------------------------------------------

-- A message is free where `claimed_until` has passed. `fence` counts the claims: who holds an older one has lost it.
CREATE TABLE outbox (
    id uuid PRIMARY KEY,
    tenant_id tenant_id NOT NULL,
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    topic text NOT NULL,
    payload jsonb NOT NULL,
    audit_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    fence bigint NOT NULL DEFAULT 0,
    claimed_until timestamptz NOT NULL DEFAULT '-infinity',
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    ended_at timestamptz,
    last_error text
);
CREATE INDEX outbox_due ON outbox (due_at, sequence) WHERE state = 'waiting';
CREATE INDEX outbox_of_tenant ON outbox (tenant_id, sequence);

-- -- who sees what --------------------------------------------------------------------------------------------------

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = tenant()) WITH CHECK (id = tenant());
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['subjects', 'roles', 'service_keys', 'catalogs', 'budgets', 'permissions', 'runs',
                                'idempotency_keys', 'audit', 'outbox'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I USING (tenant_id = tenant()) WITH CHECK (tenant_id = tenant())', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['idempotency_keys', 'audit', 'outbox'] LOOP
        EXECUTE format('CREATE POLICY every_tenant ON %I TO aos_worker USING (true)', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['audit_pending', 'audit_leaves', 'audit_checkpoints'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY every_tenant ON %I TO aos_worker USING (true)', name);
    END LOOP;
END
$$;
-- A proof needs the hashes beside the row that it is about; they tell nothing of what was hashed.
CREATE POLICY hashes ON audit_leaves FOR SELECT TO aos_app, aos_reader USING (true);
CREATE POLICY hashes ON audit_checkpoints FOR SELECT TO aos_app, aos_reader USING (true);

GRANT SELECT, INSERT ON tenants, audit, outbox TO aos_app;
GRANT SELECT, INSERT, UPDATE ON idempotency_keys TO aos_app;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON subjects, roles, service_keys, catalogs, budgets, permissions, runs TO aos_app;
GRANT SELECT ON audit_leaves, audit_checkpoints TO aos_app;
GRANT EXECUTE ON FUNCTION find_service_key TO aos_app;

GRANT SELECT ON audit, outbox TO aos_worker;
GRANT UPDATE (due_at, attempts, fence, claimed_until, state, ended_at, last_error) ON outbox TO aos_worker;
GRANT SELECT, UPDATE, DELETE ON idempotency_keys TO aos_worker; -- UPDATE to lock what it deletes
GRANT SELECT, DELETE ON audit_pending TO aos_worker;
GRANT SELECT, INSERT ON audit_leaves, audit_checkpoints TO aos_worker;

GRANT SELECT ON tenants, subjects, roles, catalogs, budgets, permissions, runs, audit, outbox,
    audit_leaves, audit_checkpoints TO aos_reader;
GRANT SELECT ON alembic_version TO aos_app, aos_worker, aos_reader;
