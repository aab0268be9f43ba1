"""What changes from one JSON value to another, as JSON Pointers with the values before and after."""

from collections.abc import Iterator
from typing import Any

from aos.domain.forecasts.differences import Change
from aos.domain.plans.plan import Plan, Step, order
from aos.domain.skills.skill import Skill
from aos.wire.catalogs.read import dump_skill
from aos.wire.plans.read import dump_plan
from aos.wire.plans.steps import dump_step
from aos.wire.problems import at

__all__ = ["changes", "dump_change", "plan_changes", "skill_changes", "step_changes"]


def changes(before: Any, after: Any, pointer: str = "") -> Iterator[Change]:
    """The least values that differ. A tuple counts as one value, and so do lists of different length."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            place = at(pointer, key)
            if key not in after:
                yield Change("remove", place, before[key], None)
            elif key not in before:
                yield Change("add", place, None, after[key])
            else:
                yield from changes(before[key], after[key], place)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for i, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from changes(old, new, at(pointer, i))
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield Change("replace", pointer, before, after)


def dump_change(change: Change) -> dict[str, Any]:
    """The change as an object, without the value that there is not."""
    left_out = {"add": "before", "remove": "after"}.get(change.op)
    return {key: value for key, value in change._asdict().items() if key != left_out}


def plan_changes(a: Plan, b: Plan) -> tuple[Change, ...]:
    """What differs outside of the steps: name, inputs, limits."""
    return tuple(changes(dump_plan(a._replace(steps=())), dump_plan(b._replace(steps=()))))


def step_changes(a: tuple[Step, ...], b: tuple[Step, ...]) -> Iterator[tuple[int, int, tuple[Change, ...]]]:
    """For each step that two plans have by the same id its places in both and what differs.

    Instead of `needs` it is told what the step starts after, whether that is stated or follows from its place.
    """
    places = {step.id: i for i, step in enumerate(a)}
    before, after = _documents(a), _documents(b)
    for j, step in enumerate(b):
        if step.id in places:
            i = places[step.id]
            yield i, j, tuple(changes(before[i], after[j]))


def skill_changes(a: Skill, b: Skill) -> tuple[Change, ...]:
    """What differs between the descriptors of a skill in two catalogs, below `/catalog`."""
    return () if a is b else tuple(changes(dump_skill(a), dump_skill(b), "/catalog"))


def _documents(steps: tuple[Step, ...]) -> list[dict[str, Any]]:
    dag = order(steps)
    return [
        {**dump_step(step._replace(needs=None)), "after": tuple(steps[i].id for i in dag.after[place])}
        for place, step in enumerate(steps)
    ]
