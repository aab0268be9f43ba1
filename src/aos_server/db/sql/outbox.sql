-- name: lock
-- Whether nobody else is spreading messages; until the end of the transaction nobody will.
SELECT pg_try_advisory_xact_lock(7300469) AS held;

-- name: spread
-- Make a delivery of each message for each webhook that wants it, numbered in the order of the messages.
WITH messages AS MATERIALIZED (
    SELECT id, tenant_id, topic, sequence, payload ->> 'request_id' AS request_id
    FROM outbox WHERE spread_at IS NULL ORDER BY sequence LIMIT %(limit)s
), wants AS (
    SELECT w.id AS webhook_id, m.id AS message_id, m.tenant_id, m.sequence
    FROM messages m JOIN webhooks w ON w.tenant_id = m.tenant_id AND w.request_id IS NULL
        AND w.topics && ARRAY['*', split_part(m.topic, '.', 1) || '.*', m.topic]
    UNION ALL
    SELECT w.id, m.id, m.tenant_id, m.sequence
    FROM messages m JOIN webhooks w ON w.tenant_id = m.tenant_id AND w.request_id = m.request_id
), wanted AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY webhook_id ORDER BY sequence) AS place FROM wants
), numbered AS (
    UPDATE webhooks w SET sequence = w.sequence + n.count
    FROM (SELECT webhook_id, max(place) AS count FROM wanted GROUP BY webhook_id) n WHERE w.id = n.webhook_id
    RETURNING w.id, w.sequence - n.count AS base
), made AS (
    INSERT INTO deliveries (tenant_id, webhook_id, message_id, sequence)
    SELECT wanted.tenant_id, webhook_id, message_id, base + place FROM wanted JOIN numbered ON numbered.id = webhook_id
    RETURNING 1
), marked AS (
    UPDATE outbox SET spread_at = now() WHERE id IN (SELECT id FROM messages) RETURNING 1
)
SELECT (SELECT count(*) FROM marked) AS messages, (SELECT count(*) FROM made) AS deliveries;

-- name: standing
-- How old the oldest message is of which no deliveries were made yet; 0: there is none.
SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest_s FROM outbox WHERE spread_at IS NULL;

-- name: add_spread
-- A message to one webhook alone, which needs no spreading.
INSERT INTO outbox (id, tenant_id, topic, payload, audit_id, spread_at)
VALUES (%(id)s, tenant(), %(topic)s, %(payload)s, %(audit_id)s, now());

-- name: forget
-- Delete messages that are older than 30 days, with their deliveries and attempts, some at a time; how many it were.
WITH gone AS (
    DELETE FROM outbox WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM outbox WHERE created_at < now() - interval '30 days' AND spread_at IS NOT NULL
        LIMIT 500 FOR UPDATE SKIP LOCKED
    ))
    RETURNING 1
)
SELECT count(*) AS count FROM gone;
