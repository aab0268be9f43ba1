-- Webhooks: where messages go, and each message's way there.
--
-- A message of the outbox is spread once: it becomes a delivery for each webhook that wants it, all in one transaction.
-- From then on it is deliveries that are claimed, tried and settled; the outbox keeps what they say.

DROP INDEX outbox_due;
ALTER TABLE outbox ADD spread_at timestamptz;
UPDATE outbox SET spread_at = ended_at WHERE state <> 'waiting';
ALTER TABLE outbox
    DROP due_at, DROP attempts, DROP fence, DROP claimed_until, DROP state, DROP ended_at, DROP last_error;
CREATE INDEX outbox_not_spread ON outbox (sequence) WHERE spread_at IS NULL;
CREATE INDEX outbox_age ON outbox (created_at);

-- `topics` are names of messages, `area.*` or `*`. A webhook of a request gets that request's messages, whatever they are.
-- `sequence` numbers what was sent to it, from 1 without gaps.
CREATE TABLE webhooks (
    id text PRIMARY KEY CHECK (id ~ '^wh_[a-z2-7]{16}$'),
    tenant_id tenant_id NOT NULL,
    url text NOT NULL CHECK (length(url) <= 2048),
    topics text[] NOT NULL CHECK (cardinality(topics) <= 50),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 200),
    legacy_signature boolean NOT NULL DEFAULT false,
    request_id text,
    sequence bigint NOT NULL DEFAULT 0,
    disabled_at timestamptz,
    disabled_reason text CHECK (disabled_reason IN ('asked', 'gone', 'failing')),
    created_issuer text NOT NULL,
    created_by text NOT NULL,
    audit_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL))
);
CREATE INDEX webhooks_newest ON webhooks (tenant_id, created_at DESC, id DESC) WHERE request_id IS NULL;
CREATE INDEX webhooks_of_request ON webhooks (tenant_id, request_id) WHERE request_id IS NOT NULL;

-- A delivery is free where `claimed_until` has passed. `fence` counts the claims: who holds an older one has lost it.
-- `tries` says how far in the schedule it is; a redelivery begins anew.
CREATE TABLE deliveries (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id tenant_id NOT NULL,
    webhook_id text NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    message_id uuid NOT NULL REFERENCES outbox ON DELETE CASCADE,
    sequence bigint NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    tries smallint NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    fence bigint NOT NULL DEFAULT 0,
    claimed_until timestamptz NOT NULL DEFAULT '-infinity',
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    UNIQUE (webhook_id, message_id),
    UNIQUE (webhook_id, sequence)
);
CREATE INDEX deliveries_due ON deliveries (webhook_id, due_at, sequence) WHERE state = 'waiting';
CREATE INDEX deliveries_newest ON deliveries (webhook_id, created_at DESC, id DESC);
CREATE INDEX deliveries_arrived ON deliveries (webhook_id, ended_at) WHERE state = 'delivered';
CREATE INDEX deliveries_of_message ON deliveries (message_id);

-- One try. `status` is that of the answer (null: there was none), `code` what was wrong with it (null: nothing).
CREATE TABLE delivery_attempts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id tenant_id NOT NULL,
    delivery_id uuid NOT NULL REFERENCES deliveries ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT now(),
    ms integer NOT NULL,
    status smallint,
    code text,
    detail text,
    reply text -- how the answer began
);
CREATE INDEX delivery_attempts_of ON delivery_attempts (delivery_id, id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['webhooks', 'deliveries', 'delivery_attempts'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I USING (tenant_id = tenant()) WITH CHECK (tenant_id = tenant())', name);
        EXECUTE format('CREATE POLICY every_tenant ON %I TO aos_worker USING (true)', name);
        EXECUTE format('GRANT SELECT ON %I TO aos_app, aos_worker, aos_reader', name);
    END LOOP;
END
$$;

GRANT INSERT, UPDATE, DELETE ON webhooks TO aos_app;
GRANT INSERT, UPDATE (state, tries, due_at, fence, claimed_until, ended_at) ON deliveries TO aos_app;

GRANT UPDATE (sequence, disabled_at, disabled_reason, audit_id), DELETE ON webhooks TO aos_worker;
GRANT INSERT, UPDATE (state, tries, due_at, fence, claimed_until, ended_at) ON deliveries TO aos_worker;
GRANT INSERT ON delivery_attempts TO aos_worker;
GRANT UPDATE (spread_at), DELETE ON outbox TO aos_worker;
