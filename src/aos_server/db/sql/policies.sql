-- name: lock
-- Until the end of the transaction nobody else pushes or activates rules of the tenant, or sets its terms.
SELECT pg_advisory_xact_lock(hashtextextended(tenant(), 7300469));

-- name: hold
-- Until the end of the transaction nobody changes rules or terms of the tenant; others may hold them, too.
SELECT pg_advisory_xact_lock_shared(hashtextextended(tenant(), 7300469));

-- name: newest
-- The newest version (0: there is none), and the one that has this text, if any. A statement of its own, so that it
-- sees what was written while the lock was waited for.
SELECT coalesce(max(version), 0) AS newest, max(version) FILTER (WHERE files_digest = %(files_digest)s) AS same
FROM policy_versions WHERE tenant_id = tenant();

-- name: add
-- Keep a version.
INSERT INTO policy_versions (tenant_id, version, policy_digest, files_digest, files, message, issuer, subject, audit_id)
VALUES (tenant(), %(version)s, %(policy_digest)s, %(files_digest)s, %(files)s, %(message)s, %(issuer)s, %(subject)s,
        %(audit_id)s);

-- name: page
-- Versions without their text, the newest first, those before a number where it is given.
SELECT version, policy_digest, files_digest, message, issuer, subject, created_at FROM policy_versions
WHERE tenant_id = tenant() AND (%(before)s::integer IS NULL OR version < %(before)s)
ORDER BY version DESC LIMIT %(limit)s;

-- name: get
-- One version with its text.
SELECT version, policy_digest, files_digest, message, issuer, subject, created_at, files FROM policy_versions
WHERE tenant_id = tenant() AND version = %(version)s;

-- name: text
-- The rules that have this text.
SELECT policy_digest, files FROM policy_versions WHERE tenant_id = tenant() AND files_digest = %(files_digest)s;

-- name: active
-- What was activated last, by whom and why; no digest: the rules that ship. No row: nothing ever was.
SELECT number, coalesce(a.version, 0) AS version, policy_digest, why, a.issuer, a.subject, a.created_at
FROM policy_activations a LEFT JOIN policy_versions v ON v.tenant_id = tenant() AND v.version = a.version
WHERE a.tenant_id = tenant() ORDER BY number DESC LIMIT 1;

-- name: activate
-- From now on these rules hold.
INSERT INTO policy_activations (tenant_id, number, version, why, issuer, subject, audit_id)
VALUES (tenant(), %(number)s, nullif(%(version)s, 0), %(why)s, %(issuer)s, %(subject)s, %(audit_id)s);
