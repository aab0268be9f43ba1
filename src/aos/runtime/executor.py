"""Carries a run out: the schedule says what may start, the journal is told before and after it.

One thread at a time decides and writes, in turns; attempts run in threads of their own, and whichever comes back takes
the next turn. An attempt starts only once its intent is on record.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from aos.domain.plans.plan import Outcome as StepOutcome
from aos.domain.plans.plan import Plan, Step
from aos.domain.plans.retries import effective_retry, repeatable
from aos.domain.runs.happenings import (
    Observer,
    Retrying,
    RunEnded,
    RunStarted,
)
from aos.domain.runs.outcomes import Outcome
from aos.domain.runs.recorded import Attempted, Progress, RunState, begun
from aos.domain.runs.run import (
    GoAhead,
    Intent,
    PauseCause,
    Place,
    RunEnd,
    RunStart,
    RunStatus,
    Settled,
    StepEnd,
)
from aos.domain.skills.skill import Catalog, declares_nothing, pure
from aos.runtime.bindings import Bindings, Params, Secret, Unfit
from aos.runtime.flights import Flights, Landed, timeout_s
from aos.runtime.journal import Journal
from aos.runtime.outcomes import Experience, Situation, interrupted, outcome
from aos.runtime.record import Record
from aos.runtime.schedule import Ask, Attempt, Closed, Command, Failed, Open, Schedule
from aos.runtime.skills import Fault, Implementation, Reply

__all__ = ["Executor", "Settings"]


class Settings(NamedTuple):
    """What a run rests on besides its plan.

    `clock` is Unix time in ms and never goes back. `confirm` asks a person about a step; None: nobody is there to ask.
    `reserves` are set aside from the budget before a step, in cents by step id; None: nobody knows how much. `mask`
    takes secrets out of an outcome. `outside` is asked when steps have ended: where it gives a reason, no other step
    begins, and the run pauses. An attempt that is out of time, or told to stop, may take `grace_ms` to notice.
    All but `confirm` are called one at a time by whichever thread carries the run on; `confirm` by the caller's.
    """

    clock: Callable[[], float]
    implementations: Mapping[str, Implementation]
    journal: Journal
    reserves: Mapping[str, Decimal | None] = {}
    confirm: Callable[[Step], bool | None] = lambda step: None
    secret: Secret = lambda name: None
    mask: Callable[[Outcome], Outcome] = lambda made: made
    experience: Experience = lambda skill, code: None
    observe: Observer = lambda happening: None
    outside: Callable[[Progress], str] = lambda progress: ""
    grace_ms: float = 2000.0


class Executor:
    """One run of a plan, from where `past` says it has got to. `attempts` and `steps` are what is on record."""

    def __init__(
        self, start: RunStart, plan: Plan, catalog: Catalog, settings: Settings, past: RunState | None = None
    ) -> None:
        self.start, self.plan, self.catalog, self.use = start, plan, catalog, settings
        self._past, from_here = past, past or begun(start)
        self.attempts = {(one.intent.place, one.intent.attempt): one for one in from_here.attempts}
        self.steps = dict(from_here.steps)
        self._approved = set(from_here.approved)
        self._from_here = from_here
        self._try = from_here.tries
        self._recorded = frozenset(self.attempts)
        self._step = {step.id: step for step in plan.steps}
        self._schedule = Schedule(plan, catalog, from_here)
        self._bindings = Bindings(plan, catalog, self._schedule.order.fallback_of, settings.secret)
        self._flights = Flights(settings.clock, settings.grace_ms, self._turn)
        self._spoiled: dict[str, Fault] = {}  # steps whose items can't be told
        self._results: dict[str, dict[int, Any]] = {}  # by step and item: the last iteration's
        self._ended_well: dict[str, StepEnd] = {}  # by their one call, whose outcome is on record as that
        self._reserved = set(from_here.holding)
        self._doubts = self._in_doubt()  # by the steps that wait for them
        self._due: list[Attempt] = []
        self._record = Record(settings.journal, settings.observe)
        self._told_to_stop = False
        self._waited_ms = 0.0  # for people
        self._began = 0.0
        self._ended_since = False  # whether a step has ended that `outside` was not asked about
        self._outside = ""

    def stop(self) -> None:
        """End as soon as what is under way has noticed. May be called from a signal handler or another thread."""
        self._told_to_stop = True
        self._flights.wake()

    def run(self) -> RunState:
        """Carry on until the run has ended or nothing more can be done now.

        Raises AosError where the journal can't be written: nothing is started any more, and what is under way is told
        to stop.
        """
        self._began = self.use.clock()
        self.use.observe(RunStarted(self._began, self.start, self._past))
        try:
            status, cause, at = self._loop()
        finally:
            self._flights.close()
        now = self.use.clock()
        active = self._active_ms(now)
        end = RunEnd(self.start.id, status, now, active, cause, at, self._why(cause, at))
        self._record.news(RunEnded(now, end))
        self._record.end(end)
        return self._from_here._replace(
            status=status,
            attempts=tuple(self.attempts.values()),
            steps=self.steps,
            money=self.use.journal.money(self.start.id),
            active_ms=active,
            end=end,
            approved=frozenset(self._approved),
        )

    def _active_ms(self, now: float) -> float:
        return self._from_here.active_ms + now - self._began - self._waited_ms

    # -- the loop --------------------------------------------------------------------------------------------

    def _loop(self) -> tuple[RunStatus, PauseCause | None, Place | None]:
        schedule = self._schedule
        while True:
            self._flights.fly()
            if schedule.finished:
                return ("succeeded" if schedule.flow.success() else "failed"), None, None
            if self._told_to_stop:
                return "cancelled", None, None
            if self._outside or schedule.refused:
                return "paused", "envelope" if self._outside else "budget", schedule.refused
            if not schedule.asking:
                at = schedule.blocked[0]
                return "paused", "unknown_effect", self._doubts.get(at.step, at)
            if not self._ask(min(schedule.asking)):
                return "paused", "approval", Place(self.plan.steps[min(schedule.asking)].id)

    def _turn(self, landed: Sequence[Landed]) -> float | None:
        """Go on from what has landed, as far as that goes now; until when to wait, None where nothing is under way."""
        schedule = self._schedule
        if self._told_to_stop:
            schedule.stop()
            self._flights.cancel()
        for one in landed:
            self._land(one)
        while commands := schedule.advance(self.use.clock()):
            self._flights.hand_on()
            for command in commands:
                self._carry_out(command)
            self._start()
        if schedule.idle:
            return None
        until = self._record.before_wait(self.use.clock())
        return until if schedule.wake is None else min(until, schedule.wake)

    def _carry_out(self, command: Command) -> None:
        match command:
            case Open(i):
                self._open(i)
            case Closed(i, outcome):
                self._close(i, outcome)
            case Attempt(place, number) if (place, number) in self._recorded:
                self._replay(place, number)
            case Attempt(place) if place.step in self._doubts:
                self._schedule.block(place)
            case Attempt():
                self._due.append(command)
            case Ask(i) if self.plan.steps[i].id in self._approved:
                self._schedule.answered(i, True, self.use.clock())
            case Ask():
                pass  # once nothing else is left to do: people are slow

    def _ask(self, i: int) -> bool:
        """Ask a person about the step; False where nobody is there, or nobody answers now."""
        self._record.flush()
        asked, step = self.use.clock(), self.plan.steps[i]
        try:
            yes = self.use.confirm(self._bindings.shown(step))
        except KeyboardInterrupt:
            self.stop()
            return True
        now = self.use.clock()
        self._waited_ms += now - asked
        if yes:  # a no is on record by the end of its step
            self._record.approve(GoAhead(self.start.id, step.id, step.approval or 0, now))
            self._approved.add(step.id)
        if yes is not None:
            self._schedule.answered(i, yes, now)
        return yes is not None

    def _why(self, cause: PauseCause | None, at: Place | None) -> str:
        match cause:
            case "budget":
                money = self.use.journal.money(self.start.id)
                ask = self.use.reserves.get(at.step if at else "")
                return f"{at} sets {ask}c aside; {money.spent}c of {money.budget}c are spent"
            case "envelope":
                return self._outside
            case "approval":
                return f"{at} waits for somebody's go-ahead"
            case "unknown_effect":
                return f"nobody saw how the attempt at {at} ended, and it may not be made twice"
            case None:
                return ""

    # -- steps -----------------------------------------------------------------------------------------------

    def _open(self, i: int) -> None:
        step = self.plan.steps[i]
        try:
            items = self._bindings.open(step)
        except Unfit as unfit:
            self._spoiled[step.id], items = unfit.fault, 1  # one call, which fails: so it is on record why
        self._schedule.opened(i, items)

    def _close(self, i: int, outcome: StepOutcome) -> None:
        step = self.plan.steps[i]
        known = self.steps.get(step.id)
        known = known if known and known.outcome == outcome else None
        output = known.output if known else self._output(step, outcome)
        self._bindings.ended(step, output)
        if outcome == "succeeded":
            self._bindings.stood_in(i)
        if known is None:
            told = self._ended_well.get(step.id)
            end = told or StepEnd(self.start.id, step.id, outcome, output, self.use.clock())
            self._record.step_ended(end, told=told is not None)
            self.steps[step.id] = end
            self._ended_since = True

    def _output(self, step: Step, outcome: StepOutcome) -> Any:
        """What references to the step see: null where it did not end well."""
        results = self._results.get(step.id, {})
        if outcome != "succeeded":
            return None
        return results.get(0) if step.for_each is None else [results[item] for item in sorted(results)]

    # -- attempts --------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Make the attempts that are due: all at once, or as many as there is money for."""
        due, self._due = self._due, []
        if due and self._ended_since and not self._outside:
            self._ended_since = False
            self._outside = self.use.outside(self._progress())
        if not due or (not (self._schedule.refused or self._outside) and self._make(due)):
            return
        for attempt in due:
            begins = attempt.place.step not in self._reserved
            if (begins and (self._schedule.refused or self._outside)) or not self._make([attempt]):
                self._schedule.refuse(attempt.place)

    def _progress(self) -> Progress:
        now = self.use.clock()
        return Progress(now, self._active_ms(now), self.attempts.values(), self.steps, self._try)

    def _make(self, due: list[Attempt]) -> bool:
        """Write down what is to be done, then do it; False, and nothing done, where the budget has no room for it."""
        now, begun = self.use.clock(), set[str]()
        calls: list[tuple[Intent, Params, Fault | None]] = []
        for attempt in due:
            (params, fault), step = self._params(attempt.place), attempt.place.step
            begins = step not in self._reserved and step not in begun
            calls.append((self._intent(attempt, params, now, begins), params, fault))
            begun.add(step)
        held = all(self._pure(intent, params) and not intent.reserve_cents for intent, params, _ in calls)
        if not self._record.intend([intent for intent, _, _ in calls], now, held=held):
            return False
        self._reserved |= begun
        for intent, params, fault in calls:
            self.attempts[intent.place, intent.attempt] = Attempted(intent, None, None, of_try=self._try)
            if fault:
                self._land(Landed(intent, params, Reply(fault=fault, effect="none"), now))
            else:
                skill = self.catalog.skills[intent.skill]
                seconds = timeout_s(self._step[intent.place.step], params.values, skill)
                self._flights.start(self.use.implementations[intent.skill], params, intent, seconds, now)
        return True

    def _pure(self, intent: Intent, params: Params) -> bool:
        return pure(self.catalog.skills[intent.skill], params.values)

    def _intent(self, attempt: Attempt, params: Params, now: float, begins: bool) -> Intent:
        step = self._step[attempt.place.step]
        skill = self.catalog.skills[step.skill]
        return Intent(
            self.start.id,
            attempt.place,
            step.skill,
            attempt.number,
            attempt.place.key(self.start.id),
            params.digest,
            repeatable(skill.effects_of(params.values), effective_retry(step, skill)),
            now,
            self.use.reserves.get(step.id) if begins else None,
            declares_nothing(skill),
        )

    def _params(self, place: Place) -> tuple[Params, Fault | None]:
        """The call's parameters, or why it can't be made."""
        try:
            if place.step in self._spoiled:
                return Params({}, ""), self._spoiled[place.step]
            return self._bindings.params(place), None
        except Unfit as unfit:
            return Params({}, ""), unfit.fault

    def _land(self, landed: Landed) -> None:
        """An attempt has ended: write it down, then go on from it."""
        intent, reply = landed.intent, landed.reply
        place = intent.place
        if reply is not None:
            result = self._outcome(landed, reply)
        if reply is None or (result.unseen and result.effect == "unknown" and not intent.repeatable):
            self._schedule.block(place)  # it stays an intent without an end, as after a crash
            return
        step = self._step[place.step]
        whole = result.success and step.for_each is None and step.iterations == 1
        settled = Settled(intent, result, landed.at_ms, reply.features, whole)
        self._record.settle(settled, held=self._pure(intent, landed.params))
        if end := settled.step_end:
            self._ended_well[step.id] = end
        self.attempts[place, intent.attempt] = Attempted(intent, result, landed.at_ms, of_try=self._try)
        self._go_on(intent, result)
        if (due := self._schedule.due(place)) is not None:
            self._record.news(Retrying(landed.at_ms, intent.run, place, due))

    def _outcome(self, landed: Landed, reply: Reply) -> Outcome:
        intent, params = landed.intent, landed.params
        step = self._step[intent.place.step]
        skill = self.catalog.skills[step.skill]
        effects = skill.effects_of(params.values)
        if reply.fault is None and (wrong := self._bindings.misfit(skill.id, reply.result)):
            effect = reply.effect or ("none" if effects.read_only else "committed")
            reply = reply._replace(fault=Fault("BAD_OUTPUT", wrong), effect=effect)
        stand_in = step.on_error.fallback
        at = Situation(
            skill,
            effects,
            effective_retry(step, skill),
            landed.at_ms - intent.started_ms,
            intent.attempt - 1,
            self._step[stand_in].skill if stand_in else None,
        )
        return self.use.mask(outcome(reply, at, self.use.experience))

    def _replay(self, place: Place, number: int) -> None:
        """An attempt that was made before the run was resumed."""
        attempted = self.attempts[place, number]
        intent, result = attempted.intent, attempted.outcome
        if result is None:
            if not intent.repeatable:
                self._schedule.block(place)
                return
            now = self.use.clock()
            free = declares_nothing(self.catalog.skills[intent.skill])
            result = interrupted(now - intent.started_ms, number, Decimal(0) if free else None)
            self.use.journal.settle(Settled(intent, result, now))
            self.attempts[place, number] = attempted._replace(outcome=result, ended_ms=now)
        elif attempted.unsettled and (result.unseen or attempted.of_try < self._try):
            self._schedule.block(place)
            return
        self._go_on(intent, result)

    def _in_doubt(self) -> dict[str, Place]:
        """Steps whose fallback may have taken effect in an earlier try, and where: both would be once too often."""
        found: dict[str, Place] = {}
        index, owner_of = {id: i for i, id in enumerate(self._step)}, self._schedule.order.fallback_of
        for place in (one.intent.place for one in self._from_here.left_open):
            owner = owner_of.get(index[place.step])
            while owner is not None:
                found[self.plan.steps[owner].id] = place
                owner = owner_of.get(owner)
        return found

    def _go_on(self, intent: Intent, result: Outcome) -> None:
        failure = result.failure
        failed = failure and Failed(
            failure.category, result.effect, intent.repeatable, failure.retry_after_ms, result.unseen
        )
        if failed is None:
            self._results.setdefault(intent.place.step, {})[intent.place.item] = result.result
        self._schedule.ended(intent.place, failed, self.use.clock())
