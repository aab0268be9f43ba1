"""Whether a process can start here: one look, which `check` tells of and `serve` obeys."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from aos.errors import AosError, Finding, InputError
from aos_server.settings import LISTED, Secret, Settings, examine

if TYPE_CHECKING:
    from aos_server.db.pool import Work

__all__ = ["Seen", "fit", "look", "quiet"]

LOOK_S = 3.0
"""What a look at a database that hangs may take, after the 2 s that a connection may take."""

_MEANWHILE: "Mapping[Work, str]" = {"serve": "requests get 503", "worker": "all work waits"}

_log = logging.getLogger(__name__)


class Seen(NamedTuple):
    """What is wrong with the database: it does not answer, its schema is another, the role may do too much."""

    down: str = ""
    schema: str = ""
    rights: tuple[str, ...] = ()

    @property
    def findings(self) -> list[Finding]:
        """What a server must not start with. A database that is down is none of it: it will be back."""
        schema = [Finding("/DATABASE_URL", "schema_outdated", self.schema)] if self.schema else []
        return schema + [
            Finding("/DATABASE_URL", "unsafe_setting", f"DATABASE_URL: the role {right}; use one of our own")
            for right in self.rights
        ]


def fit(environment: Mapping[str, str], process: "Work", *, waits: bool = True) -> Settings:
    """The settings of a process that may start. Raises InputError with all that speaks against it.

    Where the database does not answer it may: a server that is restarted in an outage has to be there after it. What
    `waits` for nothing does not start then, either: AosError(unavailable).
    """
    settings, seen = look(environment, process)
    if seen.findings:
        raise InputError.of(seen.findings[0].code, "database", seen.findings)
    if seen.down and not waits:
        raise AosError("unavailable", seen.down)
    if seen.down:
        _log.warning("%s; until it answers, %s", seen.down, _MEANWHILE[process])
    return settings


def look(environment: Mapping[str, str], process: "Work") -> tuple[Settings, Seen]:
    """Settings and database, in 5 seconds at most. Raises InputError(invalid_config) where a setting is wrong.

    The database is looked at all the same where its address is good, so that everything is said at once.
    """
    import asyncio

    settings, findings = examine(environment, process)
    findings += _unreadable(settings.audit.public_key)
    named = settings.database.url and not any(found.pointer == "/DATABASE_URL" for found in findings)
    seen = Seen()
    try:
        with quiet():
            seen = asyncio.run(_seen(settings.database.url, process)) if named else seen
    except InputError as error:
        findings += error.findings
    if findings:
        raise InputError.of("invalid_config", "environment", [*findings, *seen.findings], fix=LISTED)
    return settings, seen


def _unreadable(public_key: str) -> list[Finding]:
    if not public_key:
        return []
    from aos_server.services.audit.checkpoints import verifier

    try:
        verifier(public_key)
        return []
    except AosError as error:
        return [Finding("/AOS_AUDIT_PUBLIC_KEY", "bad_value", error.detail)]


@contextmanager
def quiet() -> Iterator[None]:
    """The answer says what is wrong, once and without addresses; those who connect would say it again and again."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


async def _seen(url: Secret, work: "Work") -> Seen:
    from aos_server.db.pool import Database, knock

    rights: tuple[str, ...] = ()
    try:
        await knock(url)
    except InputError:
        raise
    except AosError as error:
        return Seen(down=error.detail)
    async with Database.open(url, 1, deadline_s=LOOK_S) as database:
        try:
            rights = tuple(await database.excess(work))
            await database.ready()
        except AosError as error:
            if error.code == "schema_outdated":
                return Seen(schema=error.detail, rights=rights)
            return Seen(down=error.detail)
    return Seen(rights=rights)
