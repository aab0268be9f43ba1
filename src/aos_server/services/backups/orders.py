"""Backups over the API: what is asked for is a row that a worker takes, what there is a copy of what a worker saw.

The server sees no backup itself, and has no right to: it answers requests of people of one tenant each.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import uuid4

from aos.errors import AosError
from aos.wire.results.documents import Document, envelope
from aos_server.db.pool import Database, Row, Statement
from aos_server.identity.caller import Caller
from aos_server.services.backups.folder import NAME, new_name
from aos_server.services.backups.manifest import stamp
from aos_server.services.changes import Effect, Entry, Given, change
from aos_server.services.idempotency import Key

__all__ = ["Action", "Orders", "lately"]

Action: TypeAlias = Literal["create", "verify"]

GONE_S = 300.0
"""A worker looks into the folder each half minute; after so long there is none that does."""
OLD_S = 26 * 3600.0
"""A good backup is old then: it is made each day, and a trial takes its time."""
_UNKNOWN = ("ended_at", "verified_at", "bytes", "schema_revision", "postgres")


class Orders:
    """Of whoever may touch what is the server's: the gate asks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, caller: Caller) -> Document:
        """The document `aos.backups/1`, newest first."""
        backups, orders, seen_at = await self._known(caller)
        lines = [
            _line(name, backups.get(name), orders.get(name))
            for name in sorted({*backups, *orders}, reverse=True)
        ]
        good = next((one["name"] for one in lines if one["state"] == "good"), None)
        return {**envelope("aos.backups/1"), "backups": lines, "last_good": good, "seen_at": seen_at}

    async def show(self, caller: Caller, name: str) -> Document:
        """The document `aos.backup/1`. Raises AosError(backup_not_found)."""
        backups, orders, _ = await self._known(caller)
        if name not in backups and name not in orders:
            raise _unknown(name)
        return _document(name, backups.get(name), orders.get(name))

    async def create(self, caller: Caller, key: Key | None) -> Given:
        """Ask for a backup; it is made and tried by a worker. Raises AosError: backup_running, unavailable."""
        return await self._ask(caller, "create", None, key)

    async def verify(self, caller: Caller, name: str, key: Key | None) -> Given:
        """Ask for a trial of one. Raises AosError: backup_not_found, backup_running, unavailable."""
        return await self._ask(caller, "verify", name, key)

    async def _ask(self, caller: Caller, action: Action, name: str | None, key: Key | None) -> Given:
        def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
            _, under_way, folder = rows
            if not folder or folder[0]["age_s"] > GONE_S:
                raise AosError(
                    "unavailable",
                    "no worker looks after backups",
                    fix="Set AOS_BACKUP_PATH and AOS_BACKUP_DATABASE_URL of a worker, and see that it runs.",
                    retry_after_s=60,
                )
            backups = {one["name"]: one for one in folder[0]["backups"]}
            if name is not None and name not in backups:
                raise _unknown(name)
            if under_way:
                raise _running(under_way[0])
            chosen = name or new_name(now)
            order = {"action": action, "asked_at": now, "ended_at": None, "code": None, "detail": None}
            entry = Entry(f"backup.{action}_asked", chosen)
            told = _document(chosen, backups.get(chosen), order)
            return Effect(
                [("orders.ask", {"id": uuid4(), "action": action, "backup": chosen})], entry, 202, told
            )

        reads: list[Statement] = [("orders.lock", {}), ("orders.open", {}), ("orders.folder", {})]
        return await change(self._database, caller, reads, decide, key)

    async def _known(self, caller: Caller) -> tuple[dict[str, Row], dict[str, Row], str | None]:
        """What a worker saw by name, the newest order by name, and when that was seen."""
        folder, orders = await self._database.read(
            ("orders.folder", {}), ("orders.newest", {}), tenant=caller.tenant
        )
        backups = {one["name"]: one for one in folder[0]["backups"]} if folder else {}
        return (
            backups,
            {row["backup"]: row for row in orders},
            stamp(folder[0]["seen_at"]) if folder else None,
        )


async def lately(database: Database) -> bool | None:
    """Whether there is a good backup that is not old, and a worker that looks; None where nobody ever backed up."""
    (folder,) = await database.read(("orders.folder", {}))
    if not folder:
        return None
    good = [one["started_at"] for one in folder[0]["backups"] if one["state"] == "good"]
    if not good or folder[0]["age_s"] > GONE_S:
        return False
    age = folder[0]["seen_at"] - datetime.fromisoformat(max(good))
    return bool(age.total_seconds() + folder[0]["age_s"] < OLD_S)


def _unknown(name: str) -> AosError:
    known = name if NAME.fullmatch(name) else "that name"
    return AosError(
        "backup_not_found", f"there is no backup {known}", fix="`aos backup list` shows those there are."
    )


def _running(order: Row) -> AosError:
    what = "making" if order["action"] == "create" else "verifying"
    since = f"asked for at {stamp(order['asked_at'])}"
    return AosError("backup_running", f"{what} {order['backup']}, {since}, has not ended", retry_after_s=60)


def _line(name: str, backup: Row | None, order: Row | None) -> dict[str, Any]:
    """One in short. What was asked for and is not there yet waits, or has failed."""
    if backup is not None:
        return {key: value for key, value in backup.items() if key not in ("sha256", "audit", "tables")}
    assert order is not None
    state, wrong = (
        ("waiting", []) if order["ended_at"] is None else ("failed", [order["detail"] or "it is gone"])
    )
    nothing = dict.fromkeys(_UNKNOWN)
    return {"name": name, "state": state, "wrong": wrong, "started_at": stamp(order["asked_at"]), **nothing}


def _document(name: str, backup: Row | None, order: Mapping[str, Any] | None) -> Document:
    known = backup or {}
    return {
        **envelope("aos.backup/1"),
        **_line(name, backup, order),
        **{key: known.get(key) for key in ("sha256", "audit", "tables")},
        "order": order
        and {
            "action": order["action"],
            "asked_at": stamp(order["asked_at"]),
            "ended_at": order["ended_at"] and stamp(order["ended_at"]),
            "code": order["code"],
            "detail": order["detail"],
        },
    }
