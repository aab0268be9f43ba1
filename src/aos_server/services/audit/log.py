"""The audit log: rows that nobody changes, a Merkle tree over them, and what shows that somebody changed them anyway.

`changes` writes the rows. A worker puts them into the tree in the order in which they came and signs its size and root;
the signed statements go to a file outside the database. `verify` computes everything again from the rows.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from aos.domain.merkle import grown, leaf_hash, proof_by_blocks, root, root_of_peaks
from aos.errors import AosError
from aos.wire.digests import canonical
from aos_server.db.pool import Database, Row, Transaction
from aos_server.metrics import AUDIT_SOUND
from aos_server.services.audit.checkpoints import Checkpoint, Signer, append, newest, opened
from aos_server.services.pages import Place, before, cut

__all__ = [
    "Damage",
    "Log",
    "Roots",
    "Shown",
    "Verified",
    "entry",
    "page",
    "sequence",
    "show",
    "unknown",
    "verify",
    "verify_own",
]

BATCH = 500
BLOCK = 1024
"""How many leaves have a root that is remembered."""
AT_ONCE = 8
"""So many blocks are read in one transaction."""


class Shown(NamedTuple):
    """A row; with its place, the proof of it and the checkpoint it is proved against, once a worker has placed it."""

    entry: dict[str, Any]
    position: int | None = None
    proof: Sequence[bytes] = ()
    checkpoint: str | None = None


class Damage(NamedTuple):
    """What is wrong: from which position on in the tree (None: of a row that is in no tree), in words."""

    position: int | None
    detail: str


class Verified(NamedTuple):
    """The tree's size, how many rows were hashed again, how many signed checkpoints they bore out, what is wrong.

    `root` is the one that was computed; b"" where the tree is empty.
    """

    size: int
    rows: int
    checkpoints: int
    damage: Sequence[Damage]
    root: bytes = b""


class Log(NamedTuple):
    """Where the log is, and what signs its checkpoints; `public` None: nobody told, and no signature is checked."""

    database: Database
    public: Ed25519PublicKey | None = None


def entry(row: Row) -> dict[str, Any]:
    """A row as the JSON object that is shown and hashed."""
    at = row["at"].astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    names = ("tenant_id", "issuer", "subject", "action", "object", "details")
    return {"id": str(row["id"]), "at": at, **{name: row[name] for name in names}}


async def page(
    database: Database,
    tenant: str,
    *,
    limit: int = 50,
    after: Place | None = None,
    about: str | None = None,
) -> tuple[list[dict[str, Any]], Place | None]:
    """A page of a tenant's rows, after the one named; `about` keeps those on one object."""
    async with database.transaction(tenant) as transaction:
        rows = await transaction.all("audit.page", object=about, **before(after, limit))
    shown, following = cut(rows, limit, "at")
    return [entry(row) for row in shown], following


class Roots:
    """Roots of the tree's full blocks. Leaves never change, so each is computed once, and a proof needs one block."""

    def __init__(self) -> None:
        self._full: list[bytes] = []

    async def of(self, database: Database, size: int) -> list[bytes]:
        """Those of the first `size` leaves, and the one of what is left over. Raises AosError(audit_damaged)."""
        blocks = size // BLOCK
        while (known := len(self._full)) < blocks:
            end = min(blocks, known + AT_ONCE)
            leaves = await _hashes(database, known * BLOCK, end * BLOCK)
            found = [root(leaves[start : start + BLOCK]) for start in range(0, len(leaves), BLOCK)]
            self._full[known:end] = found  # who was asked at the same time has found the same
        rest = await _hashes(database, blocks * BLOCK, size)
        return [*self._full[:blocks], *([root(rest)] if rest else [])]


async def _hashes(database: Database, start: int, end: int) -> list[bytes]:
    (rows,) = await database.read(("audit.hashes", {"start": start, "end": end}))
    if len(rows) != end - start:
        raise AosError("audit_damaged", f"of the leaves {start:,} to {end:,} some are gone")
    return [bytes(row["hash"]) for row in rows]


async def show(database: Database, roots: Roots, tenant: str, row_id: UUID) -> Shown:
    """One row with its proof. Raises AosError: not_found, audit_damaged."""
    async with database.transaction(tenant) as transaction:
        (row,), latest = await _row_and_latest(transaction, row_id)
    if row["position"] is None or not latest or latest[0]["size"] <= row["position"]:
        return Shown(entry(row))
    size, position = latest[0]["size"], row["position"]
    start = position // BLOCK * BLOCK
    leaves = await _hashes(database, start, min(start + BLOCK, size))
    path = proof_by_blocks(await roots.of(database, size), leaves, position, BLOCK)
    return Shown(entry(row), position, path, latest[0]["note"])


async def _row_and_latest(transaction: Transaction, row_id: UUID) -> tuple[list[Row], list[Row]]:
    rows, latest = await transaction.many([("audit.show", {"id": row_id}), ("audit.latest", {})])
    if not rows:
        raise unknown()
    return rows, latest


def unknown() -> AosError:
    """The refusal of an entry that is not there, or another tenant's."""
    return AosError("not_found", "no such entry", fix="`aos audit list` shows those there are.")


# -- the tree ----------------------------------------------------------------------------------------------------------


async def sequence(database: Database, signer: Signer, outside: Path) -> int:
    """Put rows that wait into the tree and sign it; returns how many. 0 also where another worker is at it.

    Raises AosError(audit_damaged) where the file outside knows more than the database, or something else: then nothing
    is signed any more until a person has looked.
    """
    known = newest(outside, signer.public)
    async with database.transaction() as transaction:
        (held,), latest, waiting = await transaction.many(
            [("audit.lock", {}), ("audit.latest", {}), ("audit.pending", {"limit": BATCH})]
        )
        if not held["held"]:
            return 0
        here = latest[0] if latest else {"size": 0, "root": b"", "peaks": [], "note": ""}
        _check_same(here, known)
        if waiting:
            await _place(transaction, here, waiting, signer)
    await _copy(database, outside, known.size if known else 0)
    return len(waiting)


async def _place(transaction: Transaction, here: Row, waiting: Sequence[Row], signer: Signer) -> None:
    hashes = [_hash(row) for row in waiting]
    peaks, size = grown([bytes(peak) for peak in here["peaks"]], here["size"], hashes)
    checkpoint = Checkpoint(size, root_of_peaks(peaks))
    ids = [row["id"] for row in waiting]
    await transaction.send("audit.place", size=here["size"], ids=ids, hashes=hashes)
    note = signer.note(checkpoint)
    await transaction.send("audit.checkpoint", size=size, root=checkpoint.root, peaks=list(peaks), note=note)


async def _copy(database: Database, outside: Path, size: int) -> None:
    """Bring the file up to what the database has committed, also what a killed worker did not come to write."""
    async with database.transaction() as transaction:
        append(outside, [row["note"] for row in await transaction.all("audit.notes", size=size)])


def _check_same(here: Row, known: Checkpoint | None) -> None:
    if known and (
        known.size > here["size"] or (known.size == here["size"] and known.root != bytes(here["root"]))
    ):
        AUDIT_SOUND.set(0)
        detail = (
            f"the file of checkpoints knows {known.size:,} rows, which the database has not or has otherwise"
        )
        raise AosError("audit_damaged", detail)
    AUDIT_SOUND.set(1)


def _hash(row: Row) -> bytes:
    return leaf_hash(canonical(entry(row)))


# -- verification ------------------------------------------------------------------------------------------------------


async def verify(
    database: Database, notes: Sequence[str], public: Ed25519PublicKey | None, tenant: str | None = None
) -> Verified:
    """Compute the tree again from the rows, and hold it against the signed notes from outside the database.

    Finds rows that were edited, deleted, inserted or reordered, and a tail that was cut, up to the newest note. A
    `tenant` sees its own rows alone: of the others it has the hashes, and whether the rows are there.
    Without `public` no note is looked at.
    """
    signed, damage = _signed(notes, public) if public else ({}, [])
    peaks: tuple[bytes, ...] = ()
    size = rows = 0
    async for row in _leaves(database, tenant):
        computed = _hash(row) if row["id"] else bytes(row["hash"])
        damage += _wrong_with(row, size, computed)
        peaks, size = grown(peaks, size, [computed])
        rows += row["id"] is not None
        if size in signed and signed[size] != {root_of_peaks(peaks)}:
            damage.append(Damage(size, f"the first {size:,} rows are not those that were signed"))
    cut = [known for known in signed if known > size]
    damage += [Damage(size, f"{max(cut):,} rows were signed; {size:,} are there")] if cut else []
    async with database.transaction(tenant) as transaction:
        strays = await transaction.all("audit.strays" if tenant is None else "audit.own_strays")
    damage += [Damage(None, f"row {row['id']} was put in beside the tree") for row in strays]
    borne_out = sum(len(roots) for known, roots in signed.items() if known <= size)
    return Verified(size, rows, borne_out, damage, root_of_peaks(peaks) if size else b"")


async def verify_own(log: Log, tenant: str, kept: Sequence[str]) -> tuple[Verified, str | None, int]:
    """Verify a tenant's rows, against the newest notes that the database has and those that the tenant has `kept`.

    Also the newest note, and how many of the tenant's rows wait to be put into the tree.
    """
    async with log.database.transaction(tenant) as transaction:
        notes, (waiting,) = await transaction.many(
            [("audit.newest_notes", {"limit": BATCH}), ("audit.waiting", {})]
        )
    known = [row["note"] for row in notes]
    verified = await verify(log.database, [*kept, *known], log.public, tenant)
    return verified, known[0] if known else None, waiting["count"]


def _signed(notes: Sequence[str], public: Ed25519PublicKey) -> tuple[dict[int, set[bytes]], list[Damage]]:
    """The roots that were signed, by the size of the tree; and which notes were not signed."""
    signed: dict[int, set[bytes]] = {}
    damage = []
    for number, note in enumerate(notes, 1):
        checkpoint = opened(note, public)
        if checkpoint is None:
            damage.append(Damage(None, f"note {number} is not signed with this key"))
        else:
            signed.setdefault(checkpoint.size, set()).add(checkpoint.root)
    return signed, damage


def _wrong_with(row: Row, position: int, computed: bytes) -> list[Damage]:
    if row["position"] != position:
        return [Damage(position, f"after leaf {position - 1} comes leaf {row['position']}")]
    if row["gone"]:
        return [Damage(position, f"the row of leaf {position} is gone")]
    if computed != bytes(row["hash"]):
        return [Damage(position, f"row {row['id']} is not what it was when it was hashed")]
    return []


async def _leaves(database: Database, tenant: str | None) -> AsyncIterator[Row]:
    """Every leaf with its row, in batches: a transaction each, so that none is long."""
    name, limit = ("audit.leaves", BATCH * 4) if tenant is None else ("audit.own_leaves", BATCH)
    position = 0
    while True:
        async with database.transaction(tenant) as transaction:
            rows = await transaction.all(name, position=position, limit=limit)
        for row in rows:
            yield row
        if not rows:
            return
        position = rows[-1]["position"] + 1
