"""The ledger as a journal: what it is told is on disk when the method returns, or with the next write where it may."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from aos.domain.runs.recorded import PastFailures, RunState
from aos.domain.runs.run import GoAhead, Intent, Money, Place, RunEnd, RunStart, Settled, StepEnd
from aos.errors import AosError
from aos.ledger import documents
from aos.ledger.apply import OverBudget, Unfitting, apply
from aos.ledger.claims import Claims
from aos.ledger.connection import connect, create, failures, kept_if_sound, transaction
from aos.ledger.entries import Entry, content, seal
from aos.ledger.reads import past_failures
from aos.ledger.state import check_head, head, read_money, read_state

__all__ = ["Ledger"]


class _Waiting(NamedTuple):
    """An entry that goes out with the next write."""

    run: str
    kind: str
    body: Callable[[documents.Keep], Mapping[str, Any]]


class Ledger:
    """One SQLite file, open for writing; it may be shared with other processes.

    It has the methods of `aos.runtime.journal.Journal`. Where the file can't be written, or is no ledger any more,
    nothing is written and an AosError says so: write_failed, ledger_busy, ledger_damaged, ledger_foreign.
    """

    def __init__(self, path: Path) -> None:
        """Open the ledger at `path`; make one where nothing is."""
        self.path = path
        if not path.exists():
            create(path)
        self._db = connect(path, write=True)
        self._waiting: list[_Waiting] = []
        self._claims = Claims(path)
        with failures(path), kept_if_sound(self._db):
            check_head(self._db)

    def close(self) -> None:
        """Write what still waits, and close the file."""
        try:
            self._write()
        finally:
            self._claims.close()
            self._db.close()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self.close()
        except AosError:
            if kind is None:  # else it would hide the first failure, and most often it is the same
                raise

    # -- a run, as it goes ---------------------------------------------------------------------------

    def begin(self, start: RunStart) -> None:
        """A new run, claimed for this process. Raises AosError(run_conflict) where its id is taken."""
        self._claims.take(start.id)
        self._write(_Waiting(start.id, "begun", lambda keep: documents.dump_start(start, keep)))

    def intend(self, *intents: Intent) -> bool:
        """Write the intents and set their reserves aside; False where that would be over the run's budget."""
        try:
            self._write(*map(_intended, intents))
        except OverBudget:
            return False
        return True

    def note(self, *intents: Intent) -> None:
        """The intents of attempts that leave nothing behind, to be written with whatever is written next.

        A crash before that leaves no effect that nobody recorded: they are made again.
        """
        self._waiting += map(_intended, intents)

    def settle(self, settled: Settled) -> None:
        """The outcome of an intended attempt, and what it cost, to be written with whatever is written next.

        That is the intent of what follows from it, most often: one transaction instead of two, and each waits for the
        disk four times.
        """
        run = settled.intent.run
        self._waiting.append(_Waiting(run, "settled", lambda keep: documents.dump_settled(settled, keep)))

    def step_ended(self, end: StepEnd) -> None:
        """A step's end, to be written with whatever is written next."""
        self._waiting.append(_Waiting(end.run, "step", lambda keep: documents.dump_step(end, keep)))

    def flush(self) -> None:
        """Write what waits."""
        self._write()

    def approve(self, yes: GoAhead) -> None:
        """Write that somebody gave a step the go-ahead."""
        self._write(_Waiting(yes.run, "approved", lambda _: documents.dump_go_ahead(yes)))

    def end(self, end: RunEnd) -> None:
        """Write that the run ended or pauses."""
        self._write(_Waiting(end.run, "ended", lambda _: documents.dump_end(end)))

    def money(self, run: str) -> Money:
        """Budget, spent and reserved."""
        self._write()
        with failures(self.path):
            return read_money(self._db, run)

    # -- a run, later --------------------------------------------------------------------------------

    def state(self, run: str) -> RunState:
        """The run as far as it is written. Raises AosError(run_not_found)."""
        self._write()
        with failures(self.path):
            return read_state(self._db, run)

    def resume(
        self,
        run: str,
        at_ms: float,
        budget_cents: Decimal | None,
        approval: Mapping[str, Any] | None = None,
        again: Sequence[str] | None = None,
    ) -> RunState:
        """Go on with a run that pauses, was cancelled, or whose process died; `budget_cents` is what it now has,
        `approval` one that it was given now. With `again` try it again, failed or not: these steps get another go.

        Raises AosError: run_not_found, run_conflict where the run has ended or another process carries it out.
        """
        self.state(run)
        self._claims.take(run)
        body = documents.dump_resumed(at_ms, budget_cents, approval, again)
        self._write(_Waiting(run, "resumed", lambda _: body))
        return self.state(run)

    def reconcile(
        self,
        run: str,
        place: Place,
        attempt: int,
        *,
        committed: bool,
        result: Any,
        at_ms: float,
        free: bool = False,
    ) -> None:
        """Say whether an attempt took effect that nobody saw the end of, and what it returned.

        `free`: whatever it did, it cost nothing.

        Raises AosError(run_conflict) where there is no such attempt, its end is known, or the run is being carried out.
        """
        self._claims.take(run)

        def body(keep: documents.Keep) -> Mapping[str, Any]:
            return {
                **place._asdict(),
                "attempt": attempt,
                "effect": "committed" if committed else "none",
                "result": keep(result if committed else None),
                "at_ms": at_ms,
                **({"free": True} if free else {}),
            }

        self._write(_Waiting(run, "reconciled", body))

    def done_by_hand(self, end: StepEnd) -> None:
        """Write that somebody did a step by hand: nothing of it is done any more, and its output is this one.

        Raises AosError(run_conflict) where the step or the run has succeeded, or the run is being carried out.
        """
        self._claims.take(end.run)
        before = self.state(end.run).steps.get(end.step)
        if before and before.outcome == "succeeded":
            raise AosError("run_conflict", f"step {end.step} of run {end.run} has succeeded")
        self._write(_Waiting(end.run, "by_hand", lambda keep: documents.dump_by_hand(end, keep)))

    def score(self, run: str, score: Mapping[str, Any]) -> None:
        """Write how the run's own forecast did: a JSON object."""
        self._write(_Waiting(run, "scored", lambda _: score))

    def past_failures(self, skill: str, code: str) -> PastFailures:
        """How often `skill` failed with `code`, and how often its step succeeded all the same."""
        self._write()
        with failures(self.path):
            return past_failures(self._db, skill, code)

    # -- writing -------------------------------------------------------------------------------------

    def _write(self, *entries: _Waiting) -> None:
        """What waits, then `entries`, in one transaction; what waits stays until it is on disk."""
        if not self._waiting and not entries:
            return
        try:
            with failures(self.path), transaction(self._db):
                _append(self._db, [*self._waiting, *entries])
        except Unfitting as error:
            raise AosError("run_conflict", str(error)) from None
        self._waiting.clear()


def _intended(intent: Intent) -> _Waiting:
    return _Waiting(intent.run, "intent", lambda _: documents.dump_intent(intent))


def _append(db: sqlite3.Connection, waiting: Sequence[_Waiting]) -> None:
    """Write entries and what follows from them."""
    kept: set[str] = set()

    def keep(value: Any) -> str:
        digest, text = content(value)
        if digest not in kept:  # what a step returns is its output, most often
            db.execute("INSERT OR IGNORE INTO content (digest, json) VALUES (?, ?)", (digest, text))
            kept.add(digest)
        return digest

    sealed: list[tuple[Entry, Mapping[str, Any]]] = []
    last, previous = head(db)
    for seq, one in enumerate(waiting, last + 1):
        body = one.body(keep)
        entry = seal(seq, one.run, one.kind, body, previous)
        previous = entry.hash
        sealed.append((entry, body))
    db.executemany(
        "INSERT INTO entries (seq, run, kind, body, hash) VALUES (?, ?, ?, ?, ?)",
        [entry for entry, _ in sealed],
    )
    apply(db, sealed)
