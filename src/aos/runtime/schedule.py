"""What may start when: the state machine of one run. No clock, no threads, no skills: told what happened, it says what
to do.

    schedule.advance(now) -> commands      now is ms on the caller's clock, and never goes back
    schedule.opened / answered / ended     what came of a command; then advance again
    schedule.wake                          when to advance even if nothing happens

The rules are those of the forecast (`aos.engine.execution.contention`): a call that is ready joins the queue of its
pool, a free slot goes to the head of the queue and is kept until the call ends, its retries and the waits between them
included. The rate limiter is asked with the slot in hand; each retry asks again.
"""

from collections.abc import Container, Mapping
from heapq import heapify, heappop, heappush
from typing import Literal, NamedTuple

from aos.domain.plans.flow import Flow
from aos.domain.plans.plan import Outcome as StepOutcome
from aos.domain.plans.plan import Plan, order
from aos.domain.plans.retries import effective_retry, pause_ms, tries_again
from aos.domain.runs.outcomes import Effect
from aos.domain.runs.recorded import RunState
from aos.domain.runs.run import Place, StepEnd
from aos.domain.skills.skill import Catalog, Category, RateLimit, RetryPolicy

__all__ = ["Ask", "Attempt", "Closed", "Command", "Failed", "Open", "Schedule"]


class Open(NamedTuple):
    """The step runs: find out how many items it has, and say `opened`."""

    step: int


class Ask(NamedTuple):
    """The step waits for a person's go-ahead: say `answered`, whenever that is."""

    step: int


class Attempt(NamedTuple):
    """Make this attempt (1, 2, ...) now, and say `ended`; or `refuse` or `block` it."""

    place: Place
    number: int


class Closed(NamedTuple):
    """The step has ended: for the record, nothing to say."""

    step: int
    outcome: StepOutcome


Command = Open | Ask | Attempt | Closed


class Failed(NamedTuple):
    """How an attempt failed, and whether the call may be made again though it may have taken effect.

    `interrupted`: nothing is wrong with it, it was only not seen to its end; then it is made again where it may be, and
    does not use up the attempts that the policy grants.
    """

    category: Category
    effect: Effect
    repeatable: bool
    retry_after_ms: float | None = None
    interrupted: bool = False


class _Call:
    """One call: an item and iteration of a step, with all its attempts."""

    def __init__(self, place: Place, step: int, rank: tuple[int, int, int]) -> None:
        self.place, self.step, self.rank = place, step, rank
        self.ready = 0.0
        self.number = 0  # of attempts begun
        self.used = 0  # of those that the policy grants
        self.slot = False

    def __lt__(self, other: "_Call") -> bool:
        return (self.ready, self.rank) < (other.ready, other.rank)


class _Limiter:
    """The generic cell rate algorithm (ITU-T I.371): when the next start is free."""

    def __init__(self, limit: RateLimit) -> None:
        self.interval = 60_000 / limit.per_minute
        self.tolerance = (limit.burst - 1) * self.interval
        self.due = 0.0

    def admit(self, now: float) -> float:
        start = max(now, self.due - self.tolerance)
        self.due = max(self.due, start) + self.interval
        return start


class _Pool:
    def __init__(self, slots: float) -> None:
        self.free = slots
        self.queue: list[_Call] = []


class Schedule:
    """The state of a run of `plan`, which may have got as far as `past` says.

    Of steps that ran and have ended nothing is asked for any more. Attempts at others that were made before are asked
    for like new ones, but need no slot, no permit, no approval and no wait. Those that failed in an earlier try of the
    run are passed over: what comes next is as the first.
    """

    def __init__(self, plan: Plan, catalog: Catalog, past: RunState | None = None) -> None:
        self._steps = plan.steps
        self._recorded: Container[tuple[Place, int]] = ()
        self._given_up: Mapping[Place, int] = {}
        self._ended: Mapping[str, StepEnd] = {}
        if past:
            self._recorded = {(one.intent.place, one.intent.attempt) for one in past.attempts}
            self._given_up, self._ended = past.given_up, past.steps
        self.order = order(plan.steps)
        self._rank = {i: rank for rank, i in enumerate(self.order.sequence)}
        self.flow: Flow[bool] = Flow(plan.steps, self.order, True)
        waits = self.order.waits_for
        self._waiting = [len(before) for before in waits]  # for so many steps to end
        self._free = [i for i, before in enumerate(waits) if not before]
        self._followers: list[list[int]] = [[] for _ in plan.steps]
        for i, before in enumerate(waits):
            for step in before:
                self._followers[step].append(i)
        skills = [catalog.skills[step.skill] for step in plan.steps]
        self._policy = [effective_retry(step, skill) for step, skill in zip(plan.steps, skills, strict=True)]
        self._pools = {name: _Pool(slots) for name, slots in catalog.pools.items()}
        everywhere = _Pool(float("inf"))
        self._pool = [self._pools[skill.pool] if skill.pool else everywhere for skill in skills]
        self._pools[""] = everywhere
        limits = {skill.id: _Limiter(skill.rate_limit) for skill in skills if skill.rate_limit}
        self._limiter = [limits.get(skill.id) for skill in skills]
        self._left: dict[int, int] = {}  # items that have not ended, by step
        self._failed: set[int] = set()  # steps of which an item failed
        self._calls: dict[Place, _Call] = {}
        self._timers: list[tuple[float, _Call, bool]] = []  # when, who, and whether it has its permit
        self._opening: set[int] = set()
        self._begun: set[int] = set()
        self._commands: list[Command] = []
        self._stopped: Literal["", "money", "all"] = ""
        self._now = 0.0
        self.asking: set[int] = set()
        self.refused: Place | None = None
        self.blocked: list[Place] = []
        self.under_way = 0

    # -- what happened -------------------------------------------------------------------------------------

    def opened(self, step: int, items: int) -> None:
        """The step has that many items (1 without a `for_each`)."""
        self._opening.discard(step)
        self._left[step] = items
        if self._steps[step].approval and not self._is_recorded(step):
            self.asking.add(step)
            self._commands.append(Ask(step))
        else:
            self._ready(step)

    def answered(self, step: int, yes: bool, now: float) -> None:
        """A person has said whether the step may run; where not, it has failed."""
        self._now = max(self._now, now)
        self.asking.discard(step)
        if yes:
            self._ready(step)
        else:
            self._close(step, "failed")

    def ended(self, place: Place, failed: Failed | None, now: float) -> None:
        """An attempt has ended, well where `failed` is None."""
        self._now = max(self._now, now)
        self.under_way -= 1
        call = self._calls[place]
        if failed is None:
            self._succeeded(call)
        else:
            self._lost(call, failed)

    def refuse(self, place: Place) -> None:
        """There is no money for the step of this attempt: no step that has not begun starts any more."""
        call = self._taken_back(place)
        self._begun.discard(call.step)
        self.refused = self.refused or place
        self._stopped = self._stopped or "money"

    def block(self, place: Place) -> None:
        """Nobody knows how this attempt ended, and it can't be made again: its step waits for somebody who knows."""
        self._taken_back(place)
        self.blocked.append(place)

    def stop(self) -> None:
        """Nothing starts any more; what is under way may end."""
        self._stopped = "all"

    # -- what to do ----------------------------------------------------------------------------------------

    def advance(self, now: float) -> list[Command]:
        """Everything that is to be done at `now`; call again once it has been."""
        self._now = max(self._now, now)
        while self._timers and self._timers[0][0] <= now:
            _, call, permitted = heappop(self._timers)
            self._begin(call) if permitted else self._permit(call)
        self._decide()
        if not self._opening:
            self._serve()
        commands, self._commands = self._commands, []
        return commands

    @property
    def wake(self) -> float | None:
        """When the next retry or permit is due; None: never by itself."""
        return self._timers[0][0] if self._timers and self._stopped != "all" else None

    def due(self, place: Place) -> float | None:
        """When the next attempt at this place is due; None where none is, or it waits for others."""
        return next((at for at, call, _ in self._timers if call.place == place), None)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way and nothing will start by itself."""
        return not self.under_way and self.wake is None and not self._commands

    @property
    def finished(self) -> bool:
        """Whether all steps have ended."""
        return len(self.flow.goes_on) == len(self._steps)

    # -- steps -----------------------------------------------------------------------------------------------

    def _decide(self) -> None:
        while self._stopped != "all" and self._free:
            free, self._free = sorted(self._free, key=self._rank.__getitem__), []
            for i in free:
                end = self._ended.get(self._steps[i].id)
                if end and end.outcome != "skipped":  # that is decided anew, which costs nothing
                    self.flow.recall(i)
                    self._close(i, end.outcome)
                elif self.flow.decide(i):
                    self._opening.add(i)
                    self._commands.append(Open(i))
                else:
                    self._close(i, "skipped")

    def _close(self, step: int, outcome: StepOutcome) -> None:
        self.flow.end(step, outcome != "failed")
        self._commands.append(Closed(step, outcome))
        for follower in self._followers[step]:
            self._waiting[follower] -= 1
            if not self._waiting[follower]:
                self._free.append(follower)

    def _ready(self, step: int) -> None:
        """All items of the step queue for their first call."""
        if not self._left[step]:
            self._close(step, "succeeded")
        for item in range(self._left[step]):
            self._queue(step, item, 0)

    def _is_recorded(self, step: int) -> bool:
        return (Place(self._steps[step].id), 1) in self._recorded

    # -- calls -----------------------------------------------------------------------------------------------

    def _queue(self, step: int, item: int, iteration: int) -> None:
        place = Place(self._steps[step].id, item, iteration)
        call = self._calls[place] = _Call(place, step, (self._rank[step], item, iteration))
        call.ready = self._now
        call.number = self._given_up.get(place, 0)
        if (place, call.number + 1) in self._recorded:
            self._begun.add(step)
            self._begin(call)
        else:
            heappush(self._pool[step].queue, call)

    def _serve(self) -> None:
        """Give free slots to whoever was ready first; of those ready at the same instant to the lower rank."""
        while heads := [pool for pool in self._pools.values() if pool.free > 0 and self._head(pool)]:
            pool = min(heads, key=lambda pool: pool.queue[0])
            call = heappop(pool.queue)
            pool.free -= 1
            call.slot = True
            self._begun.add(call.step)
            self._permit(call)

    def _head(self, pool: _Pool) -> bool:
        """Whether the queue has somebody who may start; nobody who may not stays in it."""
        if self._stopped and pool.queue:
            may = self._begun if self._stopped == "money" else ()
            pool.queue = [call for call in pool.queue if call.step in may]
            heapify(pool.queue)
        return bool(pool.queue)

    def _permit(self, call: _Call) -> None:
        """The call's next attempt, now or when the rate limiter lets it through."""
        limiter = self._limiter[call.step]
        start = limiter.admit(self._now) if limiter else self._now
        if start > self._now:
            heappush(self._timers, (start, call, True))
        else:
            self._begin(call)

    def _begin(self, call: _Call) -> None:
        if self._stopped != "all":
            call.number += 1
            self.under_way += 1
            self._commands.append(Attempt(call.place, call.number))

    def _succeeded(self, call: _Call) -> None:
        self._release(call)
        _, item, iteration = call.place
        if iteration + 1 < self._steps[call.step].iterations:
            self._queue(call.step, item, iteration + 1)
        else:
            self._item_ended(call.step)

    def _lost(self, call: _Call, failed: Failed) -> None:
        policy = self._policy[call.step]
        if failed.interrupted and (failed.effect == "none" or failed.repeatable):
            self._again(call, 0.0)
            return
        call.used += 1
        pause = self._pause(call, policy, failed)
        if pause is not None:
            self._again(call, pause)
            return
        self._release(call)
        self._failed.add(call.step)
        self._item_ended(call.step)

    def _pause(self, call: _Call, policy: RetryPolicy, failed: Failed) -> float | None:
        """How long to wait before the next attempt; None: there is none."""
        if (call.place, call.number + 1) in self._recorded:
            return 0.0
        if call.used >= policy.max_attempts:
            return None
        if not tries_again(policy, failed.category, failed.effect, failed.repeatable):
            return None
        return pause_ms(policy, call.used, failed.retry_after_ms)

    def _again(self, call: _Call, pause: float) -> None:
        if (call.place, call.number + 1) in self._recorded:
            self._begin(call)
        elif not call.slot:  # its attempts so far are on record: it queues like any other
            heappush(self._pool[call.step].queue, call)
        elif pause:
            heappush(self._timers, (self._now + pause, call, False))
        else:
            self._permit(call)

    def _item_ended(self, step: int) -> None:
        self._left[step] -= 1
        if not self._left[step]:
            self._close(step, "failed" if step in self._failed else "succeeded")

    def _release(self, call: _Call) -> None:
        self._pool[call.step].free += call.slot
        call.slot = False

    def _taken_back(self, place: Place) -> _Call:
        self.under_way -= 1
        call = self._calls[place]
        call.number -= 1
        self._release(call)
        return call
