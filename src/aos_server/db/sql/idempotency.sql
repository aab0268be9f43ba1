-- name: claim
-- Take the key for this transaction: one row if it was free or older than a day. Waits for a transaction that has it.
SELECT claim_key AS key FROM claim_key(%(issuer)s, %(subject)s, %(key)s, %(digest)s);

-- name: get
-- What was asked with the key, and what was answered.
SELECT request_digest, status, answer FROM idempotency_keys
WHERE tenant_id = tenant() AND issuer = %(issuer)s AND subject = %(subject)s AND key = %(key)s
  AND created_at >= now() - interval '24 hours';

-- name: release
-- Let the key that this transaction has taken be as if it had never been used.
UPDATE idempotency_keys SET status = 0, created_at = '-infinity'
WHERE tenant_id = tenant() AND issuer = %(issuer)s AND subject = %(subject)s AND key = %(key)s;

-- name: forget
-- Delete keys that are older than a day, a thousand at a time; how many it were.
WITH gone AS (
    DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_keys WHERE created_at < now() - interval '24 hours'
        LIMIT 1000 FOR UPDATE SKIP LOCKED
    ))
    RETURNING 1
)
SELECT count(*) AS count FROM gone;
