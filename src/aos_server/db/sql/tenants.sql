-- name: ensure
-- The tenant that the transaction is of exists from now on; one row if it did not before.
INSERT INTO tenants (id) VALUES (tenant()) ON CONFLICT DO NOTHING RETURNING id;

-- name: shared
-- Whether there is another tenant besides.
SELECT shared() AS shared;

-- name: terms
-- What holds for an agent, and for its tenant as a whole: the digests of the catalog and of the rules' text, budgets,
-- permissions.
SELECT c.digest,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(budget_cents::text, spent_cents::text, unpriced)), '[]')
     FROM budgets WHERE tenant_id = tenant() AND agent_id IN ('', %(agent)s)) AS budgets,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(agent_id, skill_id, allowed)), '[]')
     FROM permissions WHERE tenant_id = tenant() AND agent_id IN ('', %(agent)s)) AS permissions,
    (SELECT v.files_digest FROM policy_activations a
     LEFT JOIN policy_versions v ON v.tenant_id = a.tenant_id AND v.version = a.version
     WHERE a.tenant_id = tenant() ORDER BY a.number DESC LIMIT 1) AS rules
FROM (SELECT tenant() AS id) AS t LEFT JOIN catalogs c ON c.tenant_id = t.id;

-- name: catalog
-- The catalog itself.
SELECT document, digest FROM catalogs WHERE tenant_id = tenant();

-- name: set_catalog
-- Lay this document over the shipped catalog.
INSERT INTO catalogs (tenant_id, document, digest, audit_id)
VALUES (tenant(), %(document)s, %(digest)s, %(audit_id)s)
ON CONFLICT (tenant_id) DO UPDATE
SET document = EXCLUDED.document, digest = EXCLUDED.digest, audit_id = EXCLUDED.audit_id, updated_at = now();

-- name: set_budget
-- What an agent, or with '' the tenant, may spend.
INSERT INTO budgets (tenant_id, agent_id, budget_cents, audit_id)
VALUES (tenant(), %(agent)s, %(cents)s, %(audit_id)s)
ON CONFLICT (tenant_id, agent_id) DO UPDATE
SET budget_cents = EXCLUDED.budget_cents, audit_id = EXCLUDED.audit_id, updated_at = now();

-- name: spend
-- Add to what an agent, or with '' the tenant, has spent. It may be less than 0, where a later record of a run knows
-- better; a row that is new can't be.
INSERT INTO budgets (tenant_id, agent_id, spent_cents, unpriced, audit_id)
VALUES (tenant(), %(agent)s, greatest(%(cents)s, 0), greatest(%(unpriced)s, 0), %(audit_id)s)
ON CONFLICT (tenant_id, agent_id) DO UPDATE
SET spent_cents = budgets.spent_cents + %(cents)s, unpriced = budgets.unpriced + %(unpriced)s,
    audit_id = EXCLUDED.audit_id, updated_at = now();

-- name: permit
-- Allow or forbid a skill to an agent, or with '' to the tenant.
INSERT INTO permissions (tenant_id, agent_id, skill_id, allowed, audit_id)
VALUES (tenant(), %(agent)s, %(skill)s, %(allowed)s, %(audit_id)s)
ON CONFLICT (tenant_id, agent_id, skill_id) DO UPDATE
SET allowed = EXCLUDED.allowed, audit_id = EXCLUDED.audit_id, updated_at = now();
