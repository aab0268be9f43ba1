-- name: open
-- The change that somebody has begun and not ended, and how long ago.
SELECT id, asked_in, action, version, extract(epoch FROM now() - began_at)::float8 AS age_s
FROM key_changes WHERE ended_at IS NULL;

-- name: begin
-- Begin one; no row where another has begun and not ended.
INSERT INTO key_changes (id, asked_in, action, version)
VALUES (%(id)s, tenant(), %(action)s, %(version)s) ON CONFLICT DO NOTHING RETURNING id;

-- name: lock
-- A change that has not ended, which nobody else ends meanwhile.
SELECT id FROM key_changes WHERE id = %(id)s AND ended_at IS NULL FOR UPDATE;

-- name: end
-- It has ended, however it did.
UPDATE key_changes SET ended_at = now() WHERE id = %(id)s AND %(audit_id)s::uuid IS NOT NULL;

-- name: tell_others
-- Tell every other tenant that has a standing webhook.
SELECT tell_others(%(topic)s, %(payload)s, %(audit_id)s) AS count;

-- name: rehearse
-- Send each standing webhook of every tenant a message that one key alone signs; how many it were.
SELECT rehearse_key(%(version)s, %(audit_id)s) AS count;

-- name: rehearsal
-- What became of that at each of them.
SELECT * FROM key_rehearsal(%(version)s);
