"""Skills that do what a script says, and a run of them without a record on disk."""

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from threading import Lock
from typing import Any

from aos.domain.plans.flow import failed_for_good
from aos.domain.plans.plan import Plan, Step
from aos.domain.runs.happenings import Happening, Observer
from aos.domain.runs.outcomes import Effect
from aos.domain.runs.recorded import RunState
from aos.domain.runs.run import RunStart
from aos.domain.skills.skill import Catalog, Effects, Skill
from aos.runtime.executor import Executor, Settings
from aos.runtime.memory import Memory
from aos.runtime.skills import Call, Fault, Reply
from tests.unit.engine.build import catalog, skill

READS = Effects(True, True, False, True, False)
WRITES = Effects(False, False, True, False, True)

Does = Callable[[Mapping[str, Any], Call], Reply]


def clock() -> float:
    return time.time() * 1000


class Told:
    """A skill: it says what each call's next reply is, and remembers the calls. What is left unsaid is a success."""

    def __init__(self, *replies: Reply | Does) -> None:
        self._replies = list(replies)
        self._lock = Lock()
        self.calls: list[tuple[Mapping[str, Any], Call]] = []

    def __call__(self, params: Mapping[str, Any], call: Call) -> Reply:
        with self._lock:
            self.calls.append((params, call))
            reply = self._replies.pop(0) if self._replies else Reply("done")
        return reply(params, call) if callable(reply) else reply


def fails(code: str, retry_after_ms: float | None = None, effect: Effect | None = None) -> Reply:
    return Reply(fault=Fault(code, "as scripted", retry_after_ms), effect=effect)


def writer(name: str, **more: Any) -> Skill:
    return skill(name, **more)._replace(effects=WRITES)


def start(plan: Plan, budget: str | None = None, name: str = "r1") -> RunStart:
    return RunStart(name, {}, "", "", {}, None if budget is None else Decimal(budget), None, clock())


class Bench:
    """Runs plans, each on the same journal."""

    def __init__(self, **skills: Told) -> None:
        self.skills = skills
        self.journal = Memory()
        self.seen: list[Happening] = []
        self.watch: Observer = self.seen.append

    def executor(
        self,
        plan: Plan,
        known: Catalog | None = None,
        *,
        budget: str | None = None,
        resume: bool = False,
        retry: bool = False,
        **settings: Any,
    ) -> Executor:
        known = known or catalog(*(skill(name) for name in self.skills))
        use = Settings(clock, self.skills, self.journal, observe=self.watch, **settings)
        begun = start(plan, budget)
        past = None
        if resume or retry:
            known_ends = {name: end.outcome for name, end in self.journal.state("r1").steps.items()}
            again = failed_for_good(plan.steps, known_ends) if retry else None
            past = self.journal.resume("r1", clock(), begun.budget_cents, again=again)
        else:
            self.journal.begin(begun)
        return Executor(begun, plan, known, use, past)

    def run(self, *steps: Step, **how: Any) -> RunState:
        state = self.executor(Plan(steps, inputs=how.pop("inputs", {})), **how).run()
        assert self.journal.state("r1").steps == state.steps
        return state


def ends(state: RunState) -> dict[str, str]:
    return {name: end.outcome for name, end in state.steps.items()}


def codes(state: RunState, step: str) -> list[str | None]:
    """How each attempt of a step ended; None is a success, "?" nobody saw."""
    mine = [a.outcome for a in state.attempts if a.intent.place.step == step]
    return ["?" if o is None else o.failure.code if o.failure else None for o in mine]
