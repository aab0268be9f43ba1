-- name: ensure
-- The tenant that the transaction is of exists from now on; one row if it did not before.
INSERT INTO tenants (id) VALUES (tenant()) ON CONFLICT DO NOTHING RETURNING id;

-- name: terms
-- What holds for an agent: the tenant's catalog, and the agent's budget, or the tenant's where it has none of its own.
SELECT (SELECT document FROM catalogs WHERE tenant_id = tenant()) AS catalog,
       b.budget_cents, coalesce(b.spent_cents, 0) AS spent_cents, coalesce(b.unpriced, 0) AS unpriced
FROM (SELECT) AS one LEFT JOIN LATERAL (
    SELECT budget_cents, spent_cents, unpriced FROM budgets
    WHERE tenant_id = tenant() AND agent_id IN (%(agent)s, '') AND (budget_cents IS NOT NULL OR agent_id = '')
    ORDER BY agent_id DESC LIMIT 1
) AS b ON true;

-- name: permissions
-- What the tenant allows and forbids, and what of that is otherwise for the agent; '*' is every other skill.
SELECT DISTINCT ON (skill_id) skill_id, allowed FROM permissions
WHERE tenant_id = tenant() AND agent_id IN (%(agent)s, '') ORDER BY skill_id, agent_id DESC;

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
-- Add to what an agent, or with '' the tenant, has spent.
INSERT INTO budgets (tenant_id, agent_id, spent_cents, unpriced, audit_id)
VALUES (tenant(), %(agent)s, %(cents)s, %(unpriced)s, %(audit_id)s)
ON CONFLICT (tenant_id, agent_id) DO UPDATE
SET spent_cents = budgets.spent_cents + EXCLUDED.spent_cents, unpriced = budgets.unpriced + EXCLUDED.unpriced,
    audit_id = EXCLUDED.audit_id, updated_at = now();

-- name: permit
-- Allow or forbid a skill to an agent, or with '' to the tenant.
INSERT INTO permissions (tenant_id, agent_id, skill_id, allowed, audit_id)
VALUES (tenant(), %(agent)s, %(skill)s, %(allowed)s, %(audit_id)s)
ON CONFLICT (tenant_id, agent_id, skill_id) DO UPDATE
SET allowed = EXCLUDED.allowed, audit_id = EXCLUDED.audit_id, updated_at = now();
