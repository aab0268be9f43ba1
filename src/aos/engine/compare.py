"""Two plans with the same luck: what differs between them, sample by sample, so that most of the noise cancels.

Steps that both plans have draw from the same streams (common random numbers). The standard error of a
difference is that of the paired samples, not of two figures that know nothing of each other. Source: Law
(2015), Simulation Modeling and Analysis, section 11.2.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from aos.domain.forecasts.differences import Delta, Pair, PlanFigures, Quantity, StepFigures
from aos.domain.forecasts.forecast import Forecast
from aos.domain.forecasts.verdicts import MAX_SAMPLES, Limits, Reason, Verdict
from aos.domain.plans.plan import Plan
from aos.engine.execution.program import Program
from aos.engine.feasibility import too_close, verdict
from aos.engine.sampling.distributions import Floats, nearest_rank
from aos.engine.simulate import Samples, Simulation, chunk_size
from aos.engine.summary import Held, Totals, forecast, outcomes, totals

_SECTIONS = 20
_DECIMALS = 6  # of cents and milliseconds: what lies below is the rounding of sums taken in another order


class Side(NamedTuple):
    """One of the two plans, ready to be drawn; `refused` as for `aos.engine.feasibility.judge`."""

    program: Program
    limits: Limits
    refused: Sequence[Reason] = ()


class Compared(NamedTuple):
    """Forecast and verdict of A and of B, and the differences of the wholes and of the steps asked for."""

    a: tuple[Forecast, Verdict]
    b: tuple[Forecast, Verdict]
    plan: PlanFigures
    steps: tuple[StepFigures, ...]


def shared_streams(a: Plan, b: Plan, same: Mapping[int, int]) -> dict[str, int]:
    """Streams for the steps of B, by id: those of A for the steps both have (B's place -> A's), else new ones."""
    new = iter(range(len(a.steps), len(a.steps) + len(b.steps)))
    return {step.id: same[j] if j in same else next(new) for j, step in enumerate(b.steps)}


def compare(
    a: Side,
    b: Side,
    steps: Sequence[tuple[int | None, int | None]],
    *,
    samples: int,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> Compared:
    """Simulate both and take the differences. B must be compiled with `shared_streams`.

    `steps` are pairs of places in A and B, None where a plan lacks the step. Samples double, for both, while
    either verdict is too close to call. What is said of steps rests on the first chunk.
    """
    of_a, of_b = _draw(a, b, samples, seed, progress)
    forecasts = [forecast(side.program, got, seed, side.limits) for side, got in ((a, of_a), (b, of_b))]
    verdicts = [
        verdict(side.program, told, side.limits, side.refused)
        for side, told in zip((a, b), forecasts, strict=True)
    ]
    return Compared(
        a=(forecasts[0], verdicts[0]),
        b=(forecasts[1], verdicts[1]),
        plan=_plan((totals(of_a), a.limits, forecasts[0]), (totals(of_b), b.limits, forecasts[1])),
        steps=tuple(_step(_at(a.program, of_a[0], i), _at(b.program, of_b[0], j)) for i, j in steps),
    )


def _draw(
    a: Side, b: Side, samples: int, seed: int, progress: Callable[[int], None] | None
) -> tuple[list[Samples], list[Samples]]:
    """The chunks of both. They have one size: retries take their luck from the chunk they are in."""
    left, right = Simulation(a.program, seed), Simulation(b.program, seed)
    size = min(chunk_size(a.program), chunk_size(b.program))
    of_a, of_b = list[Samples](), list[Samples]()
    wanted, drawn = samples, 0
    while True:
        while drawn < wanted:
            count = min(size, wanted - drawn)
            of_a += left.take(count)
            of_b += right.take(count)
            drawn += count
            if progress:
                progress(drawn)
        close = too_close(of_a, a.limits) or too_close(of_b, b.limits)
        if wanted * 2 > MAX_SAMPLES or not close:
            return of_a, of_b
        wanted *= 2


# -- the plans as wholes -----------------------------------------------------------------------------------

_Whole = tuple[Totals, Limits, Forecast]


def _plan(a: _Whole, b: _Whole) -> PlanFigures:
    kept_a, kept_b = outcomes(a[0], a[1]), outcomes(b[0], b[1])
    cost_known = (not a[0].cost_open.any(), not b[0].cost_open.any())
    time_known = (not a[0].time_open.any(), not b[0].time_open.any())
    return PlanFigures(
        cost=_quantity((a[2].typical_cents, b[2].typical_cents), a[0].cost, b[0].cost, cost_known),
        time=_quantity((a[2].typical_ms, b[2].typical_ms), a[0].time, b[0].time, time_known),
        feasible=_chance(kept_a.feasible, kept_b.feasible),
        success=_chance(kept_a.success, kept_b.success),
        in_budget=_chance(kept_a.in_budget, kept_b.in_budget),
        in_time=_chance(kept_a.in_time, kept_b.in_time),
    )


def _quantity(
    typical: tuple[float | None, float | None], a: Floats, b: Floats, known: tuple[bool, bool]
) -> Quantity:
    old, new = typical
    exact = None if old is None or new is None else Delta(round(new - old, _DECIMALS), 0.0)
    return Quantity(
        Pair(old, new, exact), _mean(a, b, known), _quantile(a, b, 0.5, known), _quantile(a, b, 0.95, known)
    )


def _chance(a: Held, b: Held) -> Pair:
    """Of runs that keep it; unknown where an unknown figure leaves some open."""
    known = not (a.hits & a.left_open).any(), not (b.hits & b.left_open).any()
    return _mean(a.hits.astype(float), b.hits.astype(float), known)


def _mean(a: Floats, b: Floats, known: tuple[bool, bool]) -> Pair:
    """The difference of two means is the mean of the differences, and varies as these do."""
    apart = np.round(b - a, _DECIMALS)
    delta = Delta(float(apart.mean()), float(apart.std() / np.sqrt(len(apart))))
    return _pair(float(a.mean()), float(b.mean()), delta, known)


def _quantile(a: Floats, b: Floats, level: float, known: tuple[bool, bool]) -> Pair:
    """The difference of two quantiles. Its error is how much it scatters over 20 sections of the samples.

    Source: Nakayama (2014), "Confidence intervals for quantiles using sectioning when applying
    variance-reduction techniques", ACM TOMACS 24(4), equation 9.
    """
    low, high = _at_level(a[None, :], level)[0], _at_level(b[None, :], level)[0]
    value = round(float(high - low), _DECIMALS)
    sections = [x[: len(x) // _SECTIONS * _SECTIONS].reshape(_SECTIONS, -1) for x in (a, b)]
    apart = np.round(_at_level(sections[1], level) - _at_level(sections[0], level), _DECIMALS) - value
    se = float(np.sqrt((apart**2).sum() / (_SECTIONS * (_SECTIONS - 1))))
    return _pair(float(low), float(high), Delta(value, se), known)


def _at_level(rows: Floats, level: float) -> Floats:
    """In each row the least value that a share `level` of it does not exceed, as forecasts have quantiles."""
    rank = nearest_rank(level, rows.shape[1])
    found: Floats = np.partition(rows, rank, axis=1)[:, rank]
    return found


def _pair(a: float, b: float, delta: Delta, known: tuple[bool, bool]) -> Pair:
    return Pair(a if known[0] else None, b if known[1] else None, delta if all(known) else None)


# -- single steps ------------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """What a step adds to each sample, and which of it is known: all of it where the plan lacks the step."""

    runs: Floats
    fails: Floats
    cost: Floats
    time: Floats
    fails_known: bool = True
    cost_known: bool = True
    time_known: bool = True


def _at(program: Program, chunk: Samples, i: int | None) -> _Part:
    if i is None:
        nothing = np.zeros(len(chunk.cost))
        return _Part(nothing, nothing, nothing, nothing)
    assert chunk.steps is not None
    call, step = program.calls[i], chunk.steps[i]
    return _Part(
        runs=step.ran.astype(float),
        fails=(step.ran & ~step.ok).astype(float),
        cost=step.cents,
        time=np.where(step.ran, step.end - step.start, 0.0),
        fails_known=call.failures_known,
        cost_known=call.cost_known,
        time_known=call.time_known,
    )


def _step(a: _Part, b: _Part) -> StepFigures:
    return StepFigures(
        runs=_mean(a.runs, b.runs, (True, True)),
        fails=_mean(a.fails, b.fails, (a.fails_known, b.fails_known)),
        cost=_mean(a.cost, b.cost, (a.cost_known, b.cost_known)),
        time=_mean(a.time, b.time, (a.time_known, b.time_known)),
    )
