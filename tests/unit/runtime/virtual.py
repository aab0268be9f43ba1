"""A run on a clock of its own: the schedule's commands are carried out by a script, and nobody waits."""

from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from typing import NamedTuple

from aos.domain.plans.plan import Plan
from aos.domain.runs.run import Place
from aos.domain.skills.skill import Catalog
from aos.runtime.schedule import Ask, Attempt, Closed, Failed, Open, Schedule


class Told(NamedTuple):
    """One attempt of a script: how long it takes (ms), and how it fails, if it does."""

    ms: float
    failed: Failed | None = None


class Ran(NamedTuple):
    """What came of it, by step index: when each step began and ended, and the attempts that were made."""

    schedule: Schedule
    started: Mapping[int, float]
    ended: Mapping[int, float]
    attempts: tuple[tuple[float, Attempt], ...]
    now: float


def run(
    plan: Plan,
    catalog: Catalog,
    script: Callable[[Attempt], Told | None],
    items: Callable[[int], int] = lambda step: 1,
) -> Ran:
    """Run until nothing goes on; a script that answers None refuses the attempt for want of money."""
    schedule = Schedule(plan, catalog)
    index = {step.id: i for i, step in enumerate(plan.steps)}
    calendar: list[tuple[float, int, Place, Failed | None]] = []
    started: dict[int, float] = {}
    ended: dict[int, float] = {}
    attempts: list[tuple[float, Attempt]] = []
    now = 0.0
    while True:
        while commands := schedule.advance(now):
            for command in commands:
                match command:
                    case Open(step):
                        schedule.opened(step, items(step))
                    case Ask(step):
                        schedule.answered(step, True, now)
                    case Closed(step):
                        ended[step] = now
                    case Attempt(place):
                        told = script(command)
                        if told is None:
                            schedule.refuse(place)
                            continue
                        attempts.append((now, command))
                        started.setdefault(index[place.step], now)
                        heappush(calendar, (now + told.ms, len(attempts), place, told.failed))
        times = [at for at in (schedule.wake, calendar[0][0] if calendar else None) if at is not None]
        if not times:
            return Ran(schedule, started, ended, tuple(attempts), now)
        now = min(times)
        while calendar and calendar[0][0] == now:
            _, _, place, failed = heappop(calendar)
            schedule.ended(place, failed, now)
