"""A run that is tried again, whatever its plan: nothing that is done is done twice, and what is mended ends well."""

from collections import Counter
from collections.abc import Container
from itertools import count
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.domain.plans.flow import failed_for_good
from aos.domain.plans.plan import Plan, Step
from aos.domain.runs.recorded import RunState, left_of
from aos.domain.runs.run import Intent, Place
from aos.domain.skills.skill import RetryPolicy
from aos.errors import AosError
from aos.runtime.memory import Memory
from aos.runtime.skills import Call, Reply
from tests.strategies.plans import plans
from tests.unit.engine.build import catalog, skill
from tests.unit.runtime.scripted import Bench, Told, ends, fails, writer

KNOWN = catalog(writer("work", retry=RetryPolicy(2, backoff_ms=1)))
READING = catalog(skill("work", retry=RetryPolicy(2, backoff_ms=1)))
KINDS = 4
"""Calls are of so many kinds, by where they stand; kinds are what is broken and mended."""
broken = st.sets(st.integers(0, KINDS - 1), min_size=1)


def kind(place: Place) -> int:
    return crc32(str(place).encode()) % KINDS


def _bare(step: Step) -> Step:
    """The step, with all that decides whether it runs, as a call of one skill that takes anything."""
    items = (1, 2) if isinstance(step.for_each, str) else step.for_each
    return step._replace(
        skill="work",
        params={"of": [f"${{steps.{name}.output}}" for name in step.needs or ()]},
        for_each=items,
        retry=None,
        approval=None,
        timeout_s=None,
        expect=None,
    )


shapes = plans(max_steps=8).map(lambda plan: Plan(tuple(map(_bare, plan.steps))))


class World:
    """What is broken in it, and every effect that was had in it."""

    def __init__(self) -> None:
        self.broken: Container[int] = ()
        self.broken_places: Container[Place] = ()
        self.effects = Counter[Place]()

    def __call__(self, _: Any, call: Call) -> Reply:
        if kind(call.place) in self.broken or call.place in self.broken_places:
            return fails("BAD_QUERY", effect="none")
        self.effects[call.place] += 1
        return Reply(str(call.place))


def bench(world: World) -> Bench:
    made = Bench(work=Told())
    made.skills = {"work": world}  # type: ignore[dict-item]
    return made


def stood(plan: Plan, state: RunState) -> dict[str, str]:
    """How the steps had ended that another try leaves as they are."""
    outcomes = {name: end.outcome for name, end in state.steps.items()}
    left = left_of(state.steps, failed_for_good(plan.steps, outcomes))
    assert {name for name, end in state.steps.items() if end.outcome == "succeeded"} <= left.keys()
    return {name: end.outcome for name, end in left.items()}


@given(shapes, broken, st.lists(broken, max_size=2))
def test_what_is_done_is_done_once_and_what_is_mended_ends_well(
    plan: Plan, first: set[int], then: list[set[int]]
) -> None:
    world = World()
    table = bench(world)
    world.broken = first
    state = table.run(*plan.steps, known=KNOWN)
    for also in [*then, set[int]()]:
        if state.status == "succeeded":
            break
        before, world.broken = stood(plan, state), also
        state = table.run(*plan.steps, known=KNOWN, retry=True)
        assert before.items() <= ends(state).items()
    assert state.status == "succeeded"
    assert max(world.effects.values(), default=1) == 1
    numbers: dict[Place, list[int]] = {}
    for one in state.attempts:
        numbers.setdefault(one.intent.place, []).append(one.intent.attempt)
    assert all(made == list(range(1, len(made) + 1)) for made in numbers.values())


@given(shapes, broken)
def test_a_run_whose_cause_is_gone_ends_as_one_that_never_met_it(plan: Plan, first: set[int]) -> None:
    """But for failures that the plan took care of, and for what acted on a failure that is no more."""
    world = World()
    table = bench(world)
    world.broken = first
    failed = table.run(*plan.steps, known=KNOWN)
    if failed.status == "succeeded":
        return
    world.broken = ()
    state = table.run(*plan.steps, known=KNOWN, retry=True)
    kept = {name for name, end in state.steps.items() if end.outcome == "failed"}
    never = World()
    never.broken_places = {
        one.intent.place
        for one in state.attempts
        if one.ended_as == "failed" and one.intent.place.step in kept
    }
    other = bench(never).run(*plan.steps, known=KNOWN)
    assert (state.status, other.status) == ("succeeded", "succeeded")
    if stood(plan, failed).items() <= ends(other).items():
        assert ends(state) == ends(other)
        assert {name: end.output for name, end in state.steps.items()} == {
            name: end.output for name, end in other.steps.items()
        }
        assert world.effects.keys() | never.effects.keys() == world.effects.keys()


class CutOff(Memory):
    """A journal whose process dies before so many intents have been written."""

    def __init__(self) -> None:
        super().__init__()
        self.left = count(10**6, -1)

    def intend(self, *intents: Intent) -> bool:
        if next(self.left) <= 0:
            raise AosError("write_failed", "cut off")
        return super().intend(*intents)


@given(shapes, broken, st.integers(0, 6))
def test_a_try_that_is_cut_off_goes_on_where_it_was(plan: Plan, first: set[int], left: int) -> None:
    world = World()
    table = bench(world)
    table.journal = journal = CutOff()
    world.broken = first
    if table.run(*plan.steps, known=READING).status == "succeeded":
        return
    world.broken, journal.left = (), count(left, -1)
    try:
        state = table.run(*plan.steps, known=READING, retry=True)
    except AosError:
        journal.left = count(10**6, -1)
        state = table.run(*plan.steps, known=READING, resume=True)
    assert (state.status, state.tries) == ("succeeded", 2)
    done = Counter(one.intent.place for one in state.attempts if one.outcome and one.outcome.success)
    assert max(done.values(), default=1) == 1


def test_a_succeeded_run_is_not_tried_again() -> None:
    table = bench(World())
    table.run(Step("a", "work", {}), known=KNOWN)
    with pytest.raises(AosError, match="succeeded"):
        table.run(Step("a", "work", {}), known=KNOWN, retry=True)
