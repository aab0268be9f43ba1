"""The environment variables of the server, each with what it means: settings are read from them, docs show them."""

from aos_server.environment import Variable

__all__ = ["VARIABLES"]

VARIABLES: dict[str, Variable] = {
    "DATABASE_URL": Variable("Postgres as this process's role (`aos_app`, `aos_worker`), through PgBouncer"),
    "AOS_MIGRATE_DATABASE_URL": Variable(
        "Postgres itself, not the pooler, as `aos_owner`; read by `migrate` only"
    ),
    "AOS_DATABASE_POOL": Variable("connections per process", "10"),
    "AOS_HOST": Variable("the address to listen on", "127.0.0.1"),
    "AOS_PORT": Variable("the port to listen on", "8000"),
    "AOS_HOSTS": Variable("names under which the server may be called, by comma; others are refused"),
    "AOS_PUBLIC_URL": Variable("the address at which browsers reach the server, for links to the inbox"),
    "AOS_PLAINTEXT_HOSTS": Variable("hosts of a private network that may be called without TLS, by comma"),
    "RBAC_ENABLED": Variable("`false` is refused outside `dev`; there every person then has level 5", "true"),
    "AOS_OIDC_ISSUER": Variable("the issuer of people's tokens"),
    "AOS_OIDC_AUDIENCE": Variable("the audience a token must name"),
    "AOS_OIDC_CLIENT_ID": Variable("the client that asks for introspection of opaque tokens"),
    "AOS_OIDC_CLIENT_SECRET": Variable("its secret"),
    "AOS_WEB_CLIENT_ID": Variable(
        "the client that logs people in to the [inbox](inbox.md); without it there is none"
    ),
    "AOS_WEB_CLIENT_SECRET": Variable("its secret, if it has one"),
    "AOS_OPERATING_TENANT": Variable(
        "the tenant whose operators may touch keys, backups and the archive; needed as soon as there are two"
    ),
    "AUTH_SERVICE_URL": Variable("the service that knows roles and levels"),
    "AUTH_SERVICE_TIMEOUT": Variable("seconds to wait for it, at most 30", "5"),
    "AUTH_API_KEY": Variable("the key sent to it"),
    "REDIS_URL": Variable("Redis, which counts requests"),
    "RATE_LIMIT_ENABLED": Variable("`false` is refused outside `dev`", "true"),
    "RATE_LIMIT_DEFAULT_RPM": Variable("simulate, query and policy evaluation, a minute", "60"),
    "AOS_RATE_DECIDE_RPM": Variable("decisions a minute", "60"),
    "AOS_RATE_CREATE_RPM": Variable("creations a minute", "60"),
    "AOS_RATE_READ_RPM": Variable("reads a minute", "600"),
    "AOS_AUDIT_KEY_PATH": Variable("the key that signs checkpoints of the audit log; made if there is none"),
    "AOS_AUDIT_CHECKPOINTS_PATH": Variable("the file that keeps them, on another disk than the database's"),
    "AOS_AUDIT_PUBLIC_KEY": Variable(
        "what `serve` checks their signatures with; `check --process worker` shows it"
    ),
    "AOS_AUDIT_EVALUATIONS": Variable(
        "policy evaluations that leave an entry in the audit log: `none`, `not_allowed` or `all`", "none"
    ),
    "AOS_WEBHOOK_KEYS": Variable("where the keys are that sign webhooks: `file`, `vault` or `ssm`", "file"),
    "WEBHOOK_KEYS_PATH": Variable("`file`: their folder", "/var/lib/aos/webhook-keys"),
    "WEBHOOK_KEY_VERSION": Variable("the key that signs until the first rotation", "v1"),
    "VAULT_ADDR": Variable("`vault`: its address"),
    "AOS_VAULT_MOUNT": Variable("`vault`: where its KV v2 engine is mounted", "secret"),
    "VAULT_TOKEN": Variable("`vault`: the token, unless there is a role"),
    "AOS_VAULT_ROLE_ID": Variable("`vault`: the role of AppRole"),
    "AOS_VAULT_SECRET_ID": Variable("`vault`: its secret"),
    "AWS_REGION": Variable("`ssm`: the region; credentials are found as AWS' own programs find them"),
    "AOS_WEBHOOK_KEY_DAYS": Variable("a worker rotates a key that is older than that; 0: none does", "0"),
    "AOS_WEBHOOK_HOSTS": Variable(
        "hosts that webhooks may lead to though they are not public, and without TLS, by comma; said at each start"
    ),
    "AOS_BACKUP_PATH": Variable("the folder of backups; without it a worker makes none"),
    "AOS_BACKUP_DATABASE_URL": Variable(
        "Postgres itself, not the pooler, as `aos_backup`: what is backed up"
    ),
    "AOS_BACKUP_SCHEDULE": Variable(
        "when a worker makes one: minute, hour, day, month, weekday, in UTC", "30 2 * * *"
    ),
    "AOS_BACKUP_KEEP_DAYS": Variable("of so many days the last good backup is kept", "7"),
    "AOS_BACKUP_KEEP_WEEKS": Variable("and of so many weeks", "4"),
    "AOS_BACKUP_PROGRAMS": Variable(
        "the folder of pg_dump and pg_restore; else they are looked for on PATH and where Debian keeps them"
    ),
    "AOS_RESTORE_DATABASE_URL": Variable(
        "Postgres itself, as a superuser, and the database to be replaced; read by `backup restore` only"
    ),
    "AOS_ARCHIVE_DAYS": Variable(
        "requests and runs that have been over for that long are moved to the archive; 0: never", "90"
    ),
    "AOS_ARCHIVE_KEEP_DAYS": Variable(
        "what has been over for that long is deleted from the archive; 0: never", "0"
    ),
    "AOS_WORKER_PORT": Variable("the port of AOS_HOST at which a worker tells its metrics; 0: none", "0"),
}
