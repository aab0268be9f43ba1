"""Reading a run back from the ledger."""

import json
import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from aos.domain.runs.outcomes import Execution, Failure, Outcome
from aos.domain.runs.recorded import Attempted, RunState, left_of
from aos.domain.runs.run import Money, RunEnd, RunStart, StepEnd
from aos.errors import AosError
from aos.ledger import documents
from aos.ledger.entries import GENESIS, Entry, seal
from aos.ledger.money import UNKNOWN_COSTS, of_micro
from aos.wire.problems import visible

__all__ = ["check_head", "fetcher", "head", "read_money", "read_state"]

Body = Mapping[str, Any]


def head(db: sqlite3.Connection) -> tuple[int, str]:
    """Number and hash of the last entry; 0 and `GENESIS` before the first."""
    row = db.execute("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
    return row or (0, GENESIS)


def check_head(db: sqlite3.Connection) -> None:
    """Whether the end of the chain holds. Raises AosError(ledger_damaged)."""
    rows = db.execute("SELECT seq, run, kind, body, hash FROM entries ORDER BY seq DESC LIMIT 2").fetchall()
    entries = [Entry(*row) for row in rows]
    previous = entries[1].hash if len(entries) > 1 else GENESIS
    last = entries[0] if entries else None
    if last is None or seal(last.seq, last.run, last.kind, last.body, previous) != last:
        what = f"entry {last.seq:,} is not what its hash was taken of" if last else "there is no entry"
        raise AosError("ledger_damaged", f"{what}; `aos ledger verify` tells more")


def fetcher(db: sqlite3.Connection) -> documents.Fetch:
    """Reads JSON values by their digests."""

    def fetch(digest: str) -> Any:
        row = db.execute("SELECT json FROM content WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            raise AosError("ledger_damaged", f"the content {digest[:12]}… is missing")
        return json.loads(row[0])

    return fetch


def read_money(db: sqlite3.Connection, run: str) -> Money:
    """Budget, spent and reserved of a run. Raises AosError(run_not_found)."""
    row = db.execute(
        f"SELECT budget_cents, spent_micro, reserved_micro, {UNKNOWN_COSTS} FROM runs WHERE id = ?", (run,)
    ).fetchone()
    if row is None:
        raise _not_found(run)
    budget, spent, reserved, unknown = row
    return Money(None if budget is None else Decimal(budget), of_micro(spent), of_micro(reserved), unknown)


def read_state(db: sqlite3.Connection, run: str) -> RunState:
    """A run as its entries tell it. Raises AosError(run_not_found)."""
    row = db.execute(
        "SELECT status, active_ms, first_seq, last_seq FROM runs WHERE id = ?", (run,)
    ).fetchone()
    if row is None:
        raise _not_found(run)
    read = _Reading(run, fetcher(db))
    for kind, body in db.execute(
        "SELECT kind, body FROM entries WHERE seq BETWEEN ? AND ? AND run = ? ORDER BY seq", (*row[2:], run)
    ):
        read.entry(kind, json.loads(body))
    assert read.start is not None
    return RunState(
        read.start,
        row[0],
        tuple(read.attempts.values()),
        read.steps,
        read_money(db, run),
        row[1],
        read.end,
        frozenset(read.approved),
        read.tries,
        read.again,
    )


class _Reading:
    """What has been read so far."""

    def __init__(self, run: str, fetch: documents.Fetch) -> None:
        self._run = run
        self._fetch = fetch
        self.start: RunStart | None = None
        self.attempts: dict[tuple[Any, int], Attempted] = {}
        self.steps: dict[str, StepEnd] = {}
        self.approved: set[str] = set()
        self.end: RunEnd | None = None
        self.tries = 1
        self.again: frozenset[str] = frozenset()

    def entry(self, kind: str, body: Body) -> None:
        match kind:
            case "begun":
                self.start = documents.load_start(self._run, body, self._fetch)
            case "resumed" if self.start:
                budget = body["budget_cents"]
                budget = None if budget is None else Decimal(budget)
                self.start = self.start.resumed(budget, body.get("approval"))
                if "again" in body:
                    self.tries, self.again = self.tries + 1, frozenset(body["again"])
                    self.steps = dict(left_of(self.steps, self.again))
            case "intent":
                intent = documents.load_intent(self._run, body)
                self.attempts[intent.place, intent.attempt] = Attempted(intent, None, None, of_try=self.tries)
            case "settled":
                outcome = documents.load_outcome(body, self._fetch)
                self._settle(body, outcome, body["ended_ms"])
                if body["releases"] and outcome.success:
                    self.steps[body["step"]] = StepEnd(
                        self._run, body["step"], "succeeded", outcome.result, body["ended_ms"]
                    )
            case "reconciled":
                before = self.attempts[documents.load_place(body), body["attempt"]].outcome
                made = _reconciled(body, self._fetch, before)
                self._settle(body, made, body["at_ms"], reconciled=True)
                if (end := self.steps.get(body["step"])) and end.outcome == "failed":
                    del self.steps[end.step]  # whether it did is told when the run goes on
            case "by_hand":
                self.steps[body["step"]] = documents.load_by_hand(self._run, body, self._fetch)
            case "step":
                self.steps[body["step"]] = documents.load_step(self._run, body, self._fetch)
            case "approved":
                self.approved.add(body["step"])
            case "ended":
                self.end = documents.load_end(self._run, body)

    def _settle(self, body: Body, outcome: Outcome, ended_ms: float, *, reconciled: bool = False) -> None:
        key = documents.load_place(body), body["attempt"]
        self.attempts[key] = self.attempts[key]._replace(
            outcome=outcome, ended_ms=ended_ms, reconciled=reconciled
        )


def _reconciled(body: Body, fetch: documents.Fetch, before: Outcome | None) -> Outcome:
    """What somebody found out of an attempt that nobody saw the end of, or `before` only as a failure."""
    found_out = before.execution if before else Execution(0.0, Decimal(0) if body.get("free") else None)
    if body["effect"] == "committed":
        return Outcome(True, fetch(body["result"]), None, found_out, effect="committed")
    failure = Failure("INTERRUPTED", "TRANSIENT", "it did not take effect, as was found out later", True)
    return Outcome(False, None, failure, found_out, effect="none")


def _not_found(run: str) -> AosError:
    return AosError("run_not_found", f'there is no run "{visible(run)}"')
