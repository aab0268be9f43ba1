"""Plans: steps that call skills, and the rules of their order. simulate and run read the same rules here."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import takewhile
from typing import Any, Literal, NamedTuple

from aos.domain.plans.references import references

Outcome = Literal["succeeded", "failed", "skipped"]

MAIN_INPUTS = {"json_transform": "input", "webhook_send": "payload"}
"""The parameter that is the main output of the step before where it is left out."""


class When(NamedTuple):
    """Run the step only if `step` ended with `outcome`."""

    step: str
    outcome: Outcome


class OnError(NamedTuple):
    """What a failed step means: the run fails, goes on with a null output, or the `fallback` step stands in."""

    action: Literal["fail", "continue", "fallback"] = "fail"
    fallback: str | None = None


class RetryOverride(NamedTuple):
    """A step's own retry figures. They may only tighten the catalog's; None keeps it."""

    max_attempts: int | None = None
    backoff_ms: float | None = None
    max_backoff_ms: float | None = None


class Expect(NamedTuple):
    """How many items a `for_each` over something unknown is expected to have: exactly p50, or lognormal."""

    p50: float
    p90: float


class Step(NamedTuple):
    """One call of a skill. `needs` None means after the previous step, () a root."""

    id: str
    skill: str
    params: Mapping[str, Any]
    needs: tuple[str, ...] | None = None
    when: When | None = None
    on_error: OnError = OnError()
    retry: RetryOverride | None = None
    timeout_s: float | None = None
    iterations: int = 1
    for_each: tuple[Any, ...] | str | None = None
    expect: Expect | None = None
    approval: int | None = None


class Plan(NamedTuple):
    """A normalised plan. `budget_cents` and `deadline_ms` are None where the plan sets no limit."""

    steps: tuple[Step, ...]
    name: str | None = None
    inputs: Mapping[str, Any] = {}
    budget_cents: Decimal | None = None
    deadline_ms: float | None = None


class Order(NamedTuple):
    """The DAG of a plan, by step index.

    `after[i]` are the steps that i starts after, `waits_for[i]` these and their fallbacks: all that must have ended by
    then. `watched[i]` are those whose failure doesn't stop i, since its `when` looks at them; `sequence` is
    topological, fallbacks behind the step they stand in for; `fallback_of` maps a fallback to that step.
    """

    sequence: tuple[int, ...]
    after: tuple[tuple[int, ...], ...]
    waits_for: tuple[tuple[int, ...], ...]
    watched: tuple[frozenset[int], ...]
    fallback_of: Mapping[int, int]


class CycleError(ValueError):
    """The steps of `cycle` (ids, the first repeated last) wait for each other."""

    def __init__(self, cycle: tuple[str, ...]) -> None:
        super().__init__(" -> ".join(cycle))
        self.cycle = cycle


def order(steps: tuple[Step, ...]) -> Order:
    """Derive the DAG. Every id named must exist. Raises CycleError where steps wait for each other."""
    index = {step.id: i for i, step in enumerate(steps)}
    fallback_of = {index[s.on_error.fallback]: i for i, s in enumerate(steps) if s.on_error.fallback}
    after: list[tuple[int, ...]] = []
    previous: int | None = None
    for i, step in enumerate(steps):
        after.append(_predecessors(step, i, previous, index, fallback_of))
        if i not in fallback_of:
            previous = i
    watched = tuple(frozenset({index[s.when.step]}) if s.when else frozenset[int]() for s in steps)
    stands_in = {step: target for target, step in fallback_of.items()}
    waits = tuple(_waits_for(i, before, stands_in) for i, before in enumerate(after))
    return Order(_sequence(steps, waits), tuple(after), waits, watched, fallback_of)


def comes_after(steps: Sequence[Step], fallback_of: Mapping[int, int], i: int) -> tuple[str, ...]:
    """Ids of the steps that step i comes after by `needs` or by position; a fallback without `needs` like its step.

    Where it is one, that step's main output is what i takes for a main input that it leaves out.
    """
    seen = {i}
    while steps[i].needs is None and fallback_of.get(i, i) not in seen:
        i = fallback_of[i]
        seen.add(i)
    needs = steps[i].needs
    if needs is not None:
        return needs
    for k in range(i - 1, -1, -1):
        if k not in fallback_of:
            return (steps[k].id,)
    return ()


def uses(step: Step) -> frozenset[str]:
    """Ids of the steps whose output the step refers to, in its parameters or its `for_each`."""
    values: list[Any] = [dict(step.params)]
    if step.for_each is not None:
        values.append(step.for_each if isinstance(step.for_each, str) else list(step.for_each))
    return frozenset(ref.name for value in values for _, ref in references(value) if ref.kind == "steps")


def secrets(plan: Plan) -> dict[str, list[str]]:
    """Names of the secrets that the plan's parameters refer to, and the places (JSON Pointers) of each."""
    found: dict[str, list[str]] = {}
    for i, step in enumerate(plan.steps):
        for pointer, reference in references(dict(step.params)):
            if reference.kind == "secrets":
                found.setdefault(reference.name, []).append(f"/steps/{i}/params{pointer}")
    return found


def readers(steps: Sequence[Step], name: str) -> tuple[str, ...]:
    """Ids of the steps that see what the step of that id gives: by a reference, or as a main input that they leave out.

    Where it is a fallback, that is seen as the output of the step it stands in for, too.
    """
    index = {step.id: i for i, step in enumerate(steps)}
    fallback_of = {index[s.on_error.fallback]: i for i, s in enumerate(steps) if s.on_error.fallback in index}
    names, at = {name}, index[name]
    while at in fallback_of and steps[fallback_of[at]].id not in names:
        at = fallback_of[at]
        names.add(steps[at].id)
    return tuple(
        step.id
        for i, step in enumerate(steps)
        if names & uses(step)
        or (
            MAIN_INPUTS.get(step.skill, "") not in (*step.params, "")
            and names & {*comes_after(steps, fallback_of, i)}
        )
    )


def _predecessors(
    step: Step, i: int, previous: int | None, index: Mapping[str, int], fallback_of: Mapping[int, int]
) -> tuple[int, ...]:
    """Fallbacks start when their step failed, so only their own `needs` and references count besides it."""
    found = {index[name] for name in uses(step)}
    if step.when:
        found.add(index[step.when.step])
    if i in fallback_of:
        found.add(fallback_of[i])
        found.update(index[name] for name in step.needs or ())
    elif step.needs is not None:
        found.update(index[name] for name in step.needs)
    elif previous is not None:
        found.add(previous)
    return tuple(sorted(found))


def _waits_for(i: int, after: tuple[int, ...], stands_in: Mapping[int, int]) -> tuple[int, ...]:
    """Whoever waits for a step also waits for its fallbacks, unless it is one of them."""
    needed = set(after)
    for step in after:
        needed.update(takewhile(lambda target: target != i, _fallbacks(step, stands_in)))
    return tuple(sorted(needed))


def _sequence(steps: tuple[Step, ...], waits_for: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """Kahn's algorithm, smallest index first."""
    waits = [set(needed) for needed in waits_for]
    ready = sorted((i for i, needed in enumerate(waits) if not needed), reverse=True)
    followers: dict[int, list[int]] = {}
    for i, needed in enumerate(waits):
        for step in needed:
            followers.setdefault(step, []).append(i)
    done: list[int] = []
    while ready:
        done.append(current := ready.pop())
        for follower in followers.get(current, ()):
            waits[follower].discard(current)
            if not waits[follower]:
                ready.append(follower)
        ready.sort(reverse=True)
    if len(done) < len(steps):
        raise CycleError(_cycle(steps, waits))
    return tuple(done)


def _fallbacks(step: int, stands_in: Mapping[int, int]) -> Iterator[int]:
    """The step's fallback, that one's own fallback, and so on; each once."""
    seen = {step}
    while (step := stands_in.get(step, -1)) >= 0 and step not in seen:
        seen.add(step)
        yield step


def _cycle(steps: tuple[Step, ...], waits: list[set[int]]) -> tuple[str, ...]:
    """Walk back along unmet edges until a step repeats."""
    current = next(i for i, needed in enumerate(waits) if needed)
    path: list[int] = []
    while current not in path:
        path.append(current)
        current = min(waits[current])
    loop = [*path[path.index(current) :], current]
    return tuple(steps[i].id for i in reversed(loop))
