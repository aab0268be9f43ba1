"""Rearranging steps: which may run beside those they only stand after, and which nobody would miss.

A step follows the one written before it unless it says otherwise, though it may use nothing of it. Such an
order is given up only for the step in question: all others keep theirs, so whoever waited for both still
does. A step also keeps its place behind every step that may change the world.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any

from aos.domain.plans.plan import MAIN_INPUTS, Order, Plan, Step, comes_after, uses
from aos.domain.skills.skill import Catalog, Effects


class Arrangement:
    """Who starts after whom, by step index: `before[i]` are the steps that i waits for."""

    def __init__(self, plan: Plan, catalog: Catalog, dag: Order) -> None:
        self.before = [set(before) for before in dag.after]
        self._steps = plan.steps
        self._catalog = catalog
        self._dag = dag
        self._index = {step.id: i for i, step in enumerate(plan.steps)}
        self._previous = _previous(plan, dag)
        self._feeds = [self._feeder(i) for i in range(len(plan.steps))]
        self._needed = [self._real_needs(i) for i in range(len(plan.steps))]

    def afresh(self) -> "Arrangement":
        """The order as it was written."""
        other = copy(self)
        other.before = [set(before) for before in self._dag.after]
        return other

    def detach(self, i: int) -> int | None:
        """Let step i start without the step it merely stands after, which is returned; None where it may not.

        It may where its skill only reads, or is as well called twice as once. It still waits for what it uses
        and for every step before it that may change the world.
        """
        step, previous = self._steps[i], self._previous[i]
        effects = self._effects(step)
        if previous is None or step.needs is not None or step.on_error.fallback:
            return None
        if not (effects.read_only or effects.idempotent):
            return None
        above = self._ancestors()
        writes = {a for a in range(len(self._steps)) if above[i] >> a & 1 and self._writes(a)}
        wanted = self._needed[i] | writes
        if _closure(wanted, above) >> previous & 1:
            return None
        if any(i in before and self._takes_items(follower) for follower, before in enumerate(self.before)):
            return None
        self.before[i] = _direct(wanted, above)
        for follower in self._dag.sequence:
            before = self.before[follower]
            if i in before and not self._ancestors()[follower] >> previous & 1:
                before.add(previous)
        return previous

    def changes(self) -> dict[str, Step | None]:
        """The steps that have to be written otherwise for the order to be as it is now."""
        return {
            step.id: self._written(i, self.before[i])
            for i, step in enumerate(self._steps)
            if self.before[i] != set(self._dag.after[i])
        }

    def without(self, i: int) -> dict[str, Step | None] | None:
        """What changes when step i is dropped; None where it may not be.

        It may where nobody uses it, and either the plan goes on when it fails, or its skill only reads and it
        is not at an end of the plan, where its output may be what the plan is for. Who waited for it then
        waits for those it waited for.
        """
        at_end = not any(i in before for before in self.before)
        optional = self._steps[i].on_error.action == "continue" or not (self._writes(i) or at_end)
        stands_in = i in self._dag.fallback_of or self._steps[i].on_error.fallback is not None
        if not optional or stands_in or self.is_used(i):
            return None
        changed: dict[str, Step | None] = {self._steps[i].id: None}
        above = self._ancestors()
        previous = self._previous[i]
        for follower, before in enumerate(self.before):
            if i not in before:
                continue
            wanted = before - {i} | self.before[i]
            left = self._needed[follower] | ({previous} if previous is not None else set())
            lost = _closure(wanted, above) & ~_closure(left, above)
            if lost or self._steps[follower].needs is not None:
                changed[self._steps[follower].id] = self._written(follower, _direct(wanted, above))
        return changed

    def is_used(self, i: int) -> bool:
        """Whether another step takes its output or looks at its outcome."""
        return any(i in needed for needed in self._needed)

    def longest(self, times: Sequence[float]) -> float:
        """The length of the longest path through the steps, if they take these times."""
        ends = [0.0] * len(times)
        for i in self._dag.sequence:
            ends[i] = times[i] + max((ends[b] for b in self.before[i]), default=0.0)
        return max(ends, default=0.0)

    def _written(self, i: int, before: set[int]) -> Step:
        """The step with `needs` that say so, and its main input spelt out where others come before as well."""
        step = self._steps[i]
        owner = self._dag.fallback_of.get(i)
        needs = tuple(self._steps[b].id for b in sorted(before) if b != owner)
        feeder = self._feeds[i]
        if feeder is None or needs == (self._steps[feeder].id,):
            return step._replace(needs=needs)
        output = self._catalog.skills[self._steps[feeder].skill].main_output
        reference = f"${{steps.{self._steps[feeder].id}.output.{output}}}"
        params: Mapping[str, Any] = {**step.params, MAIN_INPUTS[step.skill]: reference}
        return step._replace(needs=needs, params=params)

    def _takes_items(self, i: int) -> bool:
        """Whether its main input is left out and comes from a step with many outputs: nothing else says that."""
        feeder = self._feeds[i]
        return feeder is not None and self._steps[feeder].for_each is not None

    def _feeder(self, i: int) -> int | None:
        """The step whose main output is taken where the parameter for it is left out."""
        step = self._steps[i]
        if step.skill not in MAIN_INPUTS or MAIN_INPUTS[step.skill] in step.params:
            return None
        came = comes_after(self._steps, self._dag.fallback_of, i)
        return self._index[came[0]] if came else None

    def _real_needs(self, i: int) -> set[int]:
        """The steps whose output it takes or whose outcome it looks at."""
        step = self._steps[i]
        needed = {self._index[name] for name in uses(step)}
        if step.when:
            needed.add(self._index[step.when.step])
        feeder = self._feeds[i]
        return needed if feeder is None else needed | {feeder}

    def _writes(self, i: int) -> bool:
        """Whether the step, or what stands in for it, may change the world."""
        step = self._steps[i]
        if not self._effects(step).read_only:
            return True
        return step.on_error.fallback is not None and self._writes(self._index[step.on_error.fallback])

    def _effects(self, step: Step) -> Effects:
        return self._catalog.skills[step.skill].effects_of(step.params)

    def _ancestors(self) -> list[int]:
        """For each step all that end before it starts: bit j is set where j is one of them."""
        above = [0] * len(self._steps)
        for i in self._dag.sequence:
            above[i] = _closure(self.before[i], above)
        return above


def detachments(plan: Plan, catalog: Catalog, dag: Order) -> Iterator[tuple[Arrangement, dict[int, int]]]:
    """Each step that can be detached alone, then all of them together; with them the step each stood after."""
    alone = []
    as_written = Arrangement(plan, catalog, dag)
    for i in range(len(plan.steps)):
        arrangement = as_written.afresh()
        previous = arrangement.detach(i)
        if previous is not None:
            alone.append(i)
            yield arrangement, {i: previous}
    if len(alone) > 1:
        together = as_written.afresh()
        # Backwards: a step that follows a detached one has `needs` of its own from then on.
        found = {i: together.detach(i) for i in reversed(alone)}
        yield together, {i: previous for i, previous in found.items() if previous is not None}


def _previous(plan: Plan, dag: Order) -> list[int | None]:
    """For each step the one it follows by its place alone; None for the first and for fallbacks."""
    found: list[int | None] = []
    last: int | None = None
    for i in range(len(plan.steps)):
        found.append(None if i in dag.fallback_of else last)
        last = last if i in dag.fallback_of else i
    return found


def _closure(steps: Iterable[int], above: Sequence[int]) -> int:
    """The steps and all above them, as bits."""
    found = 0
    for step in steps:
        found |= above[step] | 1 << step
    return found


def _direct(steps: set[int], above: Sequence[int]) -> set[int]:
    """Those that are not above another one."""
    return {step for step in steps if not any(above[other] >> step & 1 for other in steps)}
