-- name: lock
-- Until the end of the transaction nobody else writes that run, be it there or not: there is no row to lock in a new one.
SELECT pg_advisory_xact_lock(hashtextextended(tenant() || ' ' || %(id)s, 7300468));

-- name: state
-- What is known of a run. A statement of its own, so that it sees what was written while the lock was waited for.
SELECT agent_id, status, cost_cents, unpriced, digest, coalesce((document ->> 'tries')::int, 1) AS tries FROM all_runs
WHERE tenant_id = tenant() AND id = %(id)s;

-- name: recall
-- Out of the archive, if it is there.
SELECT recall_run(%(id)s);

-- name: put
-- Keep the record of a run, in place of an earlier one.
INSERT INTO runs (tenant_id, id, agent_id, status, plan_digest, cost_cents, unpriced, started_at, ended_at, digest,
                  document, audit_id)
VALUES (tenant(), %(id)s, %(agent)s, %(status)s, %(plan_digest)s, %(cost_cents)s, %(unpriced)s, %(started_at)s,
        %(ended_at)s, %(digest)s, %(document)s, %(audit_id)s)
ON CONFLICT (tenant_id, id) DO UPDATE
SET agent_id = EXCLUDED.agent_id, status = EXCLUDED.status, plan_digest = EXCLUDED.plan_digest,
    cost_cents = EXCLUDED.cost_cents, unpriced = EXCLUDED.unpriced, started_at = EXCLUDED.started_at,
    ended_at = EXCLUDED.ended_at, digest = EXCLUDED.digest, document = EXCLUDED.document, audit_id = EXCLUDED.audit_id;

-- name: get
-- One run.
SELECT id, agent_id, status, plan_digest, cost_cents, unpriced, started_at, ended_at, digest, document FROM all_runs
WHERE tenant_id = tenant() AND id = %(id)s;

-- name: page
-- The newest first, after the last one of the page before; of one agent where it is named.
SELECT id, agent_id, status, plan_digest, cost_cents, unpriced, started_at, ended_at, digest, document FROM all_runs
WHERE tenant_id = tenant()
  AND (%(agent)s::text IS NULL OR agent_id = %(agent)s)
  AND (%(before_at)s::timestamptz IS NULL OR (started_at, id) < (%(before_at)s::timestamptz, %(before_id)s::text))
ORDER BY started_at DESC, id DESC LIMIT %(limit)s;
