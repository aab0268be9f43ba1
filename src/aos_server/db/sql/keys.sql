-- name: find
-- The key of that id, of whatever tenant, unless it was revoked.
SELECT id, tenant_id, sha256, scopes, owner_issuer, owner_subject, per_minute, extract(epoch FROM expires_at)::float8
    AS expires_at_s
FROM find_service_key(%(id)s);

-- name: add
-- Keep a key that was made.
INSERT INTO service_keys (id, tenant_id, name, sha256, scopes, owner_issuer, owner_subject, per_minute, expires_at,
                          audit_id)
VALUES (%(id)s, tenant(), %(name)s, %(sha256)s, %(scopes)s, %(owner_issuer)s, %(owner_subject)s, %(per_minute)s,
        to_timestamp(%(expires_at_s)s::float8), %(audit_id)s);

-- name: lock
-- A key of the tenant that is not revoked yet, and that nobody else revokes meanwhile.
SELECT id FROM service_keys WHERE tenant_id = tenant() AND id = %(id)s AND revoked_at IS NULL FOR UPDATE;

-- name: revoke
-- From now on the key is not found.
UPDATE service_keys SET revoked_at = now(), audit_id = %(audit_id)s
WHERE tenant_id = tenant() AND id = %(id)s;

-- name: list
-- A tenant's keys, the newest first. Never the hash.
SELECT id, name, scopes, owner_issuer, owner_subject, per_minute, created_at, expires_at, revoked_at FROM service_keys
WHERE tenant_id = tenant() ORDER BY created_at DESC, id LIMIT 200;
