"""Differences: what changes from one plan (A) to another (B), told apart from the noise of sampling."""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import STANDARD_ERRORS, Decision

Kind = Literal["same", "noise", "real"]

_FROM_BEST: tuple[Decision, ...] = ("feasible", "undetermined", "infeasible")


class Delta(NamedTuple):
    """B minus A of one figure, and its standard error. Both had the same luck, so most noise is gone from it."""

    value: float
    se: float

    @property
    def kind(self) -> Kind:
        """`same` in every sample, `real` beyond two standard errors, else `noise`."""
        if self.value == 0 and self.se == 0:
            return "same"
        return "real" if abs(self.value) > STANDARD_ERRORS * self.se else "noise"


class Pair(NamedTuple):
    """One figure of both plans. None is unknown, and then so is the difference."""

    a: float | None
    b: float | None
    delta: Delta | None

    @property
    def rises(self) -> bool:
        """Whether it is really higher in B."""
        return self.delta is not None and self.delta.kind == "real" and self.delta.value > 0

    @property
    def falls(self) -> bool:
        """Whether it is really lower in B."""
        return self.delta is not None and self.delta.kind == "real" and self.delta.value < 0


class Quantity(NamedTuple):
    """Cost (cents) or time (ms) of both plans: of the typical run, and over all of them."""

    typical: Pair
    mean: Pair
    p50: Pair
    p95: Pair


class PlanFigures(NamedTuple):
    """The plans as wholes. The chances are those of `Forecast`, each plan's under its own limits."""

    cost: Quantity
    time: Quantity
    feasible: Pair
    success: Pair
    in_budget: Pair
    in_time: Pair


class StepFigures(NamedTuple):
    """What a step adds to a run: cost in cents and time in ms, averaged over all runs, those without it included.

    `runs` is the chance that it runs, `fails` that it fails for good. All are 0 in a plan that lacks the step.
    """

    runs: Pair
    fails: Pair
    cost: Pair
    time: Pair


class Change(NamedTuple):
    """A value of A's document that is another in B, under the names that A has for steps.

    `before` is None where B adds the value, `after` where it removes it.
    """

    op: Literal["add", "remove", "replace"]
    pointer: str
    before: Any
    after: Any


class StepDifference(NamedTuple):
    """One step: its id in both plans (None where the plan lacks it), what is changed, what that changes."""

    a: str | None
    b: str | None
    skill: str
    changes: tuple[Change, ...]
    figures: StepFigures

    @property
    def status(self) -> Literal["added", "removed", "changed", "same"]:
        """What became of it. A step under another name alone is the same."""
        if self.a is None:
            return "added"
        return "removed" if self.b is None else "changed" if self.changes else "same"


class ApprovalDifference(NamedTuple):
    """A step that asks for a go-ahead in one plan and not in the other, or for one of another level."""

    step: str
    a: int | None
    b: int | None


class Comparison(NamedTuple):
    """Two plans, simulated with the same luck. `changes` are those outside of the steps.

    `steps` are in the order of B, and what it lacks where A has it.
    """

    a: SimulationResult
    b: SimulationResult
    figures: PlanFigures
    changes: tuple[Change, ...]
    steps: tuple[StepDifference, ...]
    approvals: tuple[ApprovalDifference, ...]

    @property
    def worse(self) -> tuple[str, ...]:
        """In what B is worse, beyond noise: names from `verdict` to `approvals`."""
        return tuple(name for name, worse, _ in self._judged() if worse)

    @property
    def better(self) -> tuple[str, ...]:
        """In what B is better, beyond noise."""
        return tuple(name for name, _, better in self._judged() if better)

    def _judged(self) -> Iterator[tuple[str, bool, bool]]:
        """Each thing that counts: whether B is worse in it, whether it is better."""
        before, after = (_FROM_BEST.index(side.verdict.decision) for side in (self.a, self.b))
        yield "verdict", after > before, after < before
        for name in ("feasible", "success"):
            chance: Pair = getattr(self.figures, name)
            yield name, chance.falls, chance.rises
        for noun, quantity in (("cost", self.figures.cost), ("time", self.figures.time)):
            for name in ("mean", "p95"):
                pair: Pair = getattr(quantity, name)
                yield f"{noun}_{name}", pair.rises, pair.falls
        levels = [(approval.a or 0, approval.b or 0) for approval in self.approvals]
        yield "approvals", any(a < b for a, b in levels), any(b < a for a, b in levels)
