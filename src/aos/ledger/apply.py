"""What each kind of entry does to the tables made from them. Writing, importing and verifying all go through here."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aos.ledger.entries import Entry
from aos.ledger.money import micro

__all__ = ["OverBudget", "Unfitting", "apply"]

Body = Mapping[str, Any]

_STEP = "run = :run AND step = :step"
_CALL = f"{_STEP} AND item = :item AND iteration = :iteration"


class OverBudget(Exception):
    """The reserve does not fit into what is left of the run's budget."""


class Unfitting(Exception):
    """The entry can't follow what is there: a run that exists, an attempt that was not intended."""


def apply(db: sqlite3.Connection, entries: Sequence[tuple[Entry, Body]]) -> None:
    """Bring the tables up to the last of `entries`, each with its body as a value.

    Raises OverBudget, Unfitting; the caller then takes back what was done.
    """
    for entry, body in entries:
        try:
            _APPLY[entry.kind](db, entry, body)
        except sqlite3.IntegrityError as error:
            raise Unfitting(f"entry {entry.seq:,} ({entry.kind} of run {entry.run}): {error}") from None
    for run, last in {entry.run: entry.seq for entry, _ in entries}.items():
        db.execute("UPDATE runs SET last_seq = ? WHERE id = ?", (last, run))


def _opened(db: sqlite3.Connection, entry: Entry, body: Body) -> None:
    if entry.seq != 1:
        raise Unfitting(f"entry {entry.seq:,} opens a ledger that is open already")


def _begun(db: sqlite3.Connection, entry: Entry, body: Body) -> None:
    db.execute(
        "INSERT INTO runs (id, first_seq, last_seq, name, status, plan, plan_digest, contract, simulation, forced,"
        " budget_cents, deadline_ms, started_ms, limit_micro) VALUES (:run, :seq, :seq, :name, 'running', :plan,"
        " :plan_digest, :contract, :simulation, :forced, :budget_cents, :deadline_ms, :started_ms, :limit)",
        {**body, "run": entry.run, "seq": entry.seq, "limit": micro(body["budget_cents"])},
    )


def _intent(db: sqlite3.Connection, entry: Entry, body: Body) -> None:
    reserve = micro(body["reserve_cents"]) or 0
    made = db.execute(
        "INSERT INTO attempts (seq, run, step, item, iteration, attempt, skill, started_ms, reserve_micro)"
        " SELECT :seq, id, :step, :item, :iteration, :attempt, :skill, :started_ms, :reserve"
        " FROM runs WHERE id = :run AND status = 'running'",
        {**body, "run": entry.run, "seq": entry.seq, "reserve": reserve},
    )
    if not made.rowcount:
        _running(db, entry)
    if reserve and not _reserved(db, entry.run, reserve):  # what is free is never refused, as in the forecast
        raise OverBudget


def _settled(db: sqlite3.Connection, entry: Entry, body: Body) -> None:
    failure = body["failure"] or {"code": None, "category": None}
    named = {
        **body,
        "run": entry.run,
        "seq": entry.seq,
        "outcome": "succeeded" if body["success"] else "failed",
        "code": failure["code"],
        "category": failure["category"],
    }
    _one(
        db.execute(
            "UPDATE attempts SET ended_ms = :ended_ms, outcome = :outcome, code = :code, category = :category,"
            " effect = :effect, cost_cents = :cost_cents, latency_ms = :latency_ms, settled = :seq"
            f" WHERE {_CALL} AND attempt = :attempt AND settled IS NULL",
            named,
        ),
        entry,
    )
    cost = micro(body["cost_cents"])
    if cost != 0:
        db.execute(
            "UPDATE runs SET spent_micro = min(spent_micro + ?, 1 << 62), unknown_costs = unknown_costs + ?"
            " WHERE id = ?",
            (cost or 0, cost is None, entry.run),
        )
    if body["releases"]:
        _release(db, _STEP, named)


def _step(db: sqlite3.Connection, entry: Entry, body: Body) -> None:
    _release(db, _STEP, {"run": entry.run, "step": body["step"]})


def _approved(db: sqlite3.Connection, entry: Entry, body: Body) -> None:
    _running(db, entry)


def _ended(db: sqlite3.Connection, entry: Entry, body: Body) -> None:
    _running(db, entry)
    db.execute(
        "UPDATE runs SET status = :status, ended_ms = :ended_ms, active_ms = :active_ms, cause = :cause,"
        " detail = :detail WHERE id = :run",
        {**body, "run": entry.run},
    )


def _resumed(db: sqlite3.Connection, entry: Entry, body: Body) -> None:
    """A run that has failed goes on only where it is tried again: `again` says which steps are."""
    _one(
        db.execute(
            "UPDATE runs SET status = 'running', cause = NULL, detail = '', ended_ms = NULL,"
            " budget_cents = :budget_cents, limit_micro = :limit"
            " WHERE id = :run AND (status IN ('running', 'paused', 'cancelled') OR status = 'failed' AND :retried)",
            {**body, "run": entry.run, "limit": micro(body["budget_cents"]), "retried": "again" in body},
        ),
        entry,
    )


def _reconciled(db: sqlite3.Connection, entry: Entry, body: Body) -> None:
    """Somebody says how an attempt ended that nobody saw. What it cost stays unknown, unless its calls are free."""
    if not body.get("free"):
        db.execute(
            "UPDATE runs SET unknown_costs = unknown_costs + 1 WHERE id = :run AND EXISTS"
            f" (SELECT 1 FROM attempts WHERE {_CALL} AND attempt = :attempt AND settled IS NULL)",
            {**body, "run": entry.run},
        )
    named = {
        **body,
        "run": entry.run,
        "seq": entry.seq,
        "outcome": "succeeded" if body["effect"] == "committed" else "failed",
        "code": None if body["effect"] == "committed" else "INTERRUPTED",
    }
    _one(
        db.execute(
            "UPDATE attempts SET ended_ms = :at_ms, outcome = :outcome, effect = :effect, settled = :seq,"
            " code = :code, category = CASE WHEN :code IS NULL THEN NULL ELSE 'TRANSIENT' END"
            f" WHERE {_CALL} AND attempt = :attempt AND (settled IS NULL OR effect = 'unknown')",
            named,
        ),
        entry,
    )
    _release(db, _CALL, named)


def _by_hand(db: sqlite3.Connection, entry: Entry, body: Body) -> None:
    if (
        db.execute("SELECT 1 FROM runs WHERE id = ? AND status <> 'succeeded'", (entry.run,)).fetchone()
        is None
    ):
        raise Unfitting(f"run {entry.run} is unknown, or has succeeded")
    _release(db, _STEP, {"run": entry.run, "step": body["step"]})


def _scored(db: sqlite3.Connection, entry: Entry, body: Body) -> None:
    _one(
        db.execute(
            "UPDATE runs SET score = ? WHERE id = ?",
            (json.dumps(json.loads(entry.body), sort_keys=True), entry.run),
        ),
        entry,
    )


_APPLY: Mapping[str, Callable[[sqlite3.Connection, Entry, Body], None]] = {
    "opened": _opened,
    "begun": _begun,
    "intent": _intent,
    "settled": _settled,
    "step": _step,
    "approved": _approved,
    "ended": _ended,
    "resumed": _resumed,
    "reconciled": _reconciled,
    "by_hand": _by_hand,
    "scored": _scored,
}


def _reserved(db: sqlite3.Connection, run: str, reserve: int) -> bool:
    """Set money aside where there is enough: one statement looks and reserves."""
    reserved = db.execute(
        "UPDATE runs SET reserved_micro = reserved_micro + :reserve WHERE id = :run"
        " AND (limit_micro IS NULL OR spent_micro + reserved_micro + :reserve <= limit_micro)",
        {"run": run, "reserve": reserve},
    )
    return bool(reserved.rowcount)


def _release(db: sqlite3.Connection, where: str, named: Body) -> None:
    """Free what the attempts had set aside that `where` names."""
    freed = db.execute(
        f"SELECT coalesce(sum(reserve_micro), 0) FROM attempts WHERE {where}",
        named,
    ).fetchone()[0]
    if freed:
        db.execute(f"UPDATE attempts SET reserve_micro = 0 WHERE {where}", named)
        db.execute(
            "UPDATE runs SET reserved_micro = reserved_micro - ? WHERE id = ?",
            (freed, named["run"]),
        )


def _running(db: sqlite3.Connection, entry: Entry) -> None:
    row = db.execute("SELECT status FROM runs WHERE id = ?", (entry.run,)).fetchone()
    if row is None or row[0] != "running":
        raise Unfitting(f"run {entry.run} is {'unknown' if row is None else row[0]}, not running")


def _one(changed: sqlite3.Cursor, entry: Entry) -> None:
    if changed.rowcount != 1:
        raise Unfitting(f"entry {entry.seq:,} ({entry.kind}) fits nothing in run {entry.run}")
