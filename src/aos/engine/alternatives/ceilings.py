"""Ceilings: how large a figure that nobody knows may be for the plan to be feasible all the same."""

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Literal, NamedTuple

from aos.domain.forecasts.alternatives import Declaration
from aos.domain.plans.plan import Plan
from aos.domain.plans.references import given
from aos.domain.skills.distributions import Constant
from aos.domain.skills.skill import Catalog, FailureMode, Figure, Provenance, Skill, TokenCost
from aos.engine.alternatives.trials import Trial, Trials
from aos.engine.execution.program import Call, Program
from aos.engine.sampling.attempts import attempts_table, retried
from aos.engine.sampling.distributions import quantile_table
from aos.engine.sampling.prices import MICRO, Price

_PROBES = 8
_RANGE = 1e4
_SHARES = (1.0, 0.9, 0.75, 0.5, 0.25)
_DIGITS = 2

Name = Literal["cost_cents", "latency_ms", "failure"]
_UNKNOWN: Mapping[Name, str] = {
    "cost_cents": "unknown_cost",
    "latency_ms": "unknown_latency",
    "failure": "unknown_failure",
}


class Open(NamedTuple):
    """A figure nobody knows, and the steps (indices) it bears on."""

    skill: str
    model: str | None
    figure: Name
    steps: tuple[int, ...]


def open_figures(program: Program, plan: Plan, catalog: Catalog) -> tuple[Open, ...]:
    """Every unknown figure of the plan's skills; numbers of items are not among them."""
    found: dict[tuple[str, str | None, Name], list[int]] = {}
    for i, call in enumerate(program.calls):
        skill = call.step.skill
        if call.price is None:
            priced = isinstance(catalog.skills[skill].cost, TokenCost)
            model = given(plan.steps[i].params.get("model"), plan.inputs) if priced else None
            named = model if isinstance(model, str) else None
            found.setdefault((skill, named, "cost_cents"), []).append(i)
        if not call.attempts.latency_known:
            found.setdefault((skill, None, "latency_ms"), []).append(i)
        if not call.attempts.failures_known:
            found.setdefault((skill, None, "failure"), []).append(i)
    return tuple(Open(*key, tuple(steps)) for key, steps in found.items())


def declared(program: Program, catalog: Catalog, figures: Mapping[Open, float]) -> Program:
    """The program as if somebody had declared these constants.

    A declared chance to fail is that of a PERMANENT failure where the skill names no mode, else it is divided
    evenly between the modes whose chance is unknown.
    """
    calls = list(program.calls)
    for i, call in enumerate(calls):
        values = {figure.figure: value for figure, value in figures.items() if i in figure.steps}
        if values:
            calls[i] = _declared(call, catalog.skills[call.step.skill], values)
    answered = {(_UNKNOWN[figure.figure], i) for figure in figures for i in figure.steps}
    left = tuple(u for u in program.unknowns if (u.code, int(u.pointer.split("/")[2])) not in answered)
    return program._replace(calls=tuple(calls), unknowns=left)


def ceilings(trials: Trials, plan: Plan) -> tuple[tuple[Declaration, ...], Trial] | None:
    """The most that all unknown figures together may be for the plan to be feasible, and the trial of it.

    First each alone is as large as it may be with the others at 0, by bisection over four powers of ten; then
    all of them the largest common share of that which a simulation at these values finds feasible. None where
    the plan is not feasible even with all of them at 0, or has other doubts.
    """
    program, catalog = trials.base.program, trials.catalog
    figures = open_figures(program, plan, catalog)
    best = dict.fromkeys(figures, 0.0)

    def passes(values: Mapping[Open, float]) -> bool:
        trial = trials.of_program(plan, declared(program, catalog, values), probe=True)
        return trial is not None and trial.shortfall <= 0

    recorded = program.rows is not None or program.loans is not None
    # What is drawn from recorded runs does not depend on the figures of skills.
    if not figures or recorded or not passes(best):
        return None
    most = {figure: _most(trials, figure, passes, best) for figure in figures}
    for share in _SHARES:
        at_most = {f: None if m is None else _rounded_down(m * share) for f, m in most.items()}
        trial = trials.of_program(plan, declared(program, catalog, {f: v or 0.0 for f, v in at_most.items()}))
        if trial is None:
            return None
        if trial.feasible:
            return tuple(Declaration(f.skill, f.model, f.figure, v) for f, v in at_most.items()), trial
    return None


def _most(
    trials: Trials, figure: Open, passes: Callable[[Mapping[Open, float]], bool], best: Mapping[Open, float]
) -> float | None:
    """The most that passes; None where no limit bears on the figure."""
    limit = {
        "cost_cents": None if trials.aim.budget_cents is None else float(trials.aim.budget_cents),
        "latency_ms": trials.aim.deadline_ms,
        "failure": 1.0,
    }[figure.figure]
    if limit is None:
        return None
    low, high = limit / _RANGE, limit
    if not passes({**best, figure: low}):
        return 0.0
    for _ in range(_PROBES):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if passes({**best, figure: middle}) else (low, middle)
    return low


def _rounded_down(value: float) -> float:
    """To two significant digits."""
    exact = Decimal(value)
    return float(exact.quantize(Decimal(1).scaleb(exact.adjusted() - _DIGITS + 1), rounding=ROUND_FLOOR))


def _declared(call: Call, skill: Skill, values: Mapping[Name, float]) -> Call:
    if "cost_cents" in values:
        cents = values["cost_cents"]
        micro = round(cents * MICRO)
        call = call._replace(price=Price(micro, None, 0.0, 0.0, cents, micro))
    if values.keys() <= {"cost_cents"}:
        return call
    latency = call.attempts.clean if call.attempts.latency_known else None
    if "latency_ms" in values:
        latency = quantile_table(Constant(values["latency_ms"]))
        call = call._replace(typical_ms=min(values["latency_ms"], call.attempts.timeout_ms))
    failures = _filled(skill.failures, values["failure"]) if "failure" in values else skill.failures
    timeout = None if call.step.timeout_s is None else call.step.timeout_s * 1000
    attempts = attempts_table(latency, failures, timeout)
    again = retried(attempts.modes, call.retry, call.effects)
    return call._replace(attempts=attempts, retried=again, retries_all=bool(again.all()))


def _filled(failures: Sequence[FailureMode] | None, chance: float) -> tuple[FailureMode, ...]:
    """The failure modes, those of unknown chance with their part of this one."""
    unknown = [mode for mode in failures or () if mode.probability is None]
    part = Figure(chance / max(len(unknown), 1), Provenance("declared"))
    if failures is None:
        return (FailureMode("FAILED", "PERMANENT", part),)
    return tuple(mode._replace(probability=part) if mode.probability is None else mode for mode in failures)
