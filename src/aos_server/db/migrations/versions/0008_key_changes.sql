-- Changes of the keys that sign webhooks, and which webhooks have accepted which key.
--
-- Keys are kept elsewhere, so no transaction holds both a change of them and its audit row. A row here is committed
-- before the first write there and ended after the last; one that stays open tells of a change that was cut off. One is
-- open at a time, which makes it the lock between processes as well. Keys are of no tenant: `asked_in` is where the
-- audit log tells of it; its entries have the id as `change_id`.
CREATE TABLE key_changes (
    id uuid PRIMARY KEY,
    asked_in tenant_id NOT NULL,
    action text NOT NULL CHECK (action IN ('rotation', 'retirement')),
    version text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE UNIQUE INDEX key_changes_open ON key_changes ((true)) WHERE ended_at IS NULL;

ALTER TABLE key_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY every ON key_changes TO aos_app, aos_worker USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE (ended_at) ON key_changes TO aos_app, aos_worker;

-- The version of the key that alone had signed a message which it has accepted.
ALTER TABLE webhooks ADD accepted_key text;
GRANT UPDATE (accepted_key) ON webhooks TO aos_worker;

-- A message to each standing webhook of every tenant, unless one is on its way; how many it were.
CREATE FUNCTION rehearse_key(wanted text, told_by uuid) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        WITH chosen AS (
            UPDATE webhooks w SET sequence = sequence + 1
            WHERE request_id IS NULL AND disabled_at IS NULL AND NOT EXISTS (
                SELECT FROM deliveries d JOIN outbox o ON o.id = d.message_id
                WHERE d.webhook_id = w.id AND d.state = 'waiting' AND o.topic = 'webhook.rehearsal'
                  AND o.payload ->> 'key_version' = wanted)
            RETURNING id, tenant_id, sequence, gen_random_uuid() AS message
        ), told AS (
            INSERT INTO outbox (id, tenant_id, topic, payload, audit_id, spread_at)
            SELECT message, tenant_id, 'webhook.rehearsal',
                jsonb_build_object('webhook_id', id, 'key_version', wanted), told_by, now() FROM chosen
        ), sent AS (
            INSERT INTO deliveries (tenant_id, webhook_id, message_id, sequence)
            SELECT tenant_id, id, message, sequence FROM chosen RETURNING 1
        )
        SELECT count(*) FROM sent
    $$;
REVOKE ALL ON FUNCTION rehearse_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rehearse_key TO aos_app;

-- What became of it at each. Of other tenants the server tells how many, and nothing else.
CREATE FUNCTION key_rehearsal(wanted text)
    RETURNS TABLE (id text, tenant_id text, url text, accepted boolean, state text, status smallint, code text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        SELECT w.id, w.tenant_id::text, w.url, coalesce(w.accepted_key = wanted, false), d.state, a.status, a.code
        FROM webhooks w
        LEFT JOIN LATERAL (
            SELECT d.id, d.state FROM deliveries d JOIN outbox o ON o.id = d.message_id
            WHERE d.webhook_id = w.id AND o.topic = 'webhook.rehearsal' AND o.payload ->> 'key_version' = wanted
            ORDER BY d.created_at DESC, d.id DESC LIMIT 1) d ON true
        LEFT JOIN LATERAL (
            SELECT a.status, a.code FROM delivery_attempts a WHERE a.delivery_id = d.id
            ORDER BY a.id DESC LIMIT 1) a ON true
        WHERE w.request_id IS NULL AND w.disabled_at IS NULL
        ORDER BY w.created_at, w.id
    $$;
REVOKE ALL ON FUNCTION key_rehearsal FROM PUBLIC;
GRANT EXECUTE ON FUNCTION key_rehearsal TO aos_app;
