-- A request is for a call of a skill, or for a plan, which may have a name: so each is in one of these indexes at most.
ALTER TABLE requests ADD COLUMN plan_name text CHECK (length(plan_name) <= 200); -- null: none, or a longer one
UPDATE requests r SET plan_name = d.document::json -> 'plan' ->> 'name' FROM request_documents d
    WHERE d.request_id = r.id AND length(d.document::json -> 'plan' ->> 'name') BETWEEN 1 AND 200;
CREATE INDEX requests_of_skill ON requests (tenant_id, skill_id, created_at DESC, id DESC) WHERE skill_id IS NOT NULL;
CREATE INDEX requests_of_plan ON requests (tenant_id, plan_name, created_at DESC, id DESC) WHERE plan_name IS NOT NULL;

CREATE OR REPLACE FUNCTION count_open_requests() RETURNS TABLE (level smallint, waiting bigint, reviews bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        SELECT n::smallint, coalesce(open.waiting, 0), (SELECT count(*) FROM request_reviews WHERE outcome IS NULL)
        FROM generate_series(1, 5) AS n LEFT JOIN (
            SELECT required_level, count(*) AS waiting FROM requests
            WHERE status IN ('pending', 'escalated') GROUP BY required_level
        ) AS open ON required_level = n
    $$;
