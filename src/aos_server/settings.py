"""Settings: the environment, read once, as frozen values. Everything wrong with it is said at once.

A server that would be unsafe does not start. Which settings a process needs depends on what it is: `dev` needs none and
listens to this machine only, `serve` needs them all, `worker` and `migrate` what they touch.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, cast, get_args
from urllib.parse import urlsplit

from aos.errors import Finding, InputError
from aos_server.environment import Environment, loopback
from aos_server.variables import VARIABLES

__all__ = [
    "CLIENT_VARIABLES",
    "LISTED",
    "VARIABLES",
    "Archiving",
    "Audit",
    "Audited",
    "Auth",
    "Backups",
    "Database",
    "Keys",
    "Limits",
    "Process",
    "Secret",
    "Settings",
    "Web",
    "examine",
    "read",
]

Process = Literal["dev", "serve", "worker", "migrate", "keys", "backups", "backup", "restore"]
"""`backups` looks at the folder alone; `backup` and `restore` connect as well."""


class Secret(str):
    """Text that no log, traceback or `repr` shows."""

    def __repr__(self) -> str:
        return "Secret(…)"


class Database(NamedTuple):
    """`url` is that of the process's own role, through PgBouncer in production; `migrate_url` is Postgres itself."""

    url: Secret
    migrate_url: Secret
    pool_size: int


class Auth(NamedTuple):
    """Who says who a caller is. `enabled` is False in development only. Empty text: not configured."""

    enabled: bool
    issuer: str
    audience: str
    client_id: str
    client_secret: Secret
    service_url: str
    service_timeout_s: float
    service_key: Secret


class Web(NamedTuple):
    """Where browsers reach the server, and the client as which it logs people in. Empty text: no inbox, no links."""

    url: str = ""
    client_id: str = ""
    client_secret: Secret = Secret("")


class Limits(NamedTuple):
    """Requests a minute for each (tenant, subject). An empty `redis_url`: counted in this process only."""

    enabled: bool
    redis_url: Secret
    evaluate_rpm: int
    decide_rpm: int
    create_rpm: int
    read_rpm: int


Audited: TypeAlias = Literal["none", "not_allowed", "all"]
"""Which evaluations of policies leave an entry in the audit log."""


class Audit(NamedTuple):
    """The files of the key that signs checkpoints and of the checkpoints, and the public key as `check` shows it.

    `evaluations` are those of policies that leave an entry.
    """

    key_path: Path | None
    checkpoints_path: Path | None
    public_key: str = ""
    evaluations: Audited = "none"


class Keys(NamedTuple):
    """Where the keys are that sign webhooks. `first` is the version that signs before the first rotation.

    A worker rotates a key that is older than `every_days`; 0: nobody does unless told to.
    """

    backend: str
    path: Path
    first: str
    vault_url: str
    vault_mount: str
    vault_token: Secret
    vault_role: str
    vault_role_secret: Secret
    region: str
    every_days: int = 0


class Backups(NamedTuple):
    """Where backups are kept; None: nobody makes any. `url` reads everything, `restore_url` replaces databases.

    One a day is kept for so many days, one a week for so many weeks. `programs` is the folder of pg_dump, None: found.
    """

    path: Path | None = None
    url: Secret = Secret("")
    restore_url: Secret = Secret("")
    schedule: str = ""
    keep_days: int = 7
    keep_weeks: int = 4
    programs: Path | None = None


class Archiving(NamedTuple):
    """Days after which what is over is archived, and deleted from the archive; 0: never."""

    after_days: int
    keep_days: int


class Settings(NamedTuple):
    """All of it. `hosts` are the names under which the server may be called; empty: any.

    `webhook_hosts` are those that webhooks may lead to wherever they are, and without TLS. `worker_port` is where a
    worker tells its metrics; 0: nowhere. `operating_tenant` is the tenant whose operators may touch what is the
    server's: "" is nobody's as soon as there are two.
    """

    process: Process
    host: str
    port: int
    hosts: tuple[str, ...]
    database: Database
    auth: Auth
    limits: Limits
    audit: Audit
    keys: Keys
    webhook_hosts: tuple[str, ...] = ()
    worker_port: int = 0
    operating_tenant: str = ""
    backups: Backups = Backups()
    web: Web = Web()
    archiving: Archiving = Archiving(0, 0)


CLIENT_VARIABLES = ("AOS_BASE_URL", "AOS_API_KEY", "AOS_DEBUG")
"""Names that start like ours and belong to the command line."""

LISTED = "docs/server.md lists every setting."
"""What mends a wrong environment."""

_NEEDED: dict[Process, tuple[str, ...]] = {
    "dev": (),
    "serve": ("DATABASE_URL", "REDIS_URL"),
    "worker": ("DATABASE_URL", "AOS_AUDIT_KEY_PATH", "AOS_AUDIT_CHECKPOINTS_PATH"),
    "migrate": ("AOS_MIGRATE_DATABASE_URL",),
    "keys": (),
    "backups": ("AOS_BACKUP_PATH",),
    "backup": ("AOS_BACKUP_PATH", "AOS_BACKUP_DATABASE_URL"),
    "restore": ("AOS_BACKUP_PATH", "AOS_RESTORE_DATABASE_URL"),
}
_ROLES_THAT_DECIDE_NOTHING = ("postgres", "aos_owner")


def read(environment: Mapping[str, str], process: Process) -> Settings:
    """The settings of `process`. Raises InputError(invalid_config): everything missing, malformed and unsafe."""
    settings, findings = examine(environment, process)
    if findings:
        raise InputError.of("invalid_config", "environment", findings, fix=LISTED)
    return settings


def examine(environment: Mapping[str, str], process: Process) -> tuple[Settings, list[Finding]]:
    """The same with what is wrong beside them: a setting that no finding points to is good."""
    found = Environment(
        environment, VARIABLES, _NEEDED[process], also=CLIENT_VARIABLES, guarded=process != "dev"
    )
    settings = Settings(
        process,
        found.text("AOS_HOST"),
        found.whole("AOS_PORT", 0, 65_535),
        found.hosts("AOS_HOSTS"),
        _database(found),
        _auth(found, process),
        _limits(found),
        Audit(
            found.path("AOS_AUDIT_KEY_PATH"),
            found.path("AOS_AUDIT_CHECKPOINTS_PATH"),
            found.text("AOS_AUDIT_PUBLIC_KEY"),
            cast(Audited, found.text("AOS_AUDIT_EVALUATIONS")),
        ),
        _keys(found),
        found.hosts("AOS_WEBHOOK_HOSTS"),
        found.whole("AOS_WORKER_PORT", 0, 65_535),
        found.text("AOS_OPERATING_TENANT"),
        _backups(found, process),
        _web(found),
        _archiving(found),
    )
    if not re.fullmatch("[A-Za-z0-9._:@-]{0,64}", settings.operating_tenant):
        found.wrong("AOS_OPERATING_TENANT", "must be 1 to 64 letters, digits and ._:@-")
    if settings.audit.evaluations not in get_args(Audited):
        found.wrong("AOS_AUDIT_EVALUATIONS", f"must be one of {', '.join(get_args(Audited))}")
    _check_listening(found, settings)
    found.hosts("AOS_PLAINTEXT_HOSTS")  # which `found` itself goes by
    found.check_spelling()
    return settings, found.findings


def _database(found: Environment) -> Database:
    url, direct = (found.database(name) for name in ("DATABASE_URL", "AOS_MIGRATE_DATABASE_URL"))
    user = urlsplit(url).username if url else None
    if found.guarded and user in _ROLES_THAT_DECIDE_NOTHING:
        found.unsafe(
            "DATABASE_URL", f'the role "{user}" could alter the audit log; use aos_app or aos_worker'
        )
    return Database(Secret(url), Secret(direct), found.whole("AOS_DATABASE_POOL", 1, 200))


def _auth(found: Environment, process: Process) -> Auth:
    enabled = found.guard("RBAC_ENABLED", "authorization can't be turned off")
    auth = Auth(
        enabled,
        found.service("AOS_OIDC_ISSUER"),
        found.text("AOS_OIDC_AUDIENCE"),
        found.text("AOS_OIDC_CLIENT_ID"),
        Secret(found.text("AOS_OIDC_CLIENT_SECRET")),
        found.service("AUTH_SERVICE_URL"),
        found.seconds("AUTH_SERVICE_TIMEOUT", 30),
        Secret(found.text("AUTH_API_KEY")),
    )
    for one, other in (("ID", "SECRET"), ("SECRET", "ID")):
        if found.has(f"AOS_OIDC_CLIENT_{one}") and not found.has(f"AOS_OIDC_CLIENT_{other}"):
            found.missing(f"AOS_OIDC_CLIENT_{other}", f"without it AOS_OIDC_CLIENT_{one} asks nobody")
    if process == "serve":
        if not found.has("AOS_OIDC_ISSUER") and not found.has("AUTH_SERVICE_URL"):
            found.missing(
                "AOS_OIDC_ISSUER", "nobody could say who a caller is: set it, AUTH_SERVICE_URL, or both"
            )
        if found.has("AOS_OIDC_ISSUER") and not auth.audience:
            found.missing(
                "AOS_OIDC_AUDIENCE", "without it a token meant for another service would be accepted"
            )
        if found.has("AUTH_SERVICE_URL") and not auth.service_key:
            found.missing("AUTH_API_KEY", "the auth service asks for it")
    return auth


def _web(found: Environment) -> Web:
    web = Web(
        found.service("AOS_PUBLIC_URL"),
        found.text("AOS_WEB_CLIENT_ID"),
        Secret(found.text("AOS_WEB_CLIENT_SECRET")),
    )
    url = urlsplit(web.url)
    if url.path or (url.scheme, url.port) in (("https", 443), ("http", 80)):
        found.wrong(
            "AOS_PUBLIC_URL", "must be a scheme and a host, without a path, and a port only if it is another"
        )
    if url.scheme == "http" and not loopback(url.hostname or ""):
        found.unsafe("AOS_PUBLIC_URL", "who listens on the way could take over sessions: use https")
    if web.client_secret and not web.client_id:
        found.missing("AOS_WEB_CLIENT_ID", "without it AOS_WEB_CLIENT_SECRET is of no use")
    for name in ("AOS_PUBLIC_URL", "AOS_OIDC_ISSUER"):
        if web.client_id and not found.has(name):
            found.missing(name, "without it nobody can log in to the inbox")
    return web


def _limits(found: Environment) -> Limits:
    return Limits(
        found.guard("RATE_LIMIT_ENABLED", "rate limits can't be turned off; raise them instead"),
        Secret(found.redis("REDIS_URL")),
        *(
            found.whole(name, 1, 1_000_000)
            for name in (
                "RATE_LIMIT_DEFAULT_RPM",
                "AOS_RATE_DECIDE_RPM",
                "AOS_RATE_CREATE_RPM",
                "AOS_RATE_READ_RPM",
            )
        ),
    )


def _keys(found: Environment) -> Keys:
    keys = Keys(
        found.text("AOS_WEBHOOK_KEYS"),
        found.path("WEBHOOK_KEYS_PATH") or Path(),
        found.text("WEBHOOK_KEY_VERSION"),
        found.service("VAULT_ADDR"),
        found.text("AOS_VAULT_MOUNT").strip("/"),
        Secret(found.text("VAULT_TOKEN")),
        found.text("AOS_VAULT_ROLE_ID"),
        Secret(found.text("AOS_VAULT_SECRET_ID")),
        found.text("AWS_REGION"),
        found.whole("AOS_WEBHOOK_KEY_DAYS", 0, 3650),
    )
    if keys.backend not in ("file", "vault", "ssm"):
        found.wrong("AOS_WEBHOOK_KEYS", "must be file, vault or ssm")
    if not re.fullmatch("v[1-9][0-9]{0,5}", keys.first):
        found.wrong("WEBHOOK_KEY_VERSION", "must be v and a number: v1")
    if keys.backend == "vault":
        if not found.has("VAULT_ADDR"):
            found.missing("VAULT_ADDR", VARIABLES["VAULT_ADDR"].meaning)
        if not keys.vault_token and not (keys.vault_role and keys.vault_role_secret):
            found.missing("VAULT_TOKEN", "set it, or both AOS_VAULT_ROLE_ID and AOS_VAULT_SECRET_ID")
    if keys.backend == "ssm" and not keys.region:
        found.missing("AWS_REGION", VARIABLES["AWS_REGION"].meaning)
    return keys


def _backups(found: Environment, process: Process) -> Backups:
    backups = Backups(
        found.path("AOS_BACKUP_PATH"),
        Secret(found.database("AOS_BACKUP_DATABASE_URL")),
        Secret(found.database("AOS_RESTORE_DATABASE_URL")),
        found.schedule("AOS_BACKUP_SCHEDULE"),
        found.whole("AOS_BACKUP_KEEP_DAYS", 1, 3650),
        found.whole("AOS_BACKUP_KEEP_WEEKS", 0, 520),
        found.path("AOS_BACKUP_PROGRAMS"),
    )
    if process == "worker":
        for one, other in (("PATH", "DATABASE_URL"), ("DATABASE_URL", "PATH")):
            if found.has(f"AOS_BACKUP_{one}") and not found.has(f"AOS_BACKUP_{other}"):
                found.missing(f"AOS_BACKUP_{other}", f"without it AOS_BACKUP_{one} backs nothing up")
    return backups


def _archiving(found: Environment) -> Archiving:
    days = Archiving(
        *(found.whole(name, 0, 36_500) for name in ("AOS_ARCHIVE_DAYS", "AOS_ARCHIVE_KEEP_DAYS"))
    )
    if days.keep_days and not 0 < days.after_days < days.keep_days:
        found.wrong("AOS_ARCHIVE_KEEP_DAYS", "must be more than AOS_ARCHIVE_DAYS, or 0")
    return days


def _check_listening(found: Environment, settings: Settings) -> None:
    if settings.process == "dev" and not loopback(settings.host):
        found.unsafe("AOS_HOST", "the development server listens to this machine only, at 127.0.0.1 or ::1")
    if settings.process == "serve" and not loopback(settings.host) and not settings.hosts:
        found.missing(
            "AOS_HOSTS", "a server that others reach must know its names, to refuse forged Host headers"
        )
    public = urlsplit(settings.web.url).hostname
    if settings.process == "serve" and public and settings.hosts and public not in settings.hosts:
        found.wrong("AOS_PUBLIC_URL", "must have a host that is among AOS_HOSTS")
