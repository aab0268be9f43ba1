-- name: find
-- The session of a cookie, of whatever tenant, unless it has ended. `rested`: it was not used for a minute.
SELECT tenant_id, issuer, subject, sealed, seen_at < now() - interval '1 minute' AS rested
FROM find_session(%(sha256)s);

-- name: seen
-- It was used just now.
UPDATE sessions SET seen_at = now() WHERE tenant_id = tenant() AND sha256 = %(sha256)s;

-- name: add
-- Somebody has logged in.
INSERT INTO sessions (sha256, tenant_id, issuer, subject, sealed, expires_at, audit_id)
VALUES (%(sha256)s, tenant(), %(issuer)s, %(subject)s, %(sealed)s, now() + %(life)s::interval, %(audit_id)s);

-- name: of
-- Somebody's sessions.
SELECT sha256 FROM sessions WHERE tenant_id = tenant() AND issuer = %(issuer)s AND subject = %(subject)s FOR UPDATE;

-- name: end
-- Those of these cookies are over.
DELETE FROM sessions WHERE tenant_id = tenant() AND sha256 = ANY (%(every)s);

-- name: forget
-- Delete sessions that have ended by themselves, a thousand at a time; how many it were.
WITH gone AS (
    DELETE FROM sessions WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM sessions WHERE expires_at <= now() LIMIT 1000 FOR UPDATE SKIP LOCKED
    ))
    RETURNING 1
)
SELECT count(*) AS count FROM gone;
