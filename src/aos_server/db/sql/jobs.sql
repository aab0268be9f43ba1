-- name: reap
-- Put back jobs whose worker is gone or silent; who was begun too often has failed. The next tick may be queued already.
WITH stalled AS MATERIALIZED (
    SELECT id, worker_id FROM procrastinate_jobs j
    WHERE status = 'doing' AND NOT EXISTS (
        SELECT FROM procrastinate_workers w
        WHERE w.id = j.worker_id AND w.last_heartbeat >= now() - %(silent)s::interval)
)
UPDATE procrastinate_jobs j SET
    status = CASE WHEN attempts < %(retries)s THEN 'todo' ELSE 'failed' END::procrastinate_job_status,
    attempts = attempts + 1, scheduled_at = NULL, worker_id = NULL, queueing_lock = NULL
FROM stalled s
-- A worker that was quicker has another id.
WHERE j.id = s.id AND status = 'doing' AND j.worker_id IS NOT DISTINCT FROM s.worker_id
RETURNING task_name AS name, status::text;

-- name: bury
-- Forget workers that have been silent; their jobs are put back before.
DELETE FROM procrastinate_workers WHERE last_heartbeat < now() - %(silent)s::interval;

-- name: release
-- Give back what a worker took and does not know of, since the answer was lost.
UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL, queueing_lock = NULL
WHERE status = 'doing' AND worker_id = %(worker)s AND id <> ALL (%(held)s::bigint[]);

-- name: hold
-- Whether a job is still done by whoever began it so; nobody puts it back before the transaction ends.
SELECT true AS held FROM procrastinate_jobs
WHERE id = %(job)s AND attempts = %(attempt)s AND worker_id = %(worker)s AND status = 'doing' FOR UPDATE;

-- name: finish
-- Write down how a job ended; no row where another worker has taken it over meanwhile.
WITH held AS MATERIALIZED (
    SELECT id FROM procrastinate_jobs
    WHERE id = %(job)s AND attempts = %(attempt)s AND worker_id = %(worker)s AND status = 'doing' FOR UPDATE
)
SELECT procrastinate_finish_job_v1(id, %(status)s::procrastinate_job_status, false) FROM held;

-- name: retry
-- Let a job be done again later; no row where another worker has taken it over meanwhile.
WITH held AS MATERIALIZED (
    SELECT id FROM procrastinate_jobs
    WHERE id = %(job)s AND attempts = %(attempt)s AND worker_id = %(worker)s AND status = 'doing' FOR UPDATE
)
SELECT procrastinate_retry_job_v2(id, %(at)s::timestamptz, NULL, NULL, NULL) FROM held;

-- name: standing
-- Of each job: when it last succeeded, how often it was given up this week, whether it runs or waits.
SELECT task_name AS name,
    max(at) FILTER (WHERE type = 'succeeded') AS succeeded_at,
    count(*) FILTER (WHERE type = 'failed') AS failed,
    bool_or(status = 'doing') AS running,
    bool_or(status = 'todo') AS waiting
FROM procrastinate_jobs j LEFT JOIN procrastinate_events e ON e.job_id = j.id
GROUP BY task_name;

-- name: forget
-- Delete jobs that ended more than a day ago (failed: a week), some at a time, but the last success of each; how many.
WITH gone AS (
    DELETE FROM procrastinate_jobs WHERE id = ANY (ARRAY(
        SELECT id FROM procrastinate_jobs j
        WHERE status NOT IN ('todo', 'doing')
          AND (SELECT max(at) FROM procrastinate_events e WHERE e.job_id = j.id)
              < now() - CASE status WHEN 'failed' THEN interval '7 days' ELSE interval '1 day' END
          AND id NOT IN (SELECT max(id) FROM procrastinate_jobs WHERE status = 'succeeded' GROUP BY task_name)
        LIMIT 1000
    ))
    RETURNING 1
)
SELECT count(*) AS count FROM gone;
