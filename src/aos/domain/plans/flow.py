"""What becomes of a plan's steps: who runs, who goes on, and when money is too short. One rule for forecast and run.

The forecast decides thousands of runs at once and hands in arrays of bools, one value per sample; a run decides
itself and hands in bools. Both combine with `&`, `|` and `^` alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from aos.domain.plans.plan import Order, Outcome, Step

__all__ = ["Flow", "failed_for_good", "too_dear"]


class Truth(Protocol):
    """A bool, or an array of them."""

    def __and__(self, other: Any, /) -> Any: ...
    def __or__(self, other: Any, /) -> Any: ...
    def __xor__(self, other: Any, /) -> Any: ...


T = TypeVar("T", bound=Truth)


class Flow(Generic[T]):
    """The steps of a plan, decided one by one: `decide(i)` once all it waits for have ended, then `end(i, ok)`.

    A step runs when all steps before it went on; a step goes on when it succeeded, when its `when` skipped it, when
    its `on_error` is `continue`, or when its fallback went on in its place (docs/adr/0008). `yes` is True, or an array
    of it. `ok[i]` means something where `ran[i]` is true.
    """

    def __init__(self, steps: Sequence[Step], order: Order, yes: T) -> None:
        self._steps, self._order, self._yes = steps, order, yes
        self._allowed: dict[int, T] = {}
        self.ran: dict[int, T] = {}
        self.ok: dict[int, T] = {}
        self.goes_on: dict[int, T] = {}

    def decide(self, i: int) -> T:
        """Whether step i runs: nothing before it failed for good, and its `when` holds; a fallback only when the
        step it stands in for failed."""
        owner, when = self._order.fallback_of.get(i), self._steps[i].when
        watched = self._order.watched[i]
        allowed = self._yes
        for before in self._order.after[i]:
            if before not in watched and before != owner:
                allowed = allowed & self.goes_on[before]
        ran = allowed
        if owner is not None:
            ran = ran & self.ran[owner] & self._not(self.ok[owner])
        if when:
            ran = ran & self.ended_as(next(iter(watched)), when.outcome)
        self._allowed[i], self.ran[i] = allowed, ran
        return ran

    def recall(self, i: int) -> None:
        """Step i ran, in an earlier try of the run, whatever would be decided now."""
        self._allowed[i] = self.ran[i] = self._yes

    def end(self, i: int, ok: T) -> None:
        """Step i has ended, where it ran: well or not. Where it was skipped it has ended, too."""
        allowed, ran = self._allowed[i], self.ran[i]
        self.ok[i] = ok
        tolerant = self._steps[i].on_error.action == "continue"
        self.goes_on[i] = allowed if tolerant else allowed & (ok | self._not(ran))
        self._stand_in(i)

    def gave(self, i: int) -> T:
        """Whether step i, or its fallback, gave an output; that of one that failed or was skipped is null."""
        given: T = self.ran[i] & self.ok[i]
        return given

    def ended_as(self, i: int, outcome: Outcome) -> T:
        """Whether step i ended with that outcome; where a fallback ran in its place, with the fallback's."""
        ran: T = self.ran[i]
        if outcome == "skipped":
            return self._not(ran)
        ended: T = ran & (self.ok[i] if outcome == "succeeded" else self._not(self.ok[i]))
        return ended

    def success(self) -> T:
        """Whether the run succeeds: every step that is no fallback went on."""
        found = self._yes
        for i, went_on in self.goes_on.items():
            if i not in self._order.fallback_of:
                found = found & went_on
        return found

    def _stand_in(self, fallback: int) -> None:
        """Where the fallback ran, its end is that of the step it stands in for, and of that one's owner."""
        owner = self._order.fallback_of.get(fallback)
        while owner is not None:
            ran = self.ran[fallback]
            self.ok[owner] = self.ok[owner] | (ran & self.ok[fallback])
            self.goes_on[owner] = (ran & self.goes_on[fallback]) | (self._not(ran) & self.goes_on[owner])
            fallback, owner = owner, self._order.fallback_of.get(owner)

    def _not(self, flag: T) -> T:
        # `not` knows no arrays, and `~True` is -2.
        opposite: T = flag ^ self._yes
        return opposite


def failed_for_good(steps: Sequence[Step], ended: Mapping[str, Outcome]) -> tuple[str, ...]:
    """Of the steps that have `ended` in a run, those that failed and did not go on.

    A failure that the plan took care of is none of them: its `on_error` is `continue`, or its fallback went on.
    """
    by_id = {step.id: step for step in steps}

    def went_on(step: Step) -> bool:
        if ended.get(step.id) != "failed":
            return ended.get(step.id) == "succeeded"
        stand_in = step.on_error.fallback
        return step.on_error.action == "continue" or (stand_in is not None and went_on(by_id[stand_in]))

    return tuple(step.id for step in steps if ended.get(step.id) == "failed" and not went_on(step))


def too_dear(ask: Any, before: Any, budget: Any) -> Any:
    """Whether the budget stops the run before a step that sets `ask` aside, `before` being spent or set aside
    already. Amounts of one unit, or arrays of them; a step that asks for nothing is never stopped."""
    return (ask > 0) & (before + ask > budget)
