"""Forecasts: what a plan will probably cost, how long it will take, what may fail. Times in ms, money in cents."""

from typing import NamedTuple


class Estimate(NamedTuple):
    """A figure computed from samples, with its standard error (0 where it is exact)."""

    value: float
    se: float


class Spread(NamedTuple):
    """A distribution in a few figures. `counts[i]` samples lie in [edges[i], edges[i+1]): for a small picture."""

    mean: Estimate
    p50: Estimate
    p90: Estimate
    p95: Estimate
    p99: Estimate
    p05: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]


class Figures(NamedTuple):
    """A distribution in five figures."""

    mean: float
    p50: float
    p90: float
    p95: float
    p99: float


class Chance(NamedTuple):
    """A probability; `low` < `high` where an unknown figure leaves it open between the two."""

    low: Estimate
    high: Estimate

    @property
    def known(self) -> Estimate | None:
        """The probability, None where an unknown figure leaves it open."""
        return self.low if self.low.value == self.high.value else None


class Risk(NamedTuple):
    """A failure that may come: chance that a run meets `code` in a step, and that it ends the step."""

    step: str
    code: str
    category: str
    meets: float
    fails: float


class StepForecast(NamedTuple):
    """One step of the forecast. `time` and `cost` are over the samples in which it runs; None is unknown."""

    id: str
    skill: str
    runs: float
    succeeds: float
    attempts: float
    time: Figures | None
    cost: Figures | None
    typical_ms: float | None
    typical_cents: float | None
    typical_start_ms: float | None


class BudgetStop(NamedTuple):
    """What a budget that holds does to the run: how often it stops it, what is then spent.

    A step that has begun is finished: `over_cents` is the most that a run can spend over the budget by it, as far as
    the catalog states what a step costs at most; of the steps `unbounded` it states nothing.
    """

    chance: Estimate
    spent: Spread
    over_cents: float = 0.0
    unbounded: tuple[str, ...] = ()


class Unknown(NamedTuple):
    """A figure that nobody knows: `code` is a row of the catalogue, `pointer` the place in the plan."""

    code: str
    pointer: str
    reason: str


class Forecast(NamedTuple):
    """The joint distribution of one plan's cost, time and outcome.

    `time` is active time: waits for people are left out, `elapsed` has them in. Where a figure is unknown
    `cost`, `time` or `elapsed` is None and the `*_at_least` spread is what the known figures add up to.
    The chances are over runs: `success` every step that must succeed does, `in_budget`, `in_time`,
    `in_limits` both at once, `feasible` success within all limits. Where no limit was given, only an unknown
    figure keeps a chance from being 1.
    `*_if_success` are over the runs that succeed alone: others end early, and are cheap and quick. None where nobody
    knows which do, or what those cost or take; and where none does.
    `typical_*` is the sum of typical figures along the critical path of a clean run.
    """

    samples: int
    seed: int
    cost: Spread | None
    cost_at_least: Spread
    time: Spread | None
    time_at_least: Spread
    elapsed: Spread | None
    success: Chance
    in_budget: Chance
    in_time: Chance
    in_limits: Chance
    feasible: Chance
    budget_stop: BudgetStop | None
    typical_cents: float | None
    typical_ms: float | None
    steps: tuple[StepForecast, ...]
    risks: tuple[Risk, ...]
    unknowns: tuple[Unknown, ...]
    cost_for_confidence: float | None
    time_for_confidence: float | None
    cost_if_success: Figures | None = None
    time_if_success: Figures | None = None
