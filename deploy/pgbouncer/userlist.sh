#!/bin/sh
# Write PgBouncer's userlist.txt from the secrets that Postgres keeps: userlist.sh FILE
#
# Connects as a superuser, as psql's own variables say (PGHOST, PGPORT, PGUSER, PGDATABASE ...). What is written are the
# SCRAM secrets of the three roles that may come through the pooler; with them it logs in to Postgres, too. Run it again
# after a password has changed, then reload PgBouncer.
#
# An old server that knows only md5: set `password_encryption = 'md5'`, the passwords anew, and `auth_type = md5` in
# pgbouncer.ini. This script then copies the md5 hashes. Don't, where you have the choice: whoever reads such a hash can
# log in with it.
set -eu
[ $# = 1 ] || { echo "usage: userlist.sh FILE" >&2; exit 2; }
umask 077
new=$(mktemp "$1.XXXXXX")
trap 'rm -f "$new"' EXIT
psql -XAtq -v ON_ERROR_STOP=1 >"$new" <<'SQL'
SELECT format('"%s" "%s"', rolname, rolpassword) FROM pg_authid
WHERE rolname IN ('aos_app', 'aos_worker', 'aos_reader') AND rolpassword IS NOT NULL ORDER BY rolname;
SQL
[ "$(wc -l <"$new")" = 3 ] || { echo "userlist.sh: aos_app, aos_worker and aos_reader need a password first" >&2; exit 1; }
mv "$new" "$1"
