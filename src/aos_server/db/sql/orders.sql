-- name: lock
-- Ask for one thing of backups at a time: until the end of the transaction nobody else does.
SELECT pg_advisory_xact_lock(7300481) IS NULL AS held;

-- name: open
-- What was asked for of backups, and has not ended.
SELECT id, asked_in, action, backup, asked_at FROM backup_orders WHERE ended_at IS NULL;

-- name: ask
-- Ask for a backup, or for a trial of one.
INSERT INTO backup_orders (id, asked_in, action, backup, asked_at, audit_id)
VALUES (%(id)s, tenant(), %(action)s, %(backup)s, now(), %(audit_id)s);

-- name: take
-- An order that has not ended, which nobody else ends meanwhile.
SELECT id FROM backup_orders WHERE id = %(id)s AND ended_at IS NULL FOR UPDATE;

-- name: end
-- It has ended, however it did.
UPDATE backup_orders SET ended_at = now(), code = %(code)s, detail = %(detail)s, audit_id = %(audit_id)s
WHERE id = %(id)s;

-- name: newest
-- The newest order for each backup: of the last hundred orders.
SELECT DISTINCT ON (backup) backup, action, asked_at, ended_at, code, detail
FROM (SELECT * FROM backup_orders ORDER BY asked_at DESC LIMIT 100) AS latest ORDER BY backup, asked_at DESC;

-- name: folder
-- What a worker saw in the folder of backups, and how long ago.
SELECT backups, seen_at, extract(epoch FROM now() - seen_at)::float8 AS age_s FROM backup_folder;

-- name: see
-- Leave what was seen there.
INSERT INTO backup_folder (backups, seen_at) VALUES (%(backups)s::jsonb -> 'all', now())
ON CONFLICT (here) DO UPDATE SET backups = EXCLUDED.backups, seen_at = EXCLUDED.seen_at;
