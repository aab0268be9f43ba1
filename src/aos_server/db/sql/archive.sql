-- name: tenants
-- Who has what may be moved, or forgotten.
SELECT tenants_to_archive(%(age)s::interval, %(keep)s::interval) AS tenant;

-- name: requests
-- Move requests that are over, some at a time, with all that belongs to them; which it were.
SELECT archive_requests(%(age)s::interval, %(limit)s) AS id;

-- name: runs
-- Move runs that are over, some at a time; which it were.
SELECT archive_runs(%(age)s::interval, %(limit)s) AS id;

-- name: forget_requests
-- Delete archived requests for good, some at a time; which it were.
SELECT forget_requests(%(age)s::interval, %(limit)s) AS id;

-- name: forget_runs
-- Delete archived runs for good, some at a time; which it were.
SELECT forget_runs(%(age)s::interval, %(limit)s) AS id;

-- name: count
-- How many there are, of all tenants together.
SELECT what, live, due, archived, oldest FROM count_archive(%(age)s::interval);

-- name: order
-- Have it done now; no row where it waits already.
SELECT order_job('archive') AS job;
