-- name: get
-- What holds for an agent, and for its tenant as a whole: the catalog's digest, budgets, permissions.
SELECT c.digest,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(budget_cents::text, spent_cents::text, unpriced)), '[]')
     FROM budgets WHERE tenant_id = tenant() AND agent_id IN ('', %(agent)s)) AS budgets,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(agent_id, skill_id, allowed)), '[]')
     FROM permissions WHERE tenant_id = tenant() AND agent_id IN ('', %(agent)s)) AS permissions
FROM (SELECT tenant() AS id) AS t LEFT JOIN catalogs c ON c.tenant_id = t.id;

-- name: catalog
-- The catalog itself.
SELECT document, digest FROM catalogs WHERE tenant_id = tenant();
