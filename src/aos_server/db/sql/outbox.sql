-- name: claim
-- Take messages that are due and that nobody has. The fence is the proof of the claim; it ends by itself.
UPDATE outbox SET fence = fence + 1, attempts = attempts + 1, claimed_until = now() + %(lease)s
WHERE id = ANY (ARRAY(
    SELECT id FROM outbox WHERE state = 'waiting' AND due_at <= now() AND claimed_until <= now()
    ORDER BY due_at, sequence LIMIT %(limit)s FOR UPDATE SKIP LOCKED
))
RETURNING id, tenant_id, sequence, topic, payload, attempts, fence, created_at;

-- name: end
-- It was delivered, or never will be; no row where somebody else has claimed it meanwhile.
UPDATE outbox SET state = %(state)s, ended_at = now(), last_error = %(error)s, claimed_until = '-infinity'
WHERE id = %(id)s AND fence = %(fence)s AND state = 'waiting' RETURNING id;

-- name: again
-- Give it back, to be tried later; no row where somebody else has claimed it meanwhile.
UPDATE outbox SET due_at = now() + %(after)s, last_error = %(error)s, claimed_until = '-infinity'
WHERE id = %(id)s AND fence = %(fence)s AND state = 'waiting' RETURNING id;
