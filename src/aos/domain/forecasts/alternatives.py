"""Alternatives: changes to a plan or its limits, each simulated, with what it would give."""

from typing import Any, Literal, NamedTuple

from aos.domain.forecasts.forecast import Chance
from aos.domain.forecasts.verdicts import Limits, Verdict
from aos.domain.plans.plan import Plan

Kind = Literal[
    "raise_budget",
    "move_deadline",
    "raise_both",
    "declare",
    "raise_rate_limit",
    "add_slots",
    "expect_items",
    "change_model",
    "run_in_parallel",
    "relax_retry",
    "raise_timeout",
    "limit_time",
    "limit_tokens",
    "fewer_iterations",
    "drop_step",
    "continue_on_error",
    "two_changes",
    "accept_risk",
]


class Operation(NamedTuple):
    """One operation of a JSON Patch (RFC 6902) on the normalised plan document; `remove` has no value."""

    op: Literal["add", "replace", "remove"]
    path: str
    value: Any = None


class Declaration(NamedTuple):
    """A figure that nobody knows, and the most it may be; None where any value will do.

    `figure` is `cost_cents` a call, `latency_ms` of a call, or `failure`, the chance that a call fails for
    good. `model` is set where the price is that of a language model.
    """

    skill: str
    model: str | None
    figure: Literal["cost_cents", "latency_ms", "failure"]
    at_most: float | None


class Agreement(NamedTuple):
    """A number in the catalog that others would have to agree to: the `slots` of a pool, or how many calls `per_minute`
    a skill's rate limit allows; `name` is the pool or the skill. `needs` is more than there are `now`.
    """

    setting: Literal["slots", "per_minute"]
    name: str
    now: float
    needs: float


class Outlook(NamedTuple):
    """A forecast in a few figures, cents and ms; a quantile is None where an unknown figure enters it."""

    verdict: Verdict
    feasible: Chance
    success: Chance
    in_budget: Chance
    in_time: Chance
    in_limits: Chance
    cost_p50: float | None
    cost_p95: float | None
    time_p50: float | None
    time_p95: float | None


class Difference(NamedTuple):
    """What changes against the plan as it is, simulated with the same luck; negative is cheaper or faster.

    `feasible` is the change of the chance's lower end. None where either side is unknown.
    """

    feasible: float
    cost_p50: float | None
    cost_p95: float | None
    time_p50: float | None
    time_p95: float | None


class Alternative(NamedTuple):
    """A change that was simulated: `plan` and `limits` with it, and the `outlook` they have.

    `patch` applies all of it to the plan's normalised document; `flags` are the options of `aos simulate` that
    set its limits, for who gives limits there. `declares` are figures that somebody would have to vouch for, `agreed`
    limits that somebody would have to raise: no patch can. `assumes` says what the forecast can't
    see and a person must judge, "" where there is nothing. `changes_meaning`: the plan then does something
    else, or risks something else, than its author wrote. `size` orders alternatives: less is changed less.
    """

    kind: Kind
    summary: str
    assumes: str
    changes_meaning: bool
    size: float
    flags: tuple[str, ...]
    patch: tuple[Operation, ...]
    declares: tuple[Declaration, ...]
    plan: Plan
    limits: Limits
    outlook: Outlook
    difference: Difference
    agreed: tuple[Agreement, ...] = ()

    @property
    def in_plan(self) -> bool:
        """Whether the changed plan alone keeps the promise: neither catalog nor what is asked has to change."""
        return not (self.declares or self.agreed) and "--min-success" not in self.flags

    @property
    def in_options(self) -> bool:
        """Whether the options alone do: neither plan nor catalog has to change."""
        of_steps = any(operation.path.startswith("/steps") for operation in self.patch)
        return bool(self.flags) and not (of_steps or self.declares or self.agreed)
