#!/bin/sh
# Give the roles their passwords: passwords.sh
#
# AOS_OWNER_PASSWORD, AOS_APP_PASSWORD, AOS_WORKER_PASSWORD, AOS_READER_PASSWORD and AOS_BACKUP_PASSWORD hold them. Connects
# as a superuser, as psql's own variables say (PGHOST, PGPORT, PGUSER, PGDATABASE ...), and keeps the passwords out of the
# server's log.
# What Postgres stores are SCRAM secrets; PgBouncer's userlist.txt has to be written anew after this.
set -eu
for name in OWNER APP WORKER READER BACKUP; do
    eval "value=\${AOS_${name}_PASSWORD-}"
    [ "${#value}" -ge 16 ] || { echo "passwords.sh: AOS_${name}_PASSWORD needs 16 characters at least" >&2; exit 2; }
done
psql -XAtq -v ON_ERROR_STOP=1 <<'SQL'
\getenv owner AOS_OWNER_PASSWORD
\getenv app AOS_APP_PASSWORD
\getenv worker AOS_WORKER_PASSWORD
\getenv reader AOS_READER_PASSWORD
\getenv backup AOS_BACKUP_PASSWORD
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;
SET password_encryption = 'scram-sha-256';
BEGIN;
ALTER ROLE aos_owner PASSWORD :'owner';
ALTER ROLE aos_app PASSWORD :'app';
ALTER ROLE aos_worker PASSWORD :'worker';
ALTER ROLE aos_reader PASSWORD :'reader';
ALTER ROLE aos_backup PASSWORD :'backup';
COMMIT;
SQL
