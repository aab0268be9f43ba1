-- name: requests
-- What was asked for, the newest first, after the last one of the page before; what is larger than `most` bytes without
-- its document.
SELECT r.id, r.status, r.required_level, r.agent_id, r.created_at AS at, r.decided_at,
    CASE WHEN octet_length(d.document) <= %(most)s THEN d.document END AS document
FROM all_approval_requests r JOIN all_request_documents d ON d.request_id = r.id
WHERE r.tenant_id = tenant() AND (%(window)s::interval IS NULL OR r.created_at >= now() - %(window)s::interval)
  AND (%(before_at)s::timestamptz IS NULL OR (r.created_at, r.id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
ORDER BY r.created_at DESC, r.id DESC LIMIT %(limit)s;

-- name: runs
-- Which plans were run, the latest first.
SELECT id, agent_id, started_at AS at, plan_digest, cost_cents, unpriced FROM all_runs
WHERE tenant_id = tenant() AND (%(window)s::interval IS NULL OR started_at >= now() - %(window)s::interval)
  AND (%(before_at)s::timestamptz IS NULL OR (started_at, id) < (%(before_at)s::timestamptz, %(before_id)s::text))
ORDER BY started_at DESC, id DESC LIMIT %(limit)s;

-- name: evaluations
-- What the rules were asked, the latest first, of a page of the audit log; other rows are nulls.
SELECT id, at, CASE WHEN action = 'policy.evaluated' THEN details END AS details FROM audit
WHERE tenant_id = tenant() AND (%(window)s::interval IS NULL OR at >= now() - %(window)s::interval)
  AND (%(before_at)s::timestamptz IS NULL OR (at, id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
ORDER BY at DESC, id DESC LIMIT %(limit)s;
