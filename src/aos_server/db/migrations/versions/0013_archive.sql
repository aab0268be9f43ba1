-- The archive: requests and runs that are over, in tables of the same columns, out of the way of those that are not.
--
-- A row is in one place or in the other, never in both and never in none: it is moved in one transaction, by functions
-- that only the worker may call. Whoever reads all of them reads a view, in which a move changes nothing.
-- A migration that adds a column to one of these tables adds it here, too, and makes its view anew.

CREATE SCHEMA archive;
GRANT USAGE ON SCHEMA archive TO aos_app, aos_worker, aos_reader;

DO $$
DECLARE
    name text;
    whole text;
BEGIN
    FOREACH name IN ARRAY ARRAY['requests', 'request_documents', 'request_decisions', 'request_reviews', 'request_uses',
                                'runs'] LOOP
        whole := CASE name WHEN 'requests' THEN 'all_approval_requests' ELSE 'all_' || name END;
        EXECUTE format('CREATE TABLE archive.%I (LIKE %I INCLUDING ALL)', name, name);
        IF name LIKE 'request\_%' THEN
            EXECUTE format('ALTER TABLE archive.%I ADD FOREIGN KEY (request_id) REFERENCES archive.requests', name);
        END IF;
        EXECUTE format('ALTER TABLE archive.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON archive.%I FOR SELECT USING (tenant_id = tenant())', name);
        EXECUTE format('CREATE POLICY every_tenant ON archive.%I FOR SELECT TO aos_worker USING (true)', name);
        EXECUTE format('CREATE VIEW %I WITH (security_invoker = true) AS '
                       'SELECT * FROM %I UNION ALL SELECT * FROM archive.%I', whole, name, name);
        EXECUTE format('GRANT SELECT ON archive.%I, %I TO aos_app, aos_worker, aos_reader', name, whole);
    END LOOP;
END
$$;

-- A run that is in the archive comes back before it is written again: the same run twice would be paid for twice.
CREATE FUNCTION run_is_in_one_place() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    IF EXISTS (SELECT FROM archive.runs a WHERE a.tenant_id = NEW.tenant_id AND a.id = NEW.id) THEN
        RAISE unique_violation USING MESSAGE = 'this run is in the archive';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER run_is_in_one_place BEFORE INSERT ON runs FOR EACH ROW EXECUTE FUNCTION run_is_in_one_place();

CREATE OR REPLACE FUNCTION find_request_tenant(request uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS 'SELECT tenant_id FROM all_approval_requests WHERE id = request';

-- Since when a request is over: a grant may be used until it ends.
CREATE FUNCTION ended_at(request requests) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN request.status NOT IN ('pending', 'escalated')
                THEN coalesce(request.grant_expires_at, request.decided_at, request.expires_at) END;

-- -- moves: of the tenant that is set, up to `most` rows that are over for as long; which it were -----------------------

CREATE FUNCTION archive_requests(age interval, most integer) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    name text;
    chosen uuid[];
BEGIN
    SELECT array_agg(o.id ORDER BY o.id) INTO chosen FROM (
        SELECT r.id FROM requests r
        WHERE r.tenant_id = tenant() AND r.created_at < now() - age AND ended_at(r) < now() - age
          AND NOT EXISTS (SELECT FROM request_reviews w WHERE w.request_id = r.id AND w.outcome IS NULL)
        ORDER BY r.created_at LIMIT most FOR UPDATE SKIP LOCKED
    ) AS o;
    IF chosen IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO archive.requests SELECT * FROM requests WHERE id = ANY (chosen);
    FOREACH name IN ARRAY ARRAY['request_documents', 'request_decisions', 'request_reviews', 'request_uses'] LOOP
        EXECUTE format('WITH gone AS (DELETE FROM %I WHERE request_id = ANY ($1) RETURNING *) '
                       'INSERT INTO archive.%I SELECT * FROM gone', name, name) USING chosen;
    END LOOP;
    DELETE FROM requests WHERE id = ANY (chosen);
    RETURN QUERY SELECT unnest(chosen)::text;
END
$$;

-- The lock is that of whoever writes a run: one who is at it keeps it here.
CREATE FUNCTION archive_runs(age interval, most integer) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    chosen text[];
BEGIN
    SELECT array_agg(o.id) INTO chosen FROM (
        SELECT r.id FROM runs r
        WHERE r.tenant_id = tenant() AND r.started_at < now() - age AND run_is_over(r, age)
        ORDER BY r.started_at LIMIT most
    ) AS o WHERE pg_try_advisory_xact_lock(hashtextextended(tenant() || ' ' || o.id, 7300468));
    RETURN QUERY WITH gone AS (
        DELETE FROM runs r WHERE r.tenant_id = tenant() AND r.id = ANY (chosen) AND run_is_over(r, age) RETURNING *
    ), moved AS (INSERT INTO archive.runs SELECT * FROM gone RETURNING id)
    SELECT id FROM moved ORDER BY id;
END
$$;

-- When a run ended is what its uploader says; when it arrived is not.
CREATE FUNCTION run_is_over(run runs, age interval) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN run.status IN ('succeeded', 'failed', 'cancelled')
       AND run.created_at < now() - age AND run.ended_at < now() - age;

CREATE FUNCTION recall_run(run text) RETURNS SETOF text
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    WITH back AS (DELETE FROM archive.runs WHERE tenant_id = tenant() AND id = run RETURNING *)
    INSERT INTO runs SELECT * FROM back RETURNING id
$$;

-- -- what is forgotten for good: archived rows that are over for as long -------------------------------------------------

CREATE FUNCTION forget_requests(age interval, most integer) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    name text;
    chosen uuid[];
BEGIN
    SELECT array_agg(o.id ORDER BY o.id) INTO chosen FROM (
        SELECT a.id FROM archive.requests a
        WHERE a.tenant_id = tenant() AND a.created_at < now() - age
          AND coalesce(a.grant_expires_at, a.decided_at, a.expires_at) < now() - age
        ORDER BY a.created_at LIMIT most FOR UPDATE SKIP LOCKED
    ) AS o;
    FOREACH name IN ARRAY ARRAY['request_documents', 'request_decisions', 'request_reviews', 'request_uses'] LOOP
        EXECUTE format('DELETE FROM archive.%I WHERE request_id = ANY ($1)', name) USING chosen;
    END LOOP;
    RETURN QUERY DELETE FROM archive.requests WHERE id = ANY (chosen) RETURNING id::text;
END
$$;

CREATE FUNCTION forget_runs(age interval, most integer) RETURNS SETOF text
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    DELETE FROM archive.runs WHERE tenant_id = tenant() AND id IN (
        SELECT a.id FROM archive.runs a
        WHERE a.tenant_id = tenant() AND a.started_at < now() - age AND a.created_at < now() - age
          AND a.ended_at < now() - age
        ORDER BY a.started_at LIMIT most FOR UPDATE SKIP LOCKED
    ) RETURNING id
$$;

-- -- how it stands ----------------------------------------------------------------------------------------------------

-- The tenants that have rows which may be moved or forgotten.
CREATE FUNCTION tenants_to_archive(age interval, keep interval) RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT tenant_id FROM requests r WHERE created_at < now() - age AND ended_at(r) < now() - age
    UNION SELECT tenant_id FROM runs r WHERE started_at < now() - age AND run_is_over(r, age)
    UNION SELECT tenant_id FROM archive.requests WHERE created_at < now() - keep
    UNION SELECT tenant_id FROM archive.runs WHERE started_at < now() - keep
    ORDER BY 1
$$;

-- How many there are of all tenants: here, of these how many are over for as long, in the archive, the oldest of those.
CREATE FUNCTION count_archive(age interval)
    RETURNS TABLE (what text, live bigint, due bigint, archived bigint, oldest timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT 'requests', count(*),
        count(*) FILTER (WHERE created_at < now() - age AND ended_at(r) < now() - age AND NOT EXISTS (
            SELECT FROM request_reviews w WHERE w.request_id = r.id AND w.outcome IS NULL)),
        (SELECT count(*) FROM archive.requests), (SELECT min(created_at) FROM archive.requests)
    FROM requests r
    UNION ALL
    SELECT 'runs', count(*), count(*) FILTER (WHERE started_at < now() - age AND run_is_over(r, age)),
        (SELECT count(*) FROM archive.runs), (SELECT min(started_at) FROM archive.runs)
    FROM runs r
$$;

-- Have a job done now, by the next worker that looks; no row where one waits already.
CREATE FUNCTION order_job(job text) RETURNS SETOF bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock) VALUES (job, job, job, job)
    ON CONFLICT DO NOTHING RETURNING id
$$;

REVOKE ALL ON FUNCTION archive_requests, archive_runs, recall_run, forget_requests, forget_runs, tenants_to_archive,
    count_archive, order_job FROM PUBLIC;
GRANT EXECUTE ON FUNCTION archive_requests, archive_runs, forget_requests, forget_runs, tenants_to_archive TO aos_worker;
GRANT EXECUTE ON FUNCTION recall_run, count_archive, order_job TO aos_app;
