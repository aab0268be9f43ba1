"""Attempts under way: each in a thread, given up where it does not come back."""

from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, NamedTuple

from aos.domain.plans.plan import Step
from aos.domain.runs.run import Intent
from aos.domain.skills.skill import Skill
from aos.runtime.bindings import Params
from aos.runtime.skills import Call, Fault, Implementation, Reply

__all__ = ["Flights", "Landed", "timeout_s"]

LONGEST_S = 3600.0
"""The time of an attempt where nobody states one."""


class Landed(NamedTuple):
    """An attempt that ended at `at_ms`. `reply` None: it was told to stop and has not answered, so nobody knows."""

    intent: Intent
    params: Params
    reply: Reply | None
    at_ms: float


class _Job(NamedTuple):
    number: int
    implementation: Implementation
    params: Params
    call: Call


class _Worker:
    """A thread that makes one attempt after the other, until one is cancelled. It keeps no process from ending."""

    def __init__(self, land: Callable[[int, Reply], None]) -> None:
        self.jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self.cancelled = Event()
        self._land = land
        Thread(target=self._work, name="aos attempt", daemon=True).start()

    def _work(self) -> None:
        while job := self.jobs.get():
            try:
                reply = job.implementation(job.params.values, job.call)
            except BaseException as error:
                reply = Reply(fault=Fault("SKILL_ERROR", f"{type(error).__name__}: {error}"), cost_cents=None)
            self._land(job.number, reply)


class _Flight(NamedTuple):
    intent: Intent
    params: Params
    worker: _Worker
    timeout_s: float
    due_ms: float


class Flights:
    """What is under way. Only `wake` may be called from elsewhere than the thread that made it.

    An attempt that is out of time, or told to stop, may take `grace_ms` to notice.
    """

    def __init__(self, clock: Callable[[], float], grace_ms: float) -> None:
        self._clock, self._grace_ms = clock, grace_ms
        self._flying: dict[int, _Flight] = {}
        self._numbers = 0
        self._inbox: SimpleQueue[tuple[int, Reply, float] | None] = SimpleQueue()
        self._idle: list[_Worker] = []
        self._stopping = False

    def __len__(self) -> int:
        return len(self._flying)

    def start(
        self, implementation: Implementation, params: Params, intent: Intent, timeout_s: float, now: float
    ) -> None:
        """Begin an attempt; not after `cancel`."""
        self._numbers += 1
        due = now + timeout_s * 1000 + self._grace_ms
        worker = self._idle.pop() if self._idle else _Worker(self._landed)
        self._flying[self._numbers] = _Flight(intent, params, worker, timeout_s, due)
        call = Call(intent.run, intent.place, intent.attempt, intent.key, timeout_s, worker.cancelled)
        worker.jobs.put(_Job(self._numbers, implementation, params, call))

    def wake(self) -> None:
        """Let `wait` come back at once. May be called from a signal handler: the queue is reentrant."""
        self._inbox.put(None)

    def close(self) -> None:
        """Send home whoever has nothing to do; threads of attempts that were given up stay where they are."""
        while self._idle:
            self._idle.pop().jobs.put(None)

    def cancel(self) -> None:
        """Tell everything under way to stop, and wait no longer than a moment for it."""
        self._stopping = True
        latest = self._clock() + self._grace_ms
        for number, flight in self._flying.items():
            flight.worker.cancelled.set()
            self._flying[number] = flight._replace(due_ms=min(flight.due_ms, latest))

    def wait(self, until: float | None) -> list[Landed]:
        """What has landed or is given up: at least one, unless it is woken or the clock reaches `until`."""
        due = [flight.due_ms for flight in self._flying.values()] + ([] if until is None else [until])
        landed: list[Landed] = []
        try:
            timeout = max(0.0, min(due) - self._clock()) / 1000 if due else None
            message = self._inbox.get(timeout=timeout)
            while True:
                if message and (flight := self._flying.pop(message[0], None)):
                    self._idle.append(flight.worker)
                    landed.append(Landed(flight.intent, flight.params, *message[1:]))
                message = self._inbox.get_nowait()
        except Empty:
            pass
        return landed + self._given_up()

    def _landed(self, number: int, reply: Reply) -> None:
        self._inbox.put((number, reply, self._clock()))

    def _given_up(self) -> list[Landed]:
        now = self._clock()
        late = {number: flight for number, flight in self._flying.items() if flight.due_ms <= now}
        for number, flight in late.items():
            flight.worker.cancelled.set()
            del self._flying[number]
        return [
            Landed(flight.intent, flight.params, None if self._stopping else _out_of_time(flight), now)
            for flight in late.values()
        ]


def timeout_s(step: Step, params: Mapping[str, Any], skill: Skill) -> float:
    """What the parameters say, else the descriptor; never more than the step's own."""
    stated = params.get("timeout_s", skill.constraints.get("timeout_s"))
    own = float(stated) if isinstance(stated, int | float) else LONGEST_S
    return min(own, step.timeout_s or LONGEST_S)


def _out_of_time(flight: _Flight) -> Reply:
    detail = f"it did not come back within {flight.timeout_s:g} s, nor when it was told to stop"
    return Reply(fault=Fault("TIMEOUT", detail), cost_cents=None)
