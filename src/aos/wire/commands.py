"""The commands that make sense next, as they are to be typed: with the options that were given to get here."""

from typing import NamedTuple

from aos.domain.runs.run import Place

__all__ = ["PLAIN", "Commands"]


class Commands(NamedTuple):
    """`record` are the options that say where runs are recorded, `carrying` those that say how a run is carried out,
    that one included, `asking` whom to ask for an approval. Each is text as a shell reads it.
    """

    record: str = ""
    carrying: str = ""
    asking: str = ""

    def resume(self, run: str, more: str = "") -> str:
        """Go on with a run; `more` are options besides."""
        return _words("aos run --resume", run, more, self.carrying or self.record)

    def retry(self, run: str) -> str:
        """Try a run again."""
        return _words("aos run --retry", run, self.carrying or self.record)

    def reconcile(self, run: str, place: Place) -> str:
        """Say of an attempt whether it took effect, but for the answer."""
        item = f"--item {place.item}" if place.item else ""
        iteration = f"--iteration {place.iteration}" if place.iteration else ""
        return _words(f"aos runs reconcile {run} --step {place.step}", item, iteration, self.record)

    def mark_done(self, run: str, step: str) -> str:
        """Say that a step was done by hand."""
        return _words(f"aos runs mark-done {run} --step {step} --reason TEXT", self.record)

    def request(self, run: str) -> str:
        """Ask for another approval of a run."""
        return _words(f"aos requests create --resume {run} --why TEXT", self.asking or self.record)


PLAIN = Commands()
"""Nothing has to be said again."""


def _words(*parts: str) -> str:
    return " ".join(filter(None, parts))
