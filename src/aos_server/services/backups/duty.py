"""What a worker does about backups: those that are due or were asked for, what is no longer needed, what there is."""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from math import nan
from typing import NamedTuple

from croniter import croniter

from aos.errors import AosError
from aos_server.db.pool import Database, Row
from aos_server.identity.caller import Caller, Principal
from aos_server.metrics import BACKUP_ATTEMPTED, BACKUP_BYTES, BACKUP_GOOD, BACKUP_SECONDS
from aos_server.services.backups.documents import line, shown
from aos_server.services.backups.folder import Found
from aos_server.services.backups.making import create, verify
from aos_server.services.backups.manifest import Manifest
from aos_server.services.backups.retention import Rule, prune
from aos_server.services.backups.site import Site, site
from aos_server.services.changes import Effect, Entry, change
from aos_server.settings import Settings

__all__ = ["Duty", "asked", "duty_of", "see"]

SERVER = Principal("urn:aos:server", "backups")
HOME = "default"
"""The tenant whose part of the audit log tells what the server does by itself, where none is named as operating."""


_log = logging.getLogger(__name__)


class Duty(NamedTuple):
    """A site, a line of crontab by which a backup is due, and which are kept. `home` is the operating tenant."""

    site: Site
    schedule: str
    rule: Rule
    home: str

    async def act(self, database: Database) -> int:
        """Do what was asked for, then what is due; how much it was. Raises AosError where it could not be made."""
        done = 0
        for order in await _open(database):
            await self._carry_out(database, order)
            done += 1
        if self._is_due(datetime.now(UTC)):
            await self._back_up(database)
            done += 1
        if done:
            await asyncio.to_thread(self._prune)
            await see(self, database)
        return done

    def _prune(self) -> None:
        try:
            prune(self.site.folder, self.rule, datetime.now(UTC), dry_run=False)
        except AosError as error:
            if error.code != "backup_running":  # else the next one does it
                raise

    def _is_due(self, now: datetime) -> bool:
        """Whether there is no good one since it was last due."""
        last: datetime = croniter(self.schedule, now).get_prev(datetime)
        return not any(one.is_good and one.started_at >= last for one in self.site.folder.every())

    async def _back_up(self, database: Database) -> None:
        try:
            made = await create(self.site)
        except AosError as error:
            BACKUP_ATTEMPTED.labels("failed").set(time.time())
            await _tell(database, self.home or HOME, Entry("backup.failed", "backup", {"code": error.code}))
            raise
        await _tell(database, self.home or HOME, _entry("created", made))
        if made.state == "bad":
            raise AosError(
                "backup_damaged", f"{made.name}: {'; '.join(made.trial.wrong[:3]) if made.trial else ''}"
            )

    async def _carry_out(self, database: Database, order: Row) -> None:
        """Whoever was cut off amid it may have made it already: then it is tried.

        Another worker that holds itself for the one that does this waits for the folder's lock, and comes again.
        """
        name = order["backup"]
        there = name in self.site.folder.names()
        try:
            made = await (
                create(self.site, name)
                if order["action"] == "create" and not there
                else verify(self.site, name)
            )
        except AosError as error:
            if error.code == "backup_running":
                raise
            BACKUP_ATTEMPTED.labels("failed").set(time.time())
            await _end(database, order, Entry("backup.failed", name, {"code": error.code}), error)
            return
        await _end(database, order, _entry("created" if order["action"] == "create" else "verified", made))


class _Ended(Exception):
    """Somebody else has ended it."""


def duty_of(settings: Settings) -> Duty | None:
    """That of a worker with these settings; None where nobody backs up. Raises AosError(unsafe_setting)."""
    kept = settings.backups
    if kept.path is None:
        return None
    return Duty(
        site(settings), kept.schedule, Rule(kept.keep_days, kept.keep_weeks), settings.operating_tenant
    )


async def asked(database: Database) -> bool:
    """Whether somebody has asked for something that has not ended."""
    return bool(await _open(database))


async def see(duty: Duty, database: Database) -> int:
    """Look into the folder, and leave what is there for the server and for Prometheus."""
    found = await asyncio.to_thread(duty.site.folder.every)
    backups = [{**line(one), **(_inside(one.manifest) if one.manifest else {})} for one in found]
    async with database.transaction() as transaction:
        await transaction.send("orders.see", backups={"all": backups})
    _measure(found)
    return 0


def _inside(manifest: Manifest) -> dict[str, object]:
    document = shown(manifest)
    return {key: document[key] for key in ("sha256", "audit", "tables")}


def _measure(found: Sequence[Found]) -> None:
    tried = [one.manifest for one in found if one.manifest is not None and one.manifest.trial is not None]
    for state in ("good", "bad"):
        of_state = [one.started_at.timestamp() for one in tried if one.state == state]
        BACKUP_ATTEMPTED.labels(state).set(max(of_state, default=nan))
    good = [one for one in tried if one.state == "good"]
    last = good[-1] if good else None
    BACKUP_GOOD.set(last.started_at.timestamp() if last else nan)
    BACKUP_BYTES.set(last.size if last else nan)
    took = (
        (last.ended_at - last.started_at).total_seconds() + last.trial.seconds if last and last.trial else nan
    )
    BACKUP_SECONDS.set(took)


def _entry(what: str, made: Manifest) -> Entry:
    """With what a backup can be known again by: the audit log then vouches for it."""
    tree = {"audit_size": made.content.tree_size, "audit_root": made.content.tree_root}
    return Entry(f"backup.{what}", made.name, {"state": made.state, "sha256": made.sha256, **tree})


async def _open(database: Database) -> list[Row]:
    (rows,) = await database.read(("orders.open", {}))
    return rows


async def _tell(database: Database, home: str, entry: Entry) -> None:
    await change(database, Caller(SERVER, home, "machine"), [], lambda now, rows: Effect([], entry, 200, {}))


async def _end(database: Database, order: Row, entry: Entry, error: AosError | None = None) -> None:
    """End an order, once: another worker may have ended it meanwhile.

    Why it failed is said in the words of the code: its own may have paths and roles in them, and go to the log.
    """
    if error:
        _log.warning("backups: %s: %s", error.code, error.detail)
    ended = {"id": order["id"], "code": error and error.code, "detail": error and error.row.title}

    def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
        if not rows[0]:
            raise _Ended
        return Effect([("orders.end", ended)], entry, 200, {})

    caller = Caller(SERVER, order["asked_in"], "machine")
    with suppress(_Ended):
        await change(database, caller, [("orders.take", {"id": order["id"]})], decide)
