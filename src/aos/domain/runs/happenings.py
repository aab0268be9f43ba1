"""What happens in a run, told to whoever watches while it goes on. Times (`at_ms`) are Unix time in ms."""

from collections.abc import Callable
from typing import NamedTuple

from aos.domain.plans.plan import Outcome as StepOutcome
from aos.domain.runs.outcomes import Outcome
from aos.domain.runs.recorded import RunState
from aos.domain.runs.run import Intent, Place, RunEnd, RunStart

__all__ = [
    "AttemptEnded",
    "AttemptStarted",
    "Happening",
    "Observer",
    "Retrying",
    "RunEnded",
    "RunStarted",
    "StepEnded",
]


class RunStarted(NamedTuple):
    """`past` is how far it had got, where it has begun before and goes on."""

    at_ms: float
    start: RunStart
    past: RunState | None = None


class AttemptStarted(NamedTuple):
    """An attempt is under way: its intent is on record."""

    at_ms: float
    intent: Intent


class AttemptEnded(NamedTuple):
    """An attempt has ended: its outcome is on record."""

    at_ms: float
    intent: Intent
    outcome: Outcome


class Retrying(NamedTuple):
    """The next attempt at this place is due at `due_ms`."""

    at_ms: float
    run: str
    place: Place
    due_ms: float


class StepEnded(NamedTuple):
    """A step has ended."""

    at_ms: float
    run: str
    step: str
    outcome: StepOutcome


class RunEnded(NamedTuple):
    """The run has ended, or pauses."""

    at_ms: float
    end: RunEnd


Happening = RunStarted | AttemptStarted | AttemptEnded | Retrying | StepEnded | RunEnded
Observer = Callable[[Happening], None]
"""Called one at a time and in order, by whichever thread carries the run on at that time."""
