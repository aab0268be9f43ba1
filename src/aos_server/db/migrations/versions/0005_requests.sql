-- Approval requests: who asks for what, who decided, what came of it.
--
-- What changes with every decision stands in `requests`; what is asked for never changes and is apart, as the text whose
-- digest was approved. Every change locks the row in `requests` first, so that of two at once one is second.

CREATE TABLE requests (
    id uuid PRIMARY KEY,
    tenant_id tenant_id NOT NULL,
    status text NOT NULL
        CHECK (status IN ('pending', 'escalated', 'approved', 'rejected', 'expired', 'cancelled', 'consumed')),
    required_level smallint NOT NULL CHECK (required_level BETWEEN 1 AND 5),
    min_approvals smallint NOT NULL CHECK (min_approvals > 0),
    policy_type text NOT NULL CHECK (policy_type IN ('cost', 'capability', 'resource', 'rate_limit')),
    skill_id text CHECK (length(skill_id) <= 128), -- null: a plan
    agent_id text CHECK (length(agent_id) <= 64),
    requester_issuer text NOT NULL,
    requester_subject text NOT NULL,
    owner_issuer text, -- of the service key that asked
    owner_subject text,
    justification text NOT NULL CHECK (octet_length(justification) <= 4096),
    digest text NOT NULL,
    uses smallint NOT NULL CHECK (uses > 0),
    used smallint NOT NULL DEFAULT 0 CHECK (used BETWEEN 0 AND uses),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    escalate_after interval,
    escalates_at timestamptz,
    decided_at timestamptz,
    grant_expires_at timestamptz,
    audit_id uuid NOT NULL,
    CHECK ((status IN ('approved', 'consumed')) = (grant_expires_at IS NOT NULL)),
    CHECK ((status = 'consumed') = (used = uses))
);
CREATE INDEX requests_newest ON requests (tenant_id, created_at DESC, id DESC);
CREATE INDEX requests_by_status ON requests (tenant_id, status, created_at DESC, id DESC);
CREATE INDEX requests_of ON requests (tenant_id, requester_subject, created_at DESC, id DESC);
CREATE INDEX requests_open ON requests (tenant_id, created_at DESC, id DESC) WHERE status IN ('pending', 'escalated');
CREATE INDEX requests_expiring ON requests (expires_at) WHERE status IN ('pending', 'escalated');
CREATE INDEX requests_escalating ON requests (escalates_at) WHERE status IN ('pending', 'escalated');

CREATE TABLE request_documents (
    request_id uuid PRIMARY KEY REFERENCES requests,
    tenant_id tenant_id NOT NULL,
    document text NOT NULL,
    audit_id uuid NOT NULL
);

-- An approver counts once.
CREATE TABLE request_decisions (
    request_id uuid NOT NULL REFERENCES requests,
    tenant_id tenant_id NOT NULL,
    approver_issuer text NOT NULL,
    approver_subject text NOT NULL,
    decision text NOT NULL CHECK (decision IN ('approve', 'reject')),
    level smallint NOT NULL CHECK (level BETWEEN 1 AND 5),
    break_glass boolean NOT NULL,
    reason text NOT NULL CHECK (octet_length(reason) <= 4096),
    at timestamptz NOT NULL DEFAULT now(),
    audit_id uuid NOT NULL,
    CONSTRAINT an_approver_counts_once UNIQUE (request_id, approver_issuer, approver_subject)
);

-- The second look at a broken glass. Who broke it breaks none before somebody has looked.
CREATE TABLE request_reviews (
    request_id uuid PRIMARY KEY REFERENCES requests,
    tenant_id tenant_id NOT NULL,
    breaker_issuer text NOT NULL,
    breaker_subject text NOT NULL,
    outcome text CHECK (outcome IN ('justified', 'not_justified')),
    reviewer_issuer text,
    reviewer_subject text,
    reason text CHECK (octet_length(reason) <= 4096),
    closed_at timestamptz,
    audit_id uuid NOT NULL,
    CHECK ((outcome IS NULL) = (closed_at IS NULL))
);
CREATE UNIQUE INDEX request_reviews_open ON request_reviews (tenant_id, breaker_issuer, breaker_subject)
    WHERE outcome IS NULL;

CREATE TABLE request_uses (
    request_id uuid NOT NULL REFERENCES requests,
    number smallint NOT NULL CHECK (number > 0),
    tenant_id tenant_id NOT NULL,
    consumer_issuer text NOT NULL,
    consumer_subject text NOT NULL,
    run_id text,
    at timestamptz NOT NULL DEFAULT now(),
    audit_id uuid NOT NULL,
    PRIMARY KEY (request_id, number)
);

-- In development nobody says in which tenant they act: the request that they name does.
CREATE FUNCTION find_request_tenant(request uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS 'SELECT tenant_id FROM requests WHERE id = request';
REVOKE ALL ON FUNCTION find_request_tenant FROM PUBLIC;

-- How many wait, of all tenants together, for the metrics.
CREATE FUNCTION count_open_requests() RETURNS TABLE (level smallint, waiting bigint, reviews bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        SELECT n::smallint,
            (SELECT count(*) FROM requests WHERE status IN ('pending', 'escalated') AND required_level = n),
            (SELECT count(*) FROM request_reviews WHERE outcome IS NULL)
        FROM generate_series(1, 5) AS n
    $$;
REVOKE ALL ON FUNCTION count_open_requests FROM PUBLIC;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['requests', 'request_documents', 'request_decisions', 'request_reviews',
                                'request_uses'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I USING (tenant_id = tenant()) WITH CHECK (tenant_id = tenant())', name);
        EXECUTE format('CREATE POLICY every_tenant ON %I TO aos_worker USING (true)', name);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO aos_app', name);
        EXECUTE format('GRANT SELECT ON %I TO aos_worker, aos_reader', name);
    END LOOP;
END
$$;
GRANT UPDATE (status, required_level, min_approvals, used, escalates_at, decided_at, grant_expires_at, audit_id)
    ON requests TO aos_app, aos_worker;
GRANT UPDATE (outcome, reviewer_issuer, reviewer_subject, reason, closed_at, audit_id) ON request_reviews TO aos_app;
GRANT EXECUTE ON FUNCTION find_request_tenant, count_open_requests TO aos_app;
-- What nobody decides in time is changed by the worker, with its audit row and its message.
GRANT INSERT ON audit, outbox TO aos_worker;
GRANT EXECUTE ON FUNCTION end_change TO aos_worker;
