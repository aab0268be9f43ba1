"""What a record tells: of a run, enough to go on with it where it stopped; of itself, whether it can be trusted."""

from collections.abc import Mapping
from typing import NamedTuple

from aos.domain.outcomes import Outcome
from aos.domain.runs import Intent, Money, RunEnd, RunStart, RunStatus, StepEnd

__all__ = ["Attempted", "Damage", "LedgerCheck", "RunState"]


class Attempted(NamedTuple):
    """An attempt that was intended. `outcome` None: nobody saw how it ended.

    `reconciled` says that a person told the outcome later; a result that they did not give is null.
    """

    intent: Intent
    outcome: Outcome | None
    ended_ms: float | None
    reconciled: bool = False


class RunState(NamedTuple):
    """A run as far as it is written down.

    `attempts` are in the order of their intents, `steps` the ends that were written: a step's end may be missing though
    all its attempts are there. `end` is the latest one, `active_ms` its active time (0.0 where the run never ended or
    paused).
    """

    start: RunStart
    status: RunStatus
    attempts: tuple[Attempted, ...]
    steps: Mapping[str, StepEnd]
    money: Money
    active_ms: float
    end: RunEnd | None


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
