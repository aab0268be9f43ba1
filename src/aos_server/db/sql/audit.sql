-- name: end
-- Say what was done, in the transaction that does it; with it what is to be told, and the answer for the key.
SELECT end_change(%(id)s, %(issuer)s, %(subject)s, %(action)s, %(object)s, %(details)s, %(topics)s,
    ARRAY(SELECT jsonb_array_elements(%(payloads)s::jsonb -> 'all')), %(key)s, %(status)s, %(answer)s);

-- name: append
-- Say what else was done in the transaction.
INSERT INTO audit (id, tenant_id, issuer, subject, action, object, details)
VALUES (%(id)s, tenant(), %(issuer)s, %(subject)s, %(action)s, %(object)s, %(details)s);

-- name: exists
-- Whether a change was committed: its row is there.
SELECT 1 AS found FROM audit WHERE id = %(id)s;

-- name: page
-- A tenant's rows, the newest first, after the last one of the page before.
SELECT id, tenant_id, at, issuer, subject, action, object, details FROM audit
WHERE tenant_id = tenant()
  AND (%(before_at)s::timestamptz IS NULL OR (at, id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
  AND (%(object)s::text IS NULL OR object = %(object)s)
ORDER BY at DESC, id DESC LIMIT %(limit)s;

-- name: show
-- One row, and where in the tree it stands (null: not there yet).
SELECT id, tenant_id, at, issuer, subject, action, object, details, position
FROM audit LEFT JOIN audit_leaves ON audit_id = id
WHERE tenant_id = tenant() AND id = %(id)s;

-- name: lock
-- Whether nobody else is sequencing; until the end of the transaction nobody will.
SELECT pg_try_advisory_xact_lock(7300467) AS held;

-- name: pending
-- Rows that are not in the tree yet, in the order in which they came.
SELECT p.position, a.id, a.tenant_id, a.at, a.issuer, a.subject, a.action, a.object, a.details
FROM audit_pending p JOIN audit a ON a.id = p.audit_id ORDER BY p.position LIMIT %(limit)s;

-- name: standing
-- How old the oldest row is that is not in the tree yet; 0: there is none.
SELECT coalesce(extract(epoch FROM now() - (
    SELECT a.at FROM audit_pending p JOIN audit a ON a.id = p.audit_id ORDER BY p.position LIMIT 1
)), 0)::float8 AS oldest_s;

-- name: latest
-- The newest checkpoint; no row where the tree is empty.
SELECT size, root, peaks, note FROM audit_checkpoints ORDER BY size DESC LIMIT 1;

-- name: notes
-- Checkpoints of trees larger than that, the smallest first.
SELECT size, note FROM audit_checkpoints WHERE size > %(size)s ORDER BY size;

-- name: place
-- Put rows into the tree, from that position on.
WITH placed AS (
    INSERT INTO audit_leaves (position, audit_id, hash)
    SELECT %(size)s + n - 1, id, hash
    FROM unnest(%(ids)s::uuid[], %(hashes)s::bytea[]) WITH ORDINALITY AS leaf (id, hash, n)
    RETURNING audit_id
)
DELETE FROM audit_pending USING placed WHERE audit_pending.audit_id = placed.audit_id;

-- name: checkpoint
-- Keep a signed statement of the tree's size and root.
INSERT INTO audit_checkpoints (size, root, peaks, note) VALUES (%(size)s, %(root)s, %(peaks)s, %(note)s);

-- name: leaves
-- The tree's leaves from a position on, each with the row that it is of (nulls where it is gone).
SELECT l.position, l.hash, a.id IS NULL AS gone, a.id, a.tenant_id, a.at, a.issuer, a.subject, a.action, a.object,
    a.details
FROM audit_leaves l LEFT JOIN audit a ON a.id = l.audit_id
WHERE l.position >= %(position)s ORDER BY l.position LIMIT %(limit)s;

-- name: own_leaves
-- The same for a tenant: other tenants' rows are nulls; whether they are gone is told all the same.
SELECT l.place AS position, l.leaf AS hash, l.gone, a.id, a.tenant_id, a.at, a.issuer, a.subject, a.action, a.object,
    a.details
FROM audit_tree(%(position)s, %(limit)s) l LEFT JOIN audit a ON a.id = l.row_id AND a.tenant_id = tenant()
ORDER BY l.place;

-- name: hashes
-- The hashes of some leaves, in their order: what a proof is made of.
SELECT hash FROM audit_leaves WHERE position >= %(start)s AND position < %(end)s ORDER BY position;

-- name: newest_notes
-- The newest signed statements, the newest first.
SELECT note FROM audit_checkpoints ORDER BY size DESC LIMIT %(limit)s;

-- name: waiting
-- How many of the tenant's rows are not in the tree yet.
SELECT count(*) AS count FROM audit a LEFT JOIN audit_leaves l ON l.audit_id = a.id
WHERE a.tenant_id = tenant() AND l.audit_id IS NULL;

-- name: own_strays
-- The tenant's rows that are neither in the tree nor waiting for it.
SELECT audit_strays AS id FROM audit_strays();

-- name: strays
-- Rows that are neither in the tree nor waiting for it.
SELECT a.id FROM audit a LEFT JOIN audit_leaves l ON l.audit_id = a.id LEFT JOIN audit_pending p ON p.audit_id = a.id
WHERE l.audit_id IS NULL AND p.audit_id IS NULL LIMIT 100;
