-- name: add
-- Keep a new request.
INSERT INTO requests (id, tenant_id, status, required_level, min_approvals, policy_type, skill_id, plan_name,
    agent_id, requester_issuer, requester_subject, owner_issuer, owner_subject, justification, digest, uses, expires_at,
    escalate_after, escalates_at, decided_at, grant_expires_at, audit_id)
VALUES (%(id)s, tenant(), %(status)s, %(required_level)s, %(min_approvals)s, %(policy_type)s, %(skill_id)s,
    %(plan_name)s, %(agent_id)s, %(requester_issuer)s, %(requester_subject)s, %(owner_issuer)s, %(owner_subject)s,
    %(justification)s, %(digest)s, %(uses)s, %(expires_at)s, %(escalate_after)s, %(escalates_at)s, %(decided_at)s, %(grant_expires_at)s, %(audit_id)s);

-- name: describe
-- What is asked for, as the text that was shown and digested.
INSERT INTO request_documents (request_id, tenant_id, document, audit_id)
VALUES (%(id)s, tenant(), %(document)s, %(audit_id)s);

-- name: lock
-- A request that nobody else changes until the end of the transaction.
SELECT id, tenant_id, status, required_level, min_approvals, policy_type, skill_id, plan_name, agent_id,
    requester_issuer, requester_subject, owner_issuer, owner_subject, justification, digest, uses, used, created_at, expires_at,
    escalate_after, escalates_at, decided_at, grant_expires_at
FROM requests WHERE tenant_id = tenant() AND id = %(id)s FOR UPDATE;

-- name: votes
-- Who decided so far. A statement of its own, so that it sees what was written while the lock was waited for.
SELECT approver_issuer, approver_subject, decision, level, break_glass, reason, at FROM request_decisions
WHERE tenant_id = tenant() AND request_id = %(id)s ORDER BY at, approver_subject;

-- name: review
-- The review of a request, after its lock.
SELECT breaker_issuer, breaker_subject, outcome FROM request_reviews
WHERE tenant_id = tenant() AND request_id = %(id)s;

-- name: archived
-- A request in the archive, where nothing changes.
SELECT id, tenant_id, status, required_level, min_approvals, policy_type, skill_id, plan_name, agent_id,
    requester_issuer, requester_subject, owner_issuer, owner_subject, justification, digest, uses, used, created_at, expires_at,
    escalate_after, escalates_at, decided_at, grant_expires_at
FROM archive.requests WHERE tenant_id = tenant() AND id = %(id)s;

-- name: archived_votes
-- Who decided on it.
SELECT approver_issuer, approver_subject, decision, level, break_glass, reason, at FROM archive.request_decisions
WHERE tenant_id = tenant() AND request_id = %(id)s ORDER BY at, approver_subject;

-- name: archived_review
-- Its review.
SELECT breaker_issuer, breaker_subject, outcome FROM archive.request_reviews
WHERE tenant_id = tenant() AND request_id = %(id)s;

-- name: lock_breaker
-- Until the end of the transaction this person breaks no other glass.
SELECT pg_advisory_xact_lock(hashtextextended(tenant() || ' ' || %(issuer)s || ' ' || %(subject)s, 7300469));

-- name: unreviewed
-- A glass that this person broke and nobody has looked at yet.
SELECT request_id FROM request_reviews
WHERE tenant_id = tenant() AND breaker_issuer = %(issuer)s AND breaker_subject = %(subject)s AND outcome IS NULL;

-- name: put
-- How a request stands from now on.
UPDATE requests SET status = %(status)s, required_level = %(required_level)s, min_approvals = %(min_approvals)s,
    used = %(used)s, escalates_at = %(escalates_at)s, decided_at = %(decided_at)s,
    grant_expires_at = %(grant_expires_at)s, audit_id = %(audit_id)s
WHERE tenant_id = tenant() AND id = %(id)s;

-- name: vote
-- Somebody decided.
INSERT INTO request_decisions (request_id, tenant_id, approver_issuer, approver_subject, decision, level, break_glass,
    reason, audit_id)
VALUES (%(id)s, tenant(), %(issuer)s, %(subject)s, %(decision)s, %(level)s, %(break_glass)s, %(reason)s, %(audit_id)s);

-- name: open_review
-- Somebody has to look at this.
INSERT INTO request_reviews (request_id, tenant_id, breaker_issuer, breaker_subject, audit_id)
VALUES (%(id)s, tenant(), %(issuer)s, %(subject)s, %(audit_id)s);

-- name: close_review
-- Somebody has looked.
UPDATE request_reviews SET outcome = %(outcome)s, reviewer_issuer = %(issuer)s, reviewer_subject = %(subject)s,
    reason = %(reason)s, closed_at = now(), audit_id = %(audit_id)s
WHERE tenant_id = tenant() AND request_id = %(id)s;

-- name: use
-- A grant was used, for the so manieth time.
INSERT INTO request_uses (request_id, number, tenant_id, consumer_issuer, consumer_subject, run_id, audit_id)
VALUES (%(id)s, %(number)s, tenant(), %(issuer)s, %(subject)s, %(run_id)s, %(audit_id)s);

-- name: get
-- One request with what is asked for, who decided and its review.
SELECT r.*, d.document, r.status IN ('pending', 'escalated') AND r.expires_at <= now() AS overdue, now() AS now,
    (SELECT coalesce(jsonb_agg(to_jsonb(v) ORDER BY v.at, v.approver_subject), '[]')
     FROM all_request_decisions v WHERE v.request_id = r.id) AS votes,
    (SELECT to_jsonb(w) FROM all_request_reviews w WHERE w.request_id = r.id) AS review,
    (SELECT coalesce(jsonb_agg(to_jsonb(u) ORDER BY u.number), '[]')
     FROM all_request_uses u WHERE u.request_id = r.id) AS consumptions
FROM all_approval_requests r JOIN all_request_documents d ON d.request_id = r.id
WHERE r.tenant_id = tenant() AND r.id = %(id)s;

-- name: page
-- The newest first, after the last one of the page before. Each filter is null where it is not asked for: `open` ones
-- that wait for at most `waiting`, for somebody who neither asked nor decided; those that they asked for; of a status, a
-- level, a skill, a plan's name; those that were `granted`, used or not; those that are `settled`. Whose time is up is
-- no longer of a status that waits.
SELECT r.*, r.status IN ('pending', 'escalated') AND r.expires_at <= now() AS overdue,
    (SELECT coalesce(jsonb_agg(to_jsonb(v) ORDER BY v.at, v.approver_subject), '[]')
     FROM all_request_decisions v WHERE v.request_id = r.id) AS votes,
    (SELECT to_jsonb(w) FROM all_request_reviews w WHERE w.request_id = r.id) AS review
FROM all_approval_requests r
WHERE r.tenant_id = tenant()
  AND (%(status)s::text IS NULL OR (
      r.status = %(status)s AND (r.status NOT IN ('pending', 'escalated') OR r.expires_at > now())))
  AND (%(mine)s::boolean IS NOT TRUE OR (r.requester_subject, r.requester_issuer) = (%(subject)s, %(issuer)s))
  AND (%(skill)s::text IS NULL OR r.skill_id = %(skill)s)
  AND (%(plan)s::text IS NULL OR r.plan_name = %(plan)s)
  AND (%(level)s::int IS NULL OR r.required_level = %(level)s)
  AND (%(granted)s::boolean IS NOT TRUE OR r.grant_expires_at IS NOT NULL)
  AND (%(settled)s::boolean IS NOT TRUE OR r.status NOT IN ('pending', 'escalated'))
  AND (%(waiting)s::int IS NULL OR (
      r.status IN ('pending', 'escalated') AND r.expires_at > now() AND r.required_level <= %(waiting)s
      AND (r.requester_issuer, r.requester_subject) <> (%(issuer)s, %(subject)s)
      AND (r.owner_issuer, r.owner_subject) IS DISTINCT FROM (%(issuer)s, %(subject)s)
      AND NOT EXISTS (SELECT FROM all_request_decisions v WHERE v.request_id = r.id
                      AND (v.approver_issuer, v.approver_subject) = (%(issuer)s, %(subject)s))))
  AND (%(before_at)s::timestamptz IS NULL OR (r.created_at, r.id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
ORDER BY r.created_at DESC, r.id DESC LIMIT %(limit)s;

-- name: urgent
-- Open ones, those first whose time is up first, after the last one of the page before; with `waiting` those that
-- somebody of that level can decide on who neither asked nor decided.
SELECT r.*,
    (SELECT coalesce(jsonb_agg(to_jsonb(v) ORDER BY v.at, v.approver_subject), '[]')
     FROM request_decisions v WHERE v.request_id = r.id) AS votes,
    (SELECT to_jsonb(w) FROM request_reviews w WHERE w.request_id = r.id) AS review
FROM requests r
WHERE r.tenant_id = tenant() AND r.status IN ('pending', 'escalated') AND r.expires_at > now()
  AND (%(waiting)s::int IS NULL OR (
      r.required_level <= %(waiting)s
      AND (r.requester_issuer, r.requester_subject) <> (%(issuer)s, %(subject)s)
      AND (r.owner_issuer, r.owner_subject) IS DISTINCT FROM (%(issuer)s, %(subject)s)
      AND NOT EXISTS (SELECT FROM request_decisions v WHERE v.request_id = r.id
                      AND (v.approver_issuer, v.approver_subject) = (%(issuer)s, %(subject)s))))
  AND (%(after_at)s::timestamptz IS NULL OR (r.expires_at, r.id) > (%(after_at)s::timestamptz, %(after_id)s::uuid))
ORDER BY r.expires_at, r.id LIMIT %(limit)s;

-- name: headlines
-- What was forecast of these, in a few figures; not of one whose document has more than `most` bytes, which would take
-- long to read.
WITH asked AS MATERIALIZED (
    SELECT request_id, document::jsonb AS said FROM all_request_documents
    WHERE tenant_id = tenant() AND request_id = ANY (%(ids)s) AND octet_length(document) <= %(most)s
)
SELECT request_id, said #> '{forecast,verdict}' IS NOT NULL AS foreseen,
    jsonb_array_length(said #> '{plan,steps}') AS steps,
    (said #>> '{forecast,forecast,cost_cents,p50,value}')::float8 AS cost_p50,
    (said #>> '{forecast,forecast,cost_cents,p95,value}')::float8 AS cost_p95,
    (said #>> '{forecast,forecast,duration_ms,p95,value}')::float8 AS time_p95,
    (said #>> '{forecast,chances,feasible,value}')::float8 AS chance,
    (SELECT count(*) FROM jsonb_array_elements(said #> '{envelope,reach}') AS one
     WHERE one #>> '{effects,read_only}' = 'false' AND one #>> '{effects,reversible}' = 'false') AS stay,
    (SELECT count(*) FROM jsonb_array_elements(said #> '{envelope,reach}') AS one
     WHERE one #>> '{effects,destructive}' = 'true') AS destroy,
    (SELECT count(*) FROM jsonb_array_elements(said #> '{envelope,reach}') AS one
     WHERE one #>> '{effects,read_only}' = 'false') AS change
FROM asked;

-- name: page_unreviewed
-- Those whose glass was broken and that nobody has looked at, the newest first.
SELECT r.*, false AS overdue,
    (SELECT coalesce(jsonb_agg(to_jsonb(v) ORDER BY v.at, v.approver_subject), '[]')
     FROM request_decisions v WHERE v.request_id = r.id) AS votes,
    to_jsonb(w) AS review
FROM request_reviews w JOIN requests r ON r.id = w.request_id
WHERE w.tenant_id = tenant() AND w.outcome IS NULL
  AND (%(before_at)s::timestamptz IS NULL OR (r.created_at, r.id) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
ORDER BY r.created_at DESC, r.id DESC LIMIT %(limit)s;

-- name: overdue
-- Requests of every tenant on which nobody has decided in time.
SELECT tenant_id, id FROM requests WHERE status IN ('pending', 'escalated') AND expires_at <= now()
ORDER BY expires_at LIMIT %(limit)s;

-- name: stuck
-- Requests of every tenant on which nobody of their level has decided in time.
SELECT tenant_id, id FROM requests
WHERE status IN ('pending', 'escalated') AND escalates_at <= now() AND expires_at > now()
ORDER BY escalates_at LIMIT %(limit)s;

-- name: standing
-- Of requests of every tenant that wait: how many have less than a tenth of their time left, and for how long the one
-- whose time was up first should have been written down as expired.
SELECT count(*) FILTER (WHERE expires_at > now() AND expires_at - now() < (expires_at - created_at) / 10) AS closing,
    greatest(coalesce(extract(epoch FROM now() - min(expires_at)), 0), 0)::float8 AS overdue_s
FROM requests WHERE status IN ('pending', 'escalated');

-- name: tenant
-- Of which tenant a request is, for development alone.
SELECT find_request_tenant(%(id)s) AS tenant;

-- name: waiting
-- How many wait for each level, and how many reviews are open, of all tenants together.
SELECT level, waiting, reviews FROM count_open_requests();
