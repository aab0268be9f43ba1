"""Samples condensed into a forecast: quantiles, chances and their sampling errors, step by step."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.domain.forecasts.forecast import (
    BudgetStop,
    Chance,
    Estimate,
    Figures,
    Forecast,
    Risk,
    Spread,
    StepForecast,
)
from aos.domain.forecasts.verdicts import Limits
from aos.engine.execution.budget import overshoot, spent_when_stopped
from aos.engine.execution.program import Call, Program
from aos.engine.sampling.distributions import Floats, nearest_rank
from aos.engine.sampling.draws import Flags
from aos.engine.sampling.draws import Samples as Picked
from aos.engine.sampling.prices import MICRO, Money
from aos.engine.simulate import Samples, StepSamples
from aos.engine.typical import TypicalRun, typical_run

_BINS = 32
_QUANTILES = (0.5, 0.9, 0.95, 0.99)


class Totals(NamedTuple):
    """The per-sample totals of all chunks, one array each; see `Samples`. `micro` is the cost in micro-cents."""

    micro: Money
    cost: Floats
    time: Floats
    elapsed: Floats
    success: Flags
    cost_open: Flags
    time_open: Flags
    success_open: Flags


def totals(chunks: Sequence[Samples]) -> Totals:
    """Join chunks; cost becomes cents."""
    micro = np.concatenate([c.cost for c in chunks])
    return Totals(
        micro=micro,
        cost=micro / MICRO,
        time=np.concatenate([c.time for c in chunks]),
        elapsed=np.concatenate([c.elapsed for c in chunks]),
        success=np.concatenate([c.success for c in chunks]),
        cost_open=_flags(chunks, "cost_open"),
        time_open=_flags(chunks, "time_open"),
        success_open=_flags(chunks, "success_open"),
    )


class Held(NamedTuple):
    """In which samples something is kept, as far as is known, and which of them an unknown figure leaves open."""

    hits: Flags
    left_open: Flags


class Outcomes(NamedTuple):
    """The samples that succeed, stay within each limit, within both, and succeed within both."""

    success: Held
    in_budget: Held
    in_time: Held
    in_limits: Held
    feasible: Held


def outcomes(total: Totals, limits: Limits) -> Outcomes:
    """Hold every sample against the limits."""
    always = np.ones(len(total.micro), bool)
    cheap = always if limits.budget_cents is None else total.micro <= int(limits.budget_cents * MICRO)
    quick = always if limits.deadline_ms is None else total.time <= limits.deadline_ms
    within = Held(cheap & quick, total.cost_open | total.time_open)
    return Outcomes(
        success=Held(total.success, total.success_open),
        in_budget=Held(cheap, total.cost_open),
        in_time=Held(quick, total.time_open),
        in_limits=within,
        feasible=Held(within.hits & total.success, within.left_open | total.success_open),
    )


def chances(chunks: Sequence[Samples], limits: Limits) -> tuple[Chance, Chance, Chance, Chance, Chance]:
    """P(success), P(in budget), P(in time), P(both), P(success within both): see `Forecast`."""
    return _chances(totals(chunks), limits)


def forecast(program: Program, chunks: Sequence[Samples], seed: int, limits: Limits) -> Forecast:
    """Condense the samples of a program. What is said of single steps, and the budget stop, rest on the first
    chunk, which must have been drawn with `detail`.
    """
    total = totals(chunks)
    success, in_budget, in_time, in_limits, feasible = _chances(total, limits)
    cost, time = spread(total.cost), spread(total.time)
    elapsed_known = not (total.time_open.any() or program.waits_unknown)
    waits = any(call.wait is not None for call in program.calls)
    typical = typical_run(program)
    steps, risks = _steps(program, chunks[0], typical)
    return Forecast(
        samples=len(total.micro),
        seed=seed,
        cost=None if total.cost_open.any() else cost,
        cost_at_least=cost,
        time=None if total.time_open.any() else time,
        time_at_least=time,
        elapsed=(spread(total.elapsed) if waits else time) if elapsed_known else None,
        success=success,
        in_budget=in_budget,
        in_time=in_time,
        in_limits=in_limits,
        feasible=feasible,
        budget_stop=_budget_stop(program, chunks[0], limits),
        typical_cents=typical.cents,
        typical_ms=typical.ms,
        steps=steps,
        risks=risks,
        unknowns=program.unknowns,
        cost_for_confidence=_limit_for(total.cost, total.cost_open, limits.confidence),
        time_for_confidence=_limit_for(total.time, total.time_open, limits.confidence),
        cost_if_success=_if_success(total, total.cost, total.cost_open),
        time_if_success=_if_success(total, total.time, total.time_open),
    )


def spread(values: Floats) -> Spread:
    """Mean and quantiles with standard errors, and counts in 32 cells from the least value to the p95:
    a long tail would leave the body of the picture in one cell.

    A quantile's error is half the distance between the order statistics one binomial standard deviation
    below and above it. Source: David & Nagaraja (2003), Order Statistics, section 7.1.
    """
    ordered = np.sort(values)
    n = len(ordered)
    p50, p90, p95, p99 = (_quantile(ordered, level) for level in _QUANTILES)
    edges = np.linspace(ordered[0], p95.value, _BINS + 1) if p95.value > ordered[0] else ordered[:1]
    below = np.searchsorted(ordered, edges, side="right")
    below[0] = 0
    return Spread(
        mean=Estimate(float(values.mean()), float(values.std() / np.sqrt(n))),
        p50=p50,
        p90=p90,
        p95=p95,
        p99=p99,
        p05=_quantile(ordered, 0.05).value,
        edges=tuple(edges.tolist()),
        counts=tuple(np.diff(below).tolist()) or (n,),
    )


def proportion(hits: Flags) -> Estimate:
    """A share of the samples and its standard error sqrt(p(1-p)/n)."""
    p = float(np.count_nonzero(hits)) / len(hits)
    return Estimate(p, float(np.sqrt(p * (1 - p) / len(hits))))


def _chances(total: Totals, limits: Limits) -> tuple[Chance, Chance, Chance, Chance, Chance]:
    success, in_budget, in_time, in_limits, feasible = (_chance(*held) for held in outcomes(total, limits))
    return success, in_budget, in_time, in_limits, feasible


def _chance(hits: Flags, left_open: Flags) -> Chance:
    """Between counting every open sample as a miss and taking it for what its known part says."""
    high = proportion(hits)
    return Chance(proportion(hits & ~left_open) if left_open.any() else high, high)


def _quantile(ordered: Floats, level: float) -> Estimate:
    """The least value that at least a share `level` of the samples does not exceed."""
    n = len(ordered)
    rank = level * n
    wide = np.sqrt(rank * (1 - level))
    low, at, high = (min(n - 1, max(0, int(np.ceil(r)) - 1)) for r in (rank - wide, rank, rank + wide))
    return Estimate(float(ordered[at]), float(ordered[high] - ordered[low]) / 2)


def _limit_for(values: Floats, left_open: Flags, confidence: float) -> float | None:
    """The least limit that the confidence asked for would be kept with, None where an unknown prevents it."""
    closed = values[~left_open]
    rank = nearest_rank(confidence, len(values))
    return float(np.partition(closed, rank)[rank]) if rank < len(closed) else None


def _if_success(total: Totals, values: Floats, left_open: Flags) -> Figures | None:
    """Figures of the runs that succeed; None where an unknown enters one of them, or whether it is one."""
    success = total.success
    unknown = total.success_open.any() or left_open[success].any()
    return None if unknown else _figures(values, success)


def _budget_stop(program: Program, chunk: Samples, limits: Limits) -> BudgetStop | None:
    if limits.budget_cents is None or not chunk.cost.any():
        return None
    budget = int(limits.budget_cents * MICRO)
    stopped, spent = spent_when_stopped(chunk, budget)
    over, unbounded = overshoot(program, chunk, budget)
    return BudgetStop(proportion(stopped), spread(spent / MICRO), over / MICRO, unbounded)


def _steps(
    program: Program, chunk: Samples, typical: TypicalRun
) -> tuple[tuple[StepForecast, ...], tuple[Risk, ...]]:
    assert chunk.steps is not None
    steps, risks = [], list[Risk]()
    for i, (call, samples) in enumerate(zip(program.calls, chunk.steps, strict=True)):
        steps.append(_step(call, samples, typical, i))
        risks += _risks(call, samples)
    return tuple(steps), tuple(sorted(risks, key=lambda risk: (-risk.fails, -risk.meets)))


def _step(call: Call, samples: StepSamples, typical: TypicalRun, i: int) -> StepForecast:
    ran = int(np.count_nonzero(samples.ran))
    return StepForecast(
        id=call.step.id,
        skill=call.step.skill,
        runs=ran / len(samples.ran),
        succeeds=float(np.count_nonzero(samples.ran & samples.ok)) / ran if ran else 0.0,
        attempts=_attempts(samples) / ran if ran else 0.0,
        time=_figures(samples.end - samples.start, samples.ran) if call.time_known else None,
        cost=_figures(samples.cents, samples.ran) if call.cost_known else None,
        typical_ms=typical.step_ms[i],
        typical_cents=typical.step_cents[i],
        typical_start_ms=typical.start_ms[i],
    )


def _figures(values: Floats, ran: Flags) -> Figures | None:
    values = values if ran.all() else values[ran]
    if not values.size:
        return None
    ordered = values if values.min() == values.max() else np.sort(values)
    ranks = [nearest_rank(level, len(ordered)) for level in _QUANTILES]
    return Figures(float(values.mean()), *ordered[ranks].tolist())


def _attempts(samples: StepSamples) -> int:
    """Attempts made over all nodes of the step in which it ran."""
    again = sum(int(np.count_nonzero(node.ran[live])) for node in samples.nodes for live in node.draw.retries)
    return again + sum(int(np.count_nonzero(node.ran)) for node in samples.nodes)


def _risks(call: Call, samples: StepSamples) -> list[Risk]:
    """For each failure mode: how often a run meets it in this step, how often it is what the step fails with."""
    nodes, modes, count = samples.nodes, call.attempts.modes, len(samples.ran)
    meets = _hits(
        len(modes), count, [(m.samples, m.mode, node.ran) for node in nodes for m in node.draw.rounds]
    )
    fails = _hits(len(modes), count, [(node.draw.failed, node.draw.mode, node.ran) for node in nodes])
    return [
        Risk(call.step.id, mode.code, mode.category, float(meets[m] / count), float(fails[m] / count))
        for m, mode in enumerate(modes)
        if meets[m]
    ]


def _hits(
    modes: int, count: int, events: Sequence[tuple[Picked, NDArray[np.uint8], Flags]]
) -> NDArray[np.intp]:
    """In how many samples each mode happens at least once."""
    happened = [np.zeros(0, np.intp)]
    for samples, mode, ran in events:
        really = ran.take(samples).nonzero()[0]
        happened.append(mode.take(really).astype(np.intp) * count + samples.take(really))
    keys = np.concatenate(happened)
    if len(events) > 1:
        keys.sort()
        keys = keys[np.diff(keys, prepend=-1) > 0]
    return np.bincount(keys // count, minlength=modes)


def _flags(chunks: Sequence[Samples], name: str) -> Flags:
    parts = ((getattr(c, name), len(c.cost)) for c in chunks)
    return np.concatenate([np.zeros(n, bool) if part is None else part for part, n in parts])
