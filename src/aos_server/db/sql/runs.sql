-- name: add
-- Keep the record of a run.
INSERT INTO runs (tenant_id, id, agent_id, status, plan_digest, cost_cents, unpriced, started_at, ended_at, digest,
                  document, audit_id)
VALUES (tenant(), %(id)s, %(agent)s, %(status)s, %(plan_digest)s, %(cost_cents)s, %(unpriced)s, %(started_at)s,
        %(ended_at)s, %(digest)s, %(document)s, %(audit_id)s);

-- name: get
-- One run.
SELECT id, agent_id, status, plan_digest, cost_cents, unpriced, started_at, ended_at, digest, document FROM runs
WHERE tenant_id = tenant() AND id = %(id)s;

-- name: page
-- The newest first, after the last one of the page before; of one agent where it is named.
SELECT id, agent_id, status, plan_digest, cost_cents, unpriced, started_at, ended_at, digest, document FROM runs
WHERE tenant_id = tenant()
  AND (%(agent)s::text IS NULL OR agent_id = %(agent)s)
  AND (%(before_at)s::timestamptz IS NULL OR (started_at, id) < (%(before_at)s::timestamptz, %(before_id)s::text))
ORDER BY started_at DESC, id DESC LIMIT %(limit)s;
