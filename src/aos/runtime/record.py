"""What a run puts on record, and tells whoever watches: never what a crash could take back."""

from collections.abc import Sequence
from math import inf

from aos.domain.runs.happenings import AttemptEnded, AttemptStarted, Happening, Observer, StepEnded
from aos.domain.runs.run import GoAhead, Intent, RunEnd, Settled, StepEnd
from aos.runtime.journal import Journal

__all__ = ["Record"]

HOLD_MS = 50.0
"""So long what leaves nothing behind may wait to be written, together with what follows from it."""


class Record:
    """The journal of one run and its observer.

    An intent is on record before its attempt begins, an outcome before the run waits for anything else. `held` are
    attempts that leave nothing behind (`aos.domain.skills.skill.pure`): theirs may wait for `HOLD_MS`, since a crash
    before that costs no more than making them again.
    """

    def __init__(self, journal: Journal, observe: Observer) -> None:
        self._journal, self._observe = journal, observe
        self._news: list[Happening] = []  # not told yet: it need not be on record
        self._held_since: float | None = None
        self._hurry = False  # whether something waits that may not be held

    def intend(self, intents: Sequence[Intent], now: float, *, held: bool) -> bool:
        """Attempts that begin now; False, and nothing written, where the budget has no room for them."""
        started = [AttemptStarted(now, intent) for intent in intents]
        if held:
            self._journal.note(*intents)
            self._held_since = now if self._held_since is None else self._held_since
            self._news += started
            return True
        if not self._journal.intend(*intents):
            return False
        self._news += started
        self._written()
        return True

    def settle(self, settled: Settled, *, held: bool) -> None:
        """An attempt has ended."""
        self._journal.settle(settled)
        self._hurry |= not held
        self._news.append(AttemptEnded(settled.ended_ms, settled.intent, settled.outcome))

    def step_ended(self, end: StepEnd, *, told: bool) -> None:
        """A step has ended; `told`: an outcome says so already."""
        if not told:
            self._journal.step_ended(end)
        self._news.append(StepEnded(end.ended_ms, end.run, end.step, end.outcome))

    def news(self, happening: Happening) -> None:
        """Tell of it once all that was written before it, or together with it, is on record."""
        self._news.append(happening)

    def approve(self, yes: GoAhead) -> None:
        """Somebody gave a step the go-ahead."""
        self._journal.approve(yes)

    def end(self, end: RunEnd) -> None:
        """The run ended or pauses: all of it is on record."""
        self._journal.end(end)
        self._written()

    def flush(self) -> None:
        """All that was told so far is on record, and told."""
        self._journal.flush()
        self._written()

    def before_wait(self, now: float) -> float:
        """Write what may not wait. Until when the run may: what is held has to be written then."""
        if self._held_since is not None and not self._hurry and now < self._held_since + HOLD_MS:
            return self._held_since + HOLD_MS
        self.flush()
        return inf

    def _written(self) -> None:
        self._held_since, self._hurry = None, False
        news, self._news = self._news, []
        for happening in news:
            self._observe(happening)
