"""A change: read, decide, write. With its audit row, its messages and the answer for its key, or not at all.

    async def revoke(database, caller, key_id, key):
        def decide(now, rows):
            ...                                   # a rule of the domain; AosError refuses and leaves nothing
            return Effect([("keys.revoke", {"id": key_id})], Entry("service_key.revoked", key_id), 200, {})
        return await change(database, caller, [("keys.lock", {"id": key_id})], decide, key)

Two messages to Postgres: BEGIN, the tenant, the key and what is read; then everything that is written, and COMMIT.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID, uuid4

from aos.errors import AosError
from aos.wire.results.documents import headed
from aos_server.db.pool import CommitLost, Database, Row, Statement, Transaction
from aos_server.identity.caller import Caller, Principal
from aos_server.logs import note
from aos_server.services.idempotency import Key

__all__ = ["Decide", "Effect", "Entry", "Given", "Message", "answered", "change", "refused"]

_FIND_OUT_S = 3.0


class Entry(NamedTuple):
    """What the audit log is to say: an action on an object, with details as a JSON object (money as text).

    `by` did it where it was not the caller: a policy, say.
    """

    action: str
    object: str
    details: Mapping[str, Any] = {}
    by: Principal | None = None


class Message(NamedTuple):
    """What somebody is to be told; the outbox delivers it at least once, always with the same id."""

    topic: str
    payload: Mapping[str, Any]


class Effect(NamedTuple):
    """What a decision leaves behind. Each statement also gets `audit_id`, for the row to hold.

    `further` entries tell what else happened with it. A `refusal` is raised once all of this is committed, so that what
    is refused is audited; the key is free again then, as after any refusal.
    """

    statements: Sequence[Statement]
    entry: Entry
    status: int
    body: Mapping[str, Any]
    messages: Sequence[Message] = ()
    further: Sequence[Entry] = ()
    refusal: AosError | None = None


def refused(entry: Entry, error: AosError, statements: Sequence[Statement] = ()) -> Effect:
    """The effect of a refusal: an entry that tells of it. Where `statements` happen all the same, it tells of these."""
    told = {**entry.details, "code": error.code}
    return Effect(statements, entry._replace(details=told), error.row.status, {}, refusal=error)


class Given(NamedTuple):
    """The answer; `again` where it is the one that was given before."""

    status: int
    body: Mapping[str, Any]
    again: bool = False


Decide: TypeAlias = Callable[[datetime, Sequence[Sequence[Row]]], Effect]
"""From the transaction's instant and the rows of each statement to an effect. Raises AosError: nothing is changed."""


async def change(
    database: Database, caller: Caller, reads: Sequence[Statement], decide: Decide, key: Key | None = None
) -> Given:
    """Carry out what `decide` says, once per `key`.

    `reads` are statements that return rows, even if none. Raises what `decide` raises, and AosError:
    idempotency_mismatch, request_in_progress, unavailable. Where the connection is lost at COMMIT, it finds out whether
    the change was made; only if it can't, the error's effect is "unknown".
    """
    audit_id = uuid4()
    given: Given | None = None
    refusal: AosError | None = None
    try:
        async with database.transaction(caller.tenant) as transaction:
            now, rows = await transaction.begun(*_claim(caller, key), *reads)
            if key is not None and not rows.pop(0):
                return await _before(transaction, caller, key)
            effect = decide(now, rows)
            given, refusal = Given(effect.status, effect.body), effect.refusal
            await _write(transaction, caller, effect, audit_id, key)
    except CommitLost as lost:
        if given is None or not await _was_committed(database, caller, lost, audit_id):
            raise AosError(
                "unavailable", "the connection to the database was lost", retry_after_s=2
            ) from lost
    assert given is not None
    note(audit=str(audit_id))
    if refusal is not None:
        raise refusal
    return given


async def answered(database: Database, caller: Caller, key: Key | None) -> Given | None:
    """What was answered to the key before. For whoever has a lot to compute first: `change` makes sure in any case."""
    if key is None:
        return None
    async with database.transaction(caller.tenant) as transaction:
        found = await transaction.one("idempotency.get", **_who(caller.principal), key=key.text)
    return None if found is None else _given(found, key)


def _who(principal: Principal) -> dict[str, str]:
    return {"issuer": principal.issuer, "subject": principal.subject}


def _claim(caller: Caller, key: Key | None) -> list[Statement]:
    if key is None:
        return []
    return [("idempotency.claim", {**_who(caller.principal), "key": key.text, "digest": key.digest})]


async def _before(transaction: Transaction, caller: Caller, key: Key) -> Given:
    """The answer that was given to the key's first request."""
    found = await transaction.one("idempotency.get", **_who(caller.principal), key=key.text)
    if found is None:  # forgotten since it was in the way, a moment ago
        raise AosError("request_in_progress", "the key is being forgotten", retry_after_s=1)
    return _given(found, key)


def _given(found: Row, key: Key) -> Given:
    if found["request_digest"] != key.digest:
        raise AosError("idempotency_mismatch", "this Idempotency-Key was used for another request")
    return Given(found["status"], headed(found["answer"]), again=True)


async def _write(
    transaction: Transaction, caller: Caller, effect: Effect, audit_id: UUID, key: Key | None
) -> None:
    for name, values in effect.statements:
        await transaction.send(name, **{**values, "audit_id": audit_id})
    entry = effect.entry
    await transaction.send(
        "audit.end",
        id=audit_id,
        **_who(entry.by or caller.principal),
        action=entry.action,
        object=entry.object,
        details=dict(entry.details),
        topics=[message.topic for message in effect.messages],
        payloads={"all": [dict(message.payload) for message in effect.messages]},
        key=key and key.text,
        status=effect.status,
        answer=dict(effect.body),
    )
    for entry in effect.further:
        told = {"action": entry.action, "object": entry.object, "details": dict(entry.details)}
        await transaction.send("audit.append", id=uuid4(), **_who(entry.by or caller.principal), **told)
    if key is not None and effect.refusal:
        await transaction.send("idempotency.release", **_who(caller.principal), key=key.text)


async def _was_committed(database: Database, caller: Caller, lost: CommitLost, audit_id: UUID) -> bool:
    """Whether the audit row is there, once the transaction is over. Raises `lost` where nobody can say in time."""
    assert lost.transaction_id is not None
    deadline = asyncio.get_running_loop().time() + _FIND_OUT_S
    while asyncio.get_running_loop().time() < deadline:
        try:
            if await database.ended(lost.transaction_id):
                async with database.transaction(caller.tenant) as transaction:
                    return await transaction.one("audit.exists", id=audit_id) is not None
        except AosError:
            pass
        await asyncio.sleep(0.1)
    raise lost
