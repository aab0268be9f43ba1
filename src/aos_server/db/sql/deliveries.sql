-- name: add
-- A delivery of one message to one webhook, next in its order.
WITH numbered AS (
    UPDATE webhooks SET sequence = sequence + 1 WHERE tenant_id = tenant() AND id = %(webhook)s RETURNING sequence
)
INSERT INTO deliveries (id, tenant_id, webhook_id, message_id, sequence)
SELECT %(id)s, tenant(), %(webhook)s, %(message)s, sequence FROM numbered WHERE %(audit_id)s::uuid IS NOT NULL;

-- name: claim
-- Take deliveries that are due and that nobody has: a few of each webhook, of so many webhooks of a tenant, beginning
-- anywhere, so that none keeps others from their turn. The fence is the proof of the claim; it ends by itself.
WITH RECURSIVE owed AS ( -- from one webhook that something waits for to the next, however much waits for each
    (SELECT webhook_id AS id FROM deliveries WHERE state = 'waiting' ORDER BY webhook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.webhook_id FROM deliveries d WHERE d.state = 'waiting' AND d.webhook_id > owed.id
            ORDER BY d.webhook_id LIMIT 1)
    FROM owed WHERE owed.id IS NOT NULL
), ready AS (
    SELECT w.id, w.id < %(start)s AS later, w.tenant_id,
        row_number() OVER (PARTITION BY w.tenant_id ORDER BY w.id < %(start)s, w.id) AS place
    FROM owed JOIN webhooks w ON w.id = owed.id AND w.disabled_at IS NULL
    WHERE owed.id <> ALL (%(busy)s::text[])
      AND EXISTS (SELECT FROM deliveries d WHERE d.webhook_id = owed.id AND d.state = 'waiting' AND d.due_at <= now()
                    AND d.claimed_until <= now())
), due AS MATERIALIZED (
    SELECT ready.id FROM ready
    LEFT JOIN unnest(%(tenants)s::text[], %(served)s::integer[]) AS t (tenant, served) ON t.tenant = ready.tenant_id
    WHERE place + coalesce(served, 0) <= %(of_tenant)s
    ORDER BY later, id LIMIT %(webhooks)s
), chosen AS MATERIALIZED (
    SELECT found.id FROM due CROSS JOIN LATERAL (
        SELECT d.id FROM deliveries d
        WHERE d.webhook_id = due.id AND d.state = 'waiting' AND d.due_at <= now() AND d.claimed_until <= now()
        ORDER BY d.due_at, d.sequence LIMIT %(each)s FOR UPDATE SKIP LOCKED
    ) found
), taken AS (
    UPDATE deliveries SET fence = fence + 1, claimed_until = now() + %(lease)s
    WHERE id IN (SELECT id FROM chosen)
    RETURNING id, tenant_id, webhook_id, message_id, sequence, tries, fence
)
SELECT t.*, w.url, w.legacy_signature, o.topic, o.payload, o.created_at
FROM taken t JOIN webhooks w ON w.id = t.webhook_id JOIN outbox o ON o.id = t.message_id
ORDER BY t.webhook_id, t.sequence;

-- name: settle
-- Write down how tries ended; no row of those whose claim was lost meanwhile.
WITH ends AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(fences)s::bigint[], %(states)s::text[], %(afters)s::float8[],
                         %(times)s::integer[], %(statuses)s::smallint[], %(codes)s::text[], %(details)s::text[],
                         %(replies)s::text[])
        AS e (id, fence, state, after_s, ms, status, code, detail, reply)
), ours AS (
    UPDATE deliveries d SET state = e.state, tries = d.tries + 1, claimed_until = '-infinity',
        due_at = now() + e.after_s * interval '1 s', ended_at = CASE WHEN e.state <> 'waiting' THEN now() END
    FROM ends e WHERE d.id = e.id AND d.fence = e.fence AND d.state = 'waiting'
    RETURNING d.id, d.tenant_id
)
INSERT INTO delivery_attempts (tenant_id, delivery_id, ms, status, code, detail, reply)
SELECT ours.tenant_id, ours.id, e.ms, e.status, e.code, e.detail, e.reply FROM ours JOIN ends e ON e.id = ours.id
RETURNING delivery_id AS id;

-- name: release
-- Give back what was claimed and not tried.
UPDATE deliveries SET claimed_until = '-infinity'
FROM unnest(%(ids)s::uuid[], %(fences)s::bigint[]) AS e (given, held) WHERE id = given AND fence = held;

-- name: page
-- A webhook's deliveries, the newest first, after the last one of the page before.
SELECT d.id, d.webhook_id, d.message_id, d.sequence, d.state, d.due_at, d.created_at, d.ended_at,
    o.topic, a.attempts, a.last
FROM deliveries d JOIN outbox o ON o.id = d.message_id LEFT JOIN LATERAL (
    SELECT count(*) AS attempts, (array_agg(to_jsonb(x) ORDER BY x.id DESC))[1] AS last
    FROM delivery_attempts x WHERE x.delivery_id = d.id) a ON true
WHERE d.tenant_id = tenant() AND d.webhook_id = %(webhook)s AND (%(state)s::text IS NULL OR d.state = %(state)s)
  AND (%(before_at)s::timestamptz IS NULL OR (d.created_at, d.id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
ORDER BY d.created_at DESC, d.id DESC LIMIT %(limit)s;

-- name: get
-- One delivery, with what it says.
SELECT d.id, d.webhook_id, d.message_id, d.sequence, d.state, d.due_at, d.created_at, d.ended_at,
    o.topic, o.payload
FROM deliveries d JOIN outbox o ON o.id = d.message_id
WHERE d.tenant_id = tenant() AND d.id = %(id)s;

-- name: attempts
-- Its tries, in their order.
SELECT id, at, ms, status, code, detail, reply FROM delivery_attempts
WHERE tenant_id = tenant() AND delivery_id = %(id)s ORDER BY id LIMIT 200;

-- name: lock
-- A delivery and its webhook, of which nobody else changes the delivery meanwhile.
SELECT d.id, d.webhook_id, d.message_id, d.sequence, d.state, d.due_at, d.created_at, d.ended_at,
    o.topic, w.disabled_at, w.created_issuer, w.created_by
FROM deliveries d JOIN webhooks w ON w.id = d.webhook_id JOIN outbox o ON o.id = d.message_id
WHERE d.tenant_id = tenant() AND d.id = %(id)s FOR UPDATE OF d;

-- name: again
-- Begin anew, whatever became of it; who tries it now has lost the claim.
UPDATE deliveries SET state = 'waiting', tries = 0, due_at = now(), fence = fence + 1, claimed_until = '-infinity',
    ended_at = NULL
WHERE tenant_id = tenant() AND id = %(id)s AND %(audit_id)s::uuid IS NOT NULL;

-- name: standing
-- How things stand: how much waits, since when the oldest; for how long what was due first has waited for a worker; how
-- many webhooks are disabled.
SELECT count(d.id) AS waiting, coalesce(extract(epoch FROM now() - min(d.created_at)), 0)::float8 AS oldest_s,
    coalesce(extract(epoch FROM now() - min(greatest(d.due_at, d.claimed_until))
        FILTER (WHERE d.due_at <= now() AND d.claimed_until <= now())), 0)::float8 AS overdue_s,
    (SELECT count(*) FROM webhooks WHERE disabled_at IS NOT NULL) AS disabled
FROM deliveries d JOIN webhooks w ON w.id = d.webhook_id AND w.disabled_at IS NULL WHERE d.state = 'waiting';
