"""What the executor asks of a record: the ledger is one, a list in memory (for embedding and tests) another."""

from typing import Protocol

from aos.domain.runs.run import GoAhead, Intent, Money, RunEnd, RunStart, Settled, StepEnd

__all__ = ["Journal"]


class Journal(Protocol):
    """A method returns once what it was told is durable; outcomes and notes may wait for the next write, or for
    `flush`. Who asks this journal sees them at once. Methods are called one at a time, from any thread.

    Raises AosError: write_failed where the record can't be written, ledger_damaged where it can't be trusted. The
    executor then starts nothing more.
    """

    def begin(self, start: RunStart) -> None:
        """A new run. Its id is not taken."""

    def intend(self, *intents: Intent) -> bool:
        """Write the intents of a run and set their reserves aside, what looks being what reserves; False, and none of
        them written, if that would be over the run's budget."""

    def note(self, *intents: Intent) -> None:
        """Write intents of attempts that leave nothing behind and set nothing aside. May wait for the next write."""

    def settle(self, settled: Settled) -> None:
        """Write the outcome of an attempt that was intended, and book what it cost. May wait for the next write."""

    def step_ended(self, end: StepEnd) -> None:
        """Write a step's end that no outcome has told. May wait for the next write, too."""

    def flush(self) -> None:
        """Write what waits."""

    def approve(self, yes: GoAhead) -> None:
        """Write that somebody gave a step the go-ahead: nobody is asked about it again."""

    def end(self, end: RunEnd) -> None:
        """Write that the run ended or pauses."""

    def money(self, run: str) -> Money:
        """Budget, spent and reserved."""
