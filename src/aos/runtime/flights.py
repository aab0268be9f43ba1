"""Attempts under way, each in a thread and given up where it does not come back; and whose turn it is to decide.

Turns are taken one at a time. The caller's thread takes the first, keeps the time and hears of signals. While it
sleeps, whoever comes back from an attempt takes the turn that follows, and makes the next attempt itself: where steps
run one after the other nobody is woken.
"""

from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, NamedTuple

from aos.domain.plans.plan import Step
from aos.domain.runs.run import Intent
from aos.domain.skills.skill import Skill
from aos.runtime.bindings import Params
from aos.runtime.skills import Call, Fault, Implementation, Reply

__all__ = ["Flights", "Landed", "timeout_s"]

LONGEST_S = 3600.0
"""The time of an attempt where nobody states one."""

_NAP_S = 0.5
"""The caller sleeps no longer at once: a signal in the instant before it falls asleep is only heard when it wakes."""


class Landed(NamedTuple):
    """An attempt that ended at `at_ms`. `reply` None: it was told to stop and has not answered, so nobody knows."""

    intent: Intent
    params: Params
    reply: Reply | None
    at_ms: float


Turn = Callable[[Sequence[Landed]], float | None]
"""Goes on from what has landed, as far as that goes now. Returns until when (ms) to wait for what is under way, `inf`
for as long as it takes; None: there is nothing to wait for."""


class _Flight(NamedTuple):
    number: int
    implementation: Implementation
    params: Params
    intent: Intent
    call: Call
    due_ms: float


class _Back(NamedTuple):
    number: int
    reply: Reply
    at_ms: float


class Flights:
    """What is under way, and the turns that follow from it. All but `wake` is for whoever takes a turn, and for the
    caller between them.

    An attempt that is out of time, or told to stop, may take `grace_ms` to notice.
    """

    def __init__(self, clock: Callable[[], float], grace_ms: float, turn: Turn) -> None:
        self._clock, self._grace_ms, self._turn = clock, grace_ms, turn
        self._deciding = Lock()  # held through a turn
        self._flying: dict[int, _Flight] = {}
        self._numbers = 0
        self._unset: list[Event] = []  # of attempts that came back
        self._stopping = False
        self._jobs: SimpleQueue[_Flight | None] = SimpleQueue()
        self._idle = 0  # threads that wait for one
        self._keeps = False  # whether the thread that decides makes an attempt afterwards
        self._kept: _Flight | None = None  # which
        self._inbox: SimpleQueue[_Back | None] = SimpleQueue()  # wakes the caller
        self._asleep: float | None = None  # until when the caller is; None: the next turn is the caller's
        self._failure: BaseException | None = None  # of a turn in another thread

    def start(
        self, implementation: Implementation, params: Params, intent: Intent, timeout_s: float, now: float
    ) -> None:
        """Begin an attempt; not after `cancel`."""
        self._numbers += 1
        cancelled = self._unset.pop() if self._unset else Event()
        call = Call(intent.run, intent.place, intent.attempt, intent.key, timeout_s, cancelled)
        due = now + timeout_s * 1000 + self._grace_ms
        flight = _Flight(self._numbers, implementation, params, intent, call, due)
        self._flying[flight.number] = flight
        if self._keeps and not self._kept:
            self._kept = flight
        else:
            self._give(flight)

    def hand_on(self) -> None:
        """Let all that was started begin now: this turn takes longer."""
        if self._kept:
            self._give(self._kept)
            self._kept = None

    def cancel(self) -> None:
        """Tell everything under way to stop, and wait no longer than a moment for it."""
        self._stopping = True
        latest = self._clock() + self._grace_ms
        for number, flight in self._flying.items():
            flight.call.cancelled.set()
            self._flying[number] = flight._replace(due_ms=min(flight.due_ms, latest))

    def wake(self) -> None:
        """Have a turn taken at once. May be called from a signal handler: the queue is reentrant."""
        self._inbox.put(None)

    def close(self) -> None:
        """Send the threads home; those of attempts that were given up go once they come back."""
        self._jobs.put(None)

    # -- turns -----------------------------------------------------------------------------------------------

    def fly(self) -> None:
        """Take turns, or have them taken, until there is nothing to wait for.

        Raises what a turn raises, in whichever thread. What is under way is then told to stop, and nothing follows from
        it any more.
        """
        back: _Back | None = None
        try:
            while True:
                with self._deciding:
                    if self._failure:
                        raise self._failure
                    until = self._take(self._landed(back))
                    if until is None:
                        return
                    self._asleep = until
                back = self._sleep(until)
                self._asleep = None
        except BaseException:
            self._asleep = None  # nobody else gets in between
            with self._deciding:
                self._abandon()
            raise

    def _take(self, landed: Sequence[Landed]) -> float | None:
        """Take a turn. Until when to wait."""
        until = self._turn(landed)
        return None if until is None else min([until, *(flight.due_ms for flight in self._flying.values())])

    def _sleep(self, until: float) -> _Back | None:
        try:
            return self._inbox.get(timeout=min(max(0.0, until - self._clock()) / 1000, _NAP_S))
        except Empty:
            return None

    def _landed(self, back: _Back | None) -> list[Landed]:
        """What has landed or is given up by now, `back` first."""
        landed: list[Landed] = []
        try:
            while True:
                if back:
                    self._idle += 1
                    landed += self._ended(back)
                back = self._inbox.get_nowait()
        except Empty:
            return landed + self._given_up()

    def _ended(self, back: _Back) -> list[Landed]:
        """Nothing where it has been given up before."""
        flight = self._flying.pop(back.number, None)
        if flight is None:
            return []
        self._unset.append(flight.call.cancelled)
        return [Landed(flight.intent, flight.params, back.reply, back.at_ms)]

    def _given_up(self) -> list[Landed]:
        now = self._clock()
        late = [flight for flight in self._flying.values() if flight.due_ms <= now]
        for flight in late:
            flight.call.cancelled.set()
            del self._flying[flight.number]
        return [
            Landed(flight.intent, flight.params, None if self._stopping else _out_of_time(flight.call), now)
            for flight in late
        ]

    def _abandon(self) -> None:
        self.cancel()
        self._flying.clear()
        self._kept = self._asleep = None

    # -- threads ---------------------------------------------------------------------------------------------

    def _give(self, flight: _Flight) -> None:
        """Have a thread make the attempt: it keeps no process from ending."""
        if self._idle:
            self._idle -= 1
        else:
            Thread(target=self._work, name="aos attempt", daemon=True).start()
        self._jobs.put(flight)

    def _work(self) -> None:
        while flight := self._jobs.get():
            while flight:
                reply = _made(flight)
                flight = self._carry_on(_Back(flight.number, reply, self._clock()))
        self._jobs.put(None)  # for the next

    def _carry_on(self, back: _Back) -> _Flight | None:
        """Take the turn that follows from an attempt, unless others decide. Returns the attempt to make after it."""
        if self._asleep is None or not self._deciding.acquire(blocking=False):
            self._inbox.put(back)
            return None
        try:
            self._keeps, until = True, None
            until = self._take(self._ended(back))
        except BaseException as error:
            self._failure = error
            self._abandon()
        finally:
            kept, self._keeps, self._kept = self._kept, False, None
            self._idle += kept is None
            if until is None or until < (self._asleep or 0):
                self._asleep = None
                self.wake()
            self._deciding.release()
        return kept


def _made(flight: _Flight) -> Reply:
    try:
        return flight.implementation(flight.params.values, flight.call)
    except BaseException as error:
        return Reply(fault=Fault("SKILL_ERROR", f"{type(error).__name__}: {error}"), cost_cents=None)


def timeout_s(step: Step, params: Mapping[str, Any], skill: Skill) -> float:
    """What the parameters say, else the descriptor; never more than the step's own."""
    stated = params.get("timeout_s", skill.constraints.get("timeout_s"))
    own = float(stated) if isinstance(stated, int | float) else LONGEST_S
    return min(own, step.timeout_s or LONGEST_S)


def _out_of_time(call: Call) -> Reply:
    detail = f"it did not come back within {call.timeout_s:g} s, nor when it was told to stop"
    return Reply(fault=Fault("TIMEOUT", detail), cost_cents=None)
