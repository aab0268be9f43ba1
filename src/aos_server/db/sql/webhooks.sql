-- name: add
-- Keep a webhook that was made.
INSERT INTO webhooks (id, tenant_id, url, topics, description, legacy_signature, request_id, created_issuer, created_by,
                      audit_id)
VALUES (%(id)s, tenant(), %(url)s, %(topics)s, %(description)s, %(legacy_signature)s, %(request_id)s,
        %(created_issuer)s, %(created_by)s, %(audit_id)s);

-- name: count
-- How many webhooks a tenant has, those of requests apart.
SELECT count(*) AS count FROM webhooks WHERE tenant_id = tenant() AND request_id IS NULL;

-- name: get
-- One webhook, and how much waits for it.
SELECT w.*, (SELECT count(*) FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'waiting') AS waiting
FROM webhooks w WHERE tenant_id = tenant() AND id = %(id)s;

-- name: lock
-- A webhook, which nobody else changes meanwhile.
SELECT * FROM webhooks WHERE tenant_id = tenant() AND id = %(id)s FOR UPDATE;

-- name: page
-- The newest first, after the last one of the page before; those of requests apart.
SELECT w.*, (SELECT count(*) FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'waiting') AS waiting
FROM webhooks w
WHERE tenant_id = tenant() AND request_id IS NULL
  AND (%(before_at)s::timestamptz IS NULL OR (created_at, id) < (%(before_at)s::timestamptz, %(before_id)s::text))
ORDER BY created_at DESC, id DESC LIMIT %(limit)s;

-- name: set
-- What its owner may change. What another address has accepted says nothing of this one.
UPDATE webhooks SET accepted_key = CASE WHEN url = %(url)s THEN accepted_key END, url = %(url)s, topics = %(topics)s, description = %(description)s,
    legacy_signature = %(legacy_signature)s, audit_id = %(audit_id)s
WHERE tenant_id = tenant() AND id = %(id)s;

-- name: disable
-- Send nothing there until it is enabled again.
UPDATE webhooks SET disabled_at = now(), disabled_reason = %(reason)s, audit_id = %(audit_id)s
WHERE tenant_id = tenant() AND id = %(id)s;

-- name: enable
-- Send there again.
UPDATE webhooks SET disabled_at = NULL, disabled_reason = NULL, audit_id = %(audit_id)s
WHERE tenant_id = tenant() AND id = %(id)s;

-- name: remove
-- It is gone, with what waited for it and what was sent there.
DELETE FROM webhooks WHERE tenant_id = tenant() AND id = %(id)s AND %(audit_id)s::uuid IS NOT NULL;

-- name: forget
-- Delete webhooks of requests of which nothing is kept any more; how many it were.
WITH gone AS (
    DELETE FROM webhooks WHERE id = ANY (ARRAY(
        SELECT w.id FROM webhooks w
        WHERE w.request_id IS NOT NULL AND w.created_at < now() - interval '40 days'
          AND NOT EXISTS (SELECT FROM deliveries d WHERE d.webhook_id = w.id)
        LIMIT 500 FOR UPDATE SKIP LOCKED
    ))
    RETURNING 1
)
SELECT count(*) AS count FROM gone;

-- name: arrived_since
-- Whether anything has arrived there lately.
SELECT 1 AS found FROM deliveries
WHERE webhook_id = %(id)s AND state = 'delivered' AND ended_at > now() - %(period)s::interval LIMIT 1;

-- name: accepted
-- It has accepted a message that this key alone had signed.
UPDATE webhooks SET accepted_key = %(version)s WHERE id = %(id)s;

-- name: unaccepted
-- How many standing webhooks of every tenant have not accepted a message that this key alone had signed.
SELECT count(*) AS count FROM webhooks
WHERE request_id IS NULL AND disabled_at IS NULL AND accepted_key IS DISTINCT FROM %(version)s;
