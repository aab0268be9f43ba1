"""The keys that sign webhooks, as people who operate a server see and change them.

Keys are kept elsewhere, so no transaction holds both a change of them and its audit row. The intent is committed first,
which is the lock between processes, too; then the keys are changed; then what became of it is committed. A change that
was cut off in between stays open: it is looked up in the keystore, and told, before the next one or by a worker.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVar
from uuid import UUID, uuid4

from aos.errors import AosError
from aos.wire.results.documents import Document
from aos_server.db.pool import Database, Row, Statement
from aos_server.identity.caller import Caller, Principal
from aos_server.keystores import documents
from aos_server.keystores.backend import Backend
from aos_server.keystores.changes import Change, carry_out, load, retire, rotate
from aos_server.keystores.check import Finding, check
from aos_server.keystores.keyset import MAX_OVERLAP
from aos_server.metrics import KEY_ROTATIONS
from aos_server.services.changes import Effect, Entry, Message, change
from aos_server.services.webhooks import rehearsals

__all__ = ["ABANDONED_S", "SERVER", "KeyService", "find_abandoned"]

ABANDONED_S = 180.0
"""After so long nobody carries a change out any more: the keystore is asked at most six times, 24 s each."""

SERVER = Principal("urn:aos:server", "keys")
HOME = "default"
"""The tenant whose part of the audit log tells what the server does by itself, where none is named as operating."""

Action = Literal["rotation", "retirement"]
_DONE = {"rotation": "webhook_key.rotated", "retirement": "webhook_key.retired"}
_log = logging.getLogger(__name__)

T = TypeVar("T")


class Begun(NamedTuple):
    """A change whose intent is committed."""

    id: UUID
    caller: Caller
    action: Action
    version: str
    change: Change


class KeyService:
    """The keys in `backend`. Nothing here gives or keeps a key itself. `home` is the operating tenant."""

    def __init__(self, database: Database, backend: Backend, home: str = "") -> None:
        self._database = database
        self._backend = backend
        self._home = home or HOME
        self._under_way: set[asyncio.Task[None]] = set()

    async def list(self) -> Document:
        """The document `aos.keys/1`. Raises AosError where the keystore can't be asked; so do all the others."""
        return await _asked(documents.listed, self._backend, _now())

    async def show(self, version: str) -> Document:
        """The document `aos.key/1`. Raises AosError(key_not_found)."""
        return await _asked(documents.shown, self._backend, version, _now())

    async def verify(self) -> Document:
        """The document `aos.keys-check/1`: the keys themselves, and changes that were cut off."""
        found = await _asked(check, self._backend, _now())
        if row := await _open(self._database):
            since = f"{row['action']} of {row['version']} began {row['age_s']:.0f} s ago and has not ended"
            found.append(Finding("changes", since if row["age_s"] > ABANDONED_S else ""))
        return documents.check_document(self._backend, found)

    async def rotate(self, caller: Caller, overlap: timedelta, dry_run: bool) -> Document:
        """The document `aos.keys-change/1` of a rotation. Raises AosError: bad_value, keys_conflict."""
        now = _now()
        planned = await _asked(rotate, self._backend, now, overlap)
        assert planned.adds is not None
        return await self._change(caller, "rotation", planned.adds, planned, now, dry_run)

    async def rotate_due(self, every: timedelta) -> int:
        """Rotate, as the server itself, a key that is older than `every`, or whose age nobody knows; how many it were.

        Receivers get as long as there may be to take over the new secret: half of `every`, at most 7 days.
        """
        keys, _ = await _asked(load, self._backend)
        now = _now()
        live = keys.live(now)
        if len(live) != 1 or (live[0].created_at is not None and now - live[0].created_at < every):
            return 0
        caller = Caller(SERVER, self._home, "machine")
        try:
            await self.rotate(caller, min(every / 2, MAX_OVERLAP), dry_run=False)
        except AosError as error:
            if error.code != "keys_conflict":  # else another worker was first
                raise
            return 0
        return 1

    async def retire(self, caller: Caller, version: str, confirm: str, dry_run: bool) -> Document:
        """The document `aos.keys-change/1` of a retirement.

        While the key still signs, every webhook must have accepted the current one, or `confirm` be its name. Raises
        AosError: key_not_found, keys_conflict, keys_not_accepted.
        """
        now = _now()
        planned = await _asked(retire, self._backend, version, now, version)
        signs = version in [one.name for one in planned.before.live(now)]
        if signs and confirm != version:
            current = planned.before.live(now)[0].name
            rows = await rehearsals.standing(self._database, caller, current)
            rehearsals.require_accepted(rows, caller.tenant, current, version)
        return await self._change(caller, "retirement", version, planned, now, dry_run)

    async def rehearse(self, caller: Caller) -> Document:
        """Send every webhook a message that the current key alone signs; the document `aos.key-rehearsal/1`."""
        version = await self._current()
        await rehearsals.begin(self._database, caller, version)
        return await rehearsals.report(self._database, caller, version)

    async def rehearsal(self, caller: Caller) -> Document:
        """What became of that: the document `aos.key-rehearsal/1`."""
        return await rehearsals.report(self._database, caller, await self._current())

    async def _current(self) -> str:
        keys, _ = await _asked(load, self._backend)
        live = keys.live(_now())
        if not live:
            raise AosError("key_missing", "there is no key yet")
        return live[0].name

    async def _change(
        self, caller: Caller, action: Action, version: str, planned: Change, now: datetime, dry_run: bool
    ) -> Document:
        document = await _asked(documents.foretold, self._backend, planned, now, dry_run)
        if not dry_run:
            begun = Begun(uuid4(), caller, action, version, planned)
            # Whoever asked may go away or wait no longer: what has begun is brought to its end all the same.
            task = asyncio.create_task(self._carry_out(begun))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            await asyncio.shield(task)
        return document

    async def _begin(self, begun: Begun) -> None:
        """Commit the intent. Raises AosError(keys_conflict) while another change is under way."""

        def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
            ours, (under_way, *_) = rows
            if not ours:
                raise AosError(
                    "keys_conflict",
                    f"a {under_way['action']} of {under_way['version']} is under way",
                    fix=f"Ask again; one that was cut off is looked up after {ABANDONED_S:g} s.",
                )
            entry = Entry(f"webhook_key.{begun.action}_begun", begun.version, {"change_id": str(begun.id)})
            return Effect([], entry, 200, {})

        await find_abandoned(self._database, self._backend)
        intent = {"id": begun.id, "action": begun.action, "version": begun.version}
        reads: list[Statement] = [("rotations.begin", intent), ("rotations.open", {})]
        await change(self._database, begun.caller, reads, decide)

    async def _carry_out(self, begun: Begun) -> None:
        await self._begin(begun)
        try:
            await _asked(carry_out, self._backend, begun.change)
        except AosError as error:
            self._count(begun, "failed")
            told = {"committed": _DONE[begun.action], "none": f"webhook_key.{begun.action}_failed"}
            known = "unknown" if error.code == "keys_unknown" else error.effect
            if known in told:  # what nobody knows stays open until the keystore says how it ended
                await self._tell(
                    begun, Entry(told[known], begun.version, {"code": error.code}), known == "committed"
                )
            raise
        self._count(begun, "done")
        await self._tell(begun, Entry(_DONE[begun.action], begun.version), True)

    @staticmethod
    def _count(begun: Begun, result: str) -> None:
        if begun.action == "rotation":
            KEY_ROTATIONS.labels(result).inc()

    async def _tell(self, begun: Begun, entry: Entry, done: bool) -> None:
        """Commit what became of it. Where the database is gone the keys are changed all the same, and found later."""
        try:
            await _ended(self._database, begun.caller, begun.id, entry, _DONE[begun.action] if done else None)
        except AosError as error:
            _log.warning("keys: %s was not written down yet: %s", entry.action, error.detail)


async def find_abandoned(database: Database, backend: Backend) -> int:
    """Look up how a change ended whose process is gone, and tell it; how many it were, 0 or 1."""
    row = await _open(database)
    if row is None or row["age_s"] <= ABANDONED_S:
        return 0
    keys, _ = await _asked(load, backend)
    there = keys.get(row["version"]) is not None
    done = there if row["action"] == "rotation" else not there
    _log.warning(
        "keys: a %s of %s was cut off; it was %s",
        row["action"],
        row["version"],
        "done" if done else "not done",
    )
    entry = Entry(
        f"webhook_key.{row['action']}_found", row["version"], {"change_id": str(row["id"]), "done": done}
    )
    topic = _DONE[row["action"]] if done else None
    await _ended(database, Caller(SERVER, row["asked_in"], "machine"), row["id"], entry, topic, found=True)
    return 1


class _Told(Exception):
    """Somebody else has told it."""


async def _ended(
    database: Database,
    caller: Caller,
    change_id: UUID,
    entry: Entry,
    topic: str | None,
    *,
    found: bool = False,
) -> None:
    """End the change with the entry that tells how. What was only found is told once.

    Where it was done, a message on `topic` tells every tenant: receivers have new secrets.
    """

    def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
        if found and not rows[0]:
            raise _Told
        told: dict[str, Any] = {"change_id": str(change_id), **entry.details}
        statements: list[Statement] = [("rotations.end", {"id": change_id})]
        messages = []
        if topic is not None:
            message = Message(topic, {"version": entry.object})
            messages.append(message)
            statements.append(("rotations.tell_others", message._asdict()))
        return Effect(statements, entry._replace(details=told), 200, {}, messages)

    with suppress(_Told):
        await change(database, caller, [("rotations.lock", {"id": change_id})], decide)


async def _open(database: Database) -> Row | None:
    async with database.transaction() as transaction:
        return await transaction.one("rotations.open")


async def _asked(act: Callable[..., T], *arguments: object) -> T:
    """Ask the keystore, in a thread: it may be a while until it answers."""
    return await asyncio.to_thread(partial(act, *arguments))


def _now() -> datetime:
    return datetime.now(UTC)
