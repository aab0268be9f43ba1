"""`aos-server check`."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from typer import Option

from aos.errors import AosError, Exit
from aos.wire.results.documents import envelope
from aos_server.cli.answers import Answer
from aos_server.cli.serving.starting import Seen, look, quiet
from aos_server.settings import Audit, Limits, Settings


class Process(StrEnum):
    """What starts with these settings."""

    SERVE = "serve"
    WORKER = "worker"


def check(
    process: Annotated[Process, Option(help="Whose settings and rights are looked at.")] = Process.SERVE,
) -> Answer:
    """Look whether it could start here: settings, database, schema, rights, keys; Redis, or the audit log.

    For the worker the whole audit log is computed again and held against the signed checkpoints; of backups it is said
    whether they can be made, and whether the last good one is old.
    """
    settings, seen = look(os.environ, process.value)
    with quiet():
        found = _found(settings, seen)
    public = None if found.get("audit key") else _public_key(settings.audit)
    document = {
        **envelope("aos.check/1"),
        "process": process.value,
        "status": "healthy" if not any(found.values()) else "unhealthy",
        "checks": [{"name": name, "ok": not wrong, "detail": wrong or None} for name, wrong in found.items()],
        "audit_public_key": public,
        "backup_path": str(settings.backups.path) if settings.backups.path else None,
    }
    lines = [
        f"{'no' if wrong else 'ok'}  {name}{f': {wrong}' if wrong else ''}" for name, wrong in found.items()
    ]
    lines += [f"--  AOS_AUDIT_PUBLIC_KEY={public}"] if public else []
    if process is Process.WORKER and settings.backups.path is None:
        lines.append("--  no backups: AOS_BACKUP_PATH is not set")
    return Answer(document, "\n".join(lines), _status(found))


def _public_key(audit: Audit) -> str | None:
    """What `serve` needs to check the worker's signatures; None where it is the serving process that is looked at."""
    if audit.key_path is None:
        return audit.public_key or None
    from aos_server.services.audit.checkpoints import signer

    return signer(audit.key_path).verifier


def _status(found: Mapping[str, str]) -> Exit:
    if found.get("audit"):
        return Exit.DAMAGED
    return Exit.NO if any(found.values()) else Exit.YES


def _found(settings: Settings, seen: Seen) -> dict[str, str]:
    """What is wrong, by what was looked at; "" is nothing."""
    import asyncio

    found = {"settings": "", "database": seen.down or seen.schema, "rights": ", ".join(seen.rights)}
    if seen.down:
        del found["rights"]
    found["webhook keys"] = _wrong(_load_keys, settings)
    if settings.process == "serve":
        return found | {"redis": asyncio.run(_redis(settings.limits))}
    from aos_server.services.audit.checkpoints import require_writable, signer

    needed = {
        "audit key": _wrong(signer, settings.audit.key_path),
        "checkpoints": _wrong(require_writable, settings.audit.checkpoints_path),
    }
    found |= needed
    if settings.backups.path:
        found["backups"] = _wrong(_look_at_backups, settings)
    if found["database"] or found["rights"] or any(needed.values()):
        return found
    return found | {"audit": asyncio.run(_audit(settings))}


def _wrong(look: Callable[..., object], *arguments: object) -> str:
    """What stands in the way of `look`, in words; "" is nothing."""
    try:
        look(*arguments)
    except AosError as error:
        return error.detail
    return ""


def _load_keys(settings: Settings) -> None:
    """A server does without a key until the first one is made; a worker does not."""
    from aos_server.keystores import open_backend
    from aos_server.keystores.keyring import Keyring

    try:
        Keyring(open_backend(settings.keys), datetime.now(UTC))
    except AosError as error:
        if error.code != "key_missing" or settings.process == "worker":
            raise


def _look_at_backups(settings: Settings) -> None:
    """Whether one could be made, and the last good one is not old. Before the first one, that is nothing wrong."""
    import asyncio

    from aos_server.services.backups.making import look
    from aos_server.services.backups.orders import OLD_S
    from aos_server.services.backups.site import site

    backups = site(settings)
    asyncio.run(look(backups))
    last = backups.folder.last_good()
    age_s = (datetime.now(UTC) - last).total_seconds() if last else 0.0
    if age_s > OLD_S or (last is None and backups.folder.names()):
        raise AosError(
            "backup_failed", f"the last good one began {age_s / 3600:.0f} h ago" if last else "none is good"
        )


async def _audit(settings: Settings) -> str:
    from aos_server.db.pool import Database
    from aos_server.services.audit.checkpoints import read_notes, signer
    from aos_server.services.audit.log import verify

    key, outside = settings.audit.key_path, settings.audit.checkpoints_path
    assert key is not None
    assert outside is not None
    async with Database.open(settings.database.url, 2, deadline_s=8) as database:
        verified = await verify(database, read_notes(outside), signer(key).public)
    wrong = [damage.detail for damage in verified.damage]
    return "; ".join(wrong[:5]) + (f"; and {len(wrong) - 5:,} more" if len(wrong) > 5 else "")


async def _redis(limits: Limits) -> str:
    from aos_server.limits.rates import Rates

    rates = Rates(limits.redis_url, timeout_s=2)
    await rates.take("read", "", "urn:aos:check", "check")
    degraded = rates.degraded
    await rates.close()
    return "it does not answer" if degraded else ""
