"""Which step of one plan is which of another."""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping

from aos.domain.plans.plan import OnError, Plan, Step, When
from aos.domain.plans.references import renamed

Matches = Mapping[int, int]
"""Of the steps that both plans have: the position in B -> the position in A."""


def matches(a: Plan, b: Plan) -> Matches:
    """Match the steps of B with those of A, each with one at the most.

    Plans that are the same but for the names of steps match place by place. Otherwise the same id is the same
    step; then, in their order, what calls the same skill with the same parameters, whatever its references
    call other steps; at last what calls the same skill behind steps that are matched. An id such as `s2` in
    the second place names the place and not the step: it counts only where the skill is the same too, and
    after those that are alike in everything.
    """
    if _same_but_for_names(a, b):
        return {i: i for i in range(len(b.steps))}
    found: dict[int, int] = {}
    for key in (_id_and_content, _own_id, _content, _id_and_skill):
        free = _by_key(key, a, skip=found.values())
        for j, step in enumerate(b.steps):
            candidates = free.get(key(step, j)) if j not in found else None
            if candidates:
                found[j] = candidates.pop(0)
    _fill_gaps(a, b, found)
    return dict(sorted(found.items()))


def under_the_names_of(a: Plan, b: Plan, same: Matches) -> tuple[Step, ...]:
    """The steps of B with those that A has called as there; a new one whose id A has for another is `id (B)`."""
    taken = {step.id for step in a.steps}
    names = {
        step.id: a.steps[same[j]].id if j in same else f"{step.id} (B)" if step.id in taken else step.id
        for j, step in enumerate(b.steps)
    }
    return tuple(_called(step, names) for step in b.steps)


def _same_but_for_names(a: Plan, b: Plan) -> bool:
    if len(a.steps) != len(b.steps):
        return False
    names = {theirs.id: ours.id for ours, theirs in zip(a.steps, b.steps, strict=True)}
    return all(ours == _called(theirs, names) for ours, theirs in zip(a.steps, b.steps, strict=True))


def _called(step: Step, names: Mapping[str, str]) -> Step:
    """The step with its own id, and those that it names, as `names` has them."""

    def name_of(name: str) -> str:
        return names.get(name, name)

    for_each = renamed(step.for_each, name_of)
    return step._replace(
        id=name_of(step.id),
        params=renamed(step.params, name_of),
        needs=None if step.needs is None else tuple(map(name_of, step.needs)),
        when=step.when and When(name_of(step.when.step), step.when.outcome),
        on_error=OnError(step.on_error.action, step.on_error.fallback and name_of(step.on_error.fallback)),
        for_each=tuple(for_each) if isinstance(for_each, list) else for_each,
    )


def _fill_gaps(a: Plan, b: Plan, found: dict[int, int]) -> None:
    """A step that was renamed and changed still stands where it stood."""
    taken = set(found.values())
    for j, step in enumerate(b.steps):
        if j in found or (j and j - 1 not in found):
            continue
        i = found[j - 1] + 1 if j else 0
        if i < len(a.steps) and i not in taken and a.steps[i].skill == step.skill:
            found[j] = i


def _by_key(
    key: Callable[[Step, int], Hashable], plan: Plan, skip: Iterable[int]
) -> dict[Hashable, list[int]]:
    taken = set(skip)
    found: dict[Hashable, list[int]] = {}
    for i, step in enumerate(plan.steps):
        if i not in taken and (value := key(step, i)) is not None:
            found.setdefault(value, []).append(i)
    return found


def _id_and_content(step: Step, place: int) -> Hashable:
    return step.id, _content(step, place)


def _own_id(step: Step, place: int) -> Hashable:
    return None if step.id == f"s{place + 1}" else step.id


def _content(step: Step, _: int) -> Hashable:
    """Skill and parameters, without the names of steps in them."""
    params = renamed(dict(step.params), lambda _: "step")
    return step.skill, json.dumps(params, sort_keys=True)


def _id_and_skill(step: Step, _: int) -> Hashable:
    return step.id, step.skill
