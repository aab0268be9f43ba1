"""What a record tells: of a run, enough to go on with it where it stopped; of itself, whether it can be trusted."""

from collections.abc import Container, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

from aos.domain.runs.outcomes import Effect, Failure, Outcome
from aos.domain.runs.run import Intent, Money, PauseCause, Place, RunEnd, RunStart, RunStatus, StepEnd

__all__ = [
    "Attempted",
    "Damage",
    "Held",
    "LedgerCheck",
    "PastFailures",
    "Progress",
    "RunLine",
    "RunState",
    "Tried",
    "Within",
    "begun",
    "left_of",
]


class Attempted(NamedTuple):
    """An attempt that was intended. `outcome` None: nobody saw how it ended.

    `reconciled` says that a person told the outcome later; a result that they did not give is null. `of_try` is the try
    of the run that it belongs to: 1 at first, one more each time that the run is tried again.
    """

    intent: Intent
    outcome: Outcome | None
    ended_ms: float | None
    reconciled: bool = False
    of_try: int = 1

    @property
    def unsettled(self) -> bool:
        """Whether somebody has to find out if it took effect before it may be made again."""
        unseen = self.outcome is None or (self.outcome.effect == "unknown" and not self.outcome.success)
        return unseen and not self.intent.repeatable

    @property
    def ended_as(self) -> Literal["succeeded", "failed", "unknown"]:
        """How it ended; unknown where nobody saw it."""
        return "unknown" if self.outcome is None else "succeeded" if self.outcome.success else "failed"

    @property
    def effect(self) -> Effect:
        """Whether it touched the world; unknown where nobody saw how it ended."""
        return self.outcome.effect if self.outcome else "unknown"

    @property
    def failure(self) -> Failure | None:
        """Why it failed; None where it did not, or nobody saw it."""
        return self.outcome.failure if self.outcome else None

    @property
    def latency_ms(self) -> float | None:
        """What it took; None: nobody knows, which is so too where somebody told later how it ended."""
        return self.outcome.execution.latency_ms if self.outcome and not self.reconciled else None


class RunState(NamedTuple):
    """A run as far as it is written down.

    `attempts` are in the order of their intents, `steps` the ends that were written: a step's end may be missing though
    all its attempts are there. `end` is the latest one, `active_ms` its active time (0.0 where the run never ended or
    paused). `approved` are the steps that somebody gave the go-ahead for.

    `tries` counts how often the run was begun or tried again; `again` are the steps that had failed when it was last
    tried again, whose ends in earlier tries count no more.
    """

    start: RunStart
    status: RunStatus
    attempts: tuple[Attempted, ...]
    steps: Mapping[str, StepEnd]
    money: Money
    active_ms: float
    end: RunEnd | None
    approved: frozenset[str] = frozenset()
    tries: int = 1
    again: frozenset[str] = frozenset()

    @property
    def given_up(self) -> Mapping[Place, int]:
        """The last attempt at each place that failed in an earlier try: nobody goes on from it or those before it.

        One that may have taken effect, and may not twice, is not among them: somebody has to find out first.
        """
        return {
            one.intent.place: one.intent.attempt
            for one in self.attempts
            if one.of_try < self.tries and one.ended_as == "failed" and not one.unsettled
        }

    @property
    def left_open(self) -> Sequence[Attempted]:
        """Attempts of earlier tries that may have taken effect, and may not twice; not those of steps that are done."""
        done = {name for name, end in self.steps.items() if end.outcome == "succeeded"}
        return [
            one
            for one in self.attempts
            if one.of_try < self.tries and one.unsettled and one.intent.place.step not in done
        ]

    @property
    def holding(self) -> frozenset[str]:
        """The steps that have begun in this try, or not ended in one before: money is set aside for them."""
        return frozenset(
            one.intent.place.step
            for one in self.attempts
            if one.of_try == self.tries or one.intent.place.step not in self.again
        )


def begun(start: RunStart) -> RunState:
    """A run before its first step."""
    return RunState(start, "running", (), {}, Money(start.budget_cents, Decimal(0), Decimal(0)), 0.0, None)


def left_of(steps: Mapping[str, StepEnd], again: Container[str]) -> Mapping[str, StepEnd]:
    """The ends of steps that stand when a run is tried again: failures in `again` don't, what was skipped is decided
    anew."""
    return {
        name: end
        for name, end in steps.items()
        if end.outcome == "succeeded" or (end.outcome == "failed" and name not in again)
    }


class Within(NamedTuple):
    """The shares of runs whose figure stayed within these quantiles of its own forecast."""

    p50: float
    p90: float
    p95: float


class Held(NamedTuple):
    """How the forecasts of the last `runs` runs have held, each made before its run; None: it had no such figure.

    `said` is the chance of success that was forecast, on average, `came` the share of runs that succeeded.
    """

    runs: int
    time: Within | None
    cost: Within | None
    said: float | None
    came: float | None


class Progress(NamedTuple):
    """How far a run under way, in that try, has got at `at_ms` (Unix time). `active_ms` leaves out waits for people."""

    at_ms: float
    active_ms: float
    attempts: Iterable[Attempted]
    steps: Mapping[str, StepEnd]
    of_try: int = 1


class Damage(NamedTuple):
    """A place where a ledger is not what was written. `where` is an entry, a table's row or the file itself."""

    where: str
    what: str


class LedgerCheck(NamedTuple):
    """What a ledger looks like from its first entry to its last.

    `head` is the hash of the last entry. Whoever noted number and hash of an entry elsewhere can tell, too, whether
    the ledger was put back to an older state or written anew: nothing inside a file can tell that.
    """

    entries: int
    runs: int
    head: str
    damage: tuple[Damage, ...]


class RunLine(NamedTuple):
    """A run in a list. `attempts` counts all, `failures` those that failed; times are Unix ms.

    `interrupted`: it is written as running, and no process carries it out. `tries`: as of a RunState.
    """

    id: str
    name: str | None
    status: RunStatus
    cause: PauseCause | None
    started_ms: float
    ended_ms: float | None
    active_ms: float
    money: Money
    attempts: int
    failures: int
    tries: int = 1
    interrupted: bool = False


class Tried(NamedTuple):
    """An attempt in a list. `outcome` is unknown where nobody saw the end."""

    run: str
    place: Place
    skill: str
    attempt: int
    outcome: Literal["succeeded", "failed", "unknown"]
    code: str | None
    effect: Effect
    cost_cents: Decimal | None
    latency_ms: float | None
    started_ms: float


class PastFailures(NamedTuple):
    """How often a skill failed with a code, and the share of those steps that succeeded in the end.

    `recovered` None: no step of a run that has ended is among them.
    """

    seen: int
    recovered: float | None
