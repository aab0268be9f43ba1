"""Which step makes the cost, the time and the failures: contributions that add up, and shares of them.

Each sample's cost is the sum of its steps' costs, and its time the sum of what the steps on its critical path
add. So the variance of the total is the sum of each step's covariance with it, and Cov(step, total) /
Var(total) are shares that add up to 1: the Euler (covariance) allocation. Source: Tasche (2007), "Capital
Allocation to Business Units and Sub-Portfolios: the Euler Principle", sections 2-4. Where contributions are
independent (a chain in which nothing stops early) the share is the step's first-order Sobol index. Where they
are not, it says in which step the variance shows, and not what set it off: a failure that spares the steps
after it shows in their cost.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from aos.domain.forecasts.attribution import Attribution, Danger, Fix, StepShare
from aos.domain.forecasts.verdicts import Limits
from aos.engine.execution.program import Program
from aos.engine.passage import Resource, time_parts, waited_for
from aos.engine.sampling.distributions import Floats
from aos.engine.sampling.draws import Flags
from aos.engine.sampling.prices import MICRO
from aos.engine.simulate import Samples, StepSamples

_LEAST_TOLERANCE = 1e-9


class Contributions(NamedTuple):
    """What each step adds to each sample, arrays of shape (steps, samples).

    `cost` in cents; `time` in ms, 0 where the step is not on the critical path, so that both add up to the
    sample's total over the steps. `critical`: the step ran and is on a critical path. `breaks`: it failed for
    good, and the run with it; a fallback's failure is that of the step it stands in for.

    `paths` is how much of the critical path goes through the step, 0 to 1. `waits`, one array of (samples,) for what
    is waited for: ms of the critical path.
    """

    cost: Floats
    time: Floats
    critical: Flags
    breaks: Flags
    paths: Floats
    waits: Mapping[Resource, Floats]


class _Threat(NamedTuple):
    """In which samples a danger happens, the chance asked for that it doesn't, and the steps' shares of it."""

    happens: Flags
    asked: float
    shares: Floats

    def used_up(self) -> float:
        """The chance that it happens, in units of the chance left to it."""
        return float(self.happens.mean()) / max(1 - self.asked, _LEAST_TOLERANCE)


def contributions(program: Program, chunk: Samples) -> Contributions:
    """Take a chunk, drawn with `detail`, apart.

    A step adds to the critical path all that passes between the end of the last step before it and its own:
    overhead, its attempts, and also its wait for a slot or a permit, which is counted to the step that waits.
    Where several steps end together the path divides evenly between them.
    """
    assert chunk.steps is not None
    samples = chunk.steps
    paths, added = _paths(program, samples, chunk.time)
    return Contributions(
        cost=np.array([s.cents for s in samples]),
        time=paths * added,
        critical=(paths > 0) & np.array([s.ran for s in samples]),
        breaks=np.array([_breaks(program, samples, i) for i in range(len(samples))]),
        paths=paths,
        waits=waited_for(program, samples, paths),
    )


def attribution(program: Program, chunk: Samples, limits: Limits) -> Attribution:
    """Shares of variance, failures and overruns from one chunk that was drawn with `detail`.

    A share of an overrun is what the step adds in the runs over the limit beyond what it usually adds, of
    what all steps do: the Euler allocation of the expected shortfall, in excess of the mean (Tasche 2007). A
    limit that even the mean breaks is what the means are scaled down to first.
    What is unknown is left out: shares are of the known part.
    """
    parts = contributions(program, chunk)
    failed = ~chunk.success
    dangers: dict[Danger, _Threat] = {}
    dangers["failure"] = _Threat(failed, limits.min_success, _first_to_break(parts.breaks, chunk, failed))
    if limits.budget_cents is not None:
        over = chunk.cost > int(limits.budget_cents * MICRO)
        dangers["over_budget"] = _Threat(
            over, limits.confidence, _overrun(parts.cost, over, float(limits.budget_cents))
        )
    if limits.deadline_ms is not None:
        late = chunk.time > limits.deadline_ms
        dangers["late"] = _Threat(late, limits.confidence, _overrun(parts.time, late, limits.deadline_ms))
    cost, time, critical = _of_variance(parts.cost), _of_variance(parts.time), parts.critical.mean(axis=1)
    steps = tuple(
        StepShare(
            id=call.step.id,
            cost=float(cost[i]),
            time=float(time[i]),
            critical=float(critical[i]),
            failure=float(dangers["failure"].shares[i]),
            over_budget=float(dangers["over_budget"].shares[i]) if "over_budget" in dangers else None,
            late=float(dangers["late"].shares[i]) if "late" in dangers else None,
        )
        for i, call in enumerate(program.calls)
    )
    assert chunk.steps is not None
    return Attribution(
        steps, _fix(program, dangers), time_parts(program, chunk.steps, parts.paths, chunk.time)
    )


def _paths(program: Program, samples: Sequence[StepSamples], finish: Floats) -> tuple[Floats, Floats]:
    """How much of each sample's critical path goes through each step (0 to 1), and what each step adds to it.

    Backwards from the steps that end last: each passes its part on to whoever it waited for.
    """
    part = np.array([step.end == finish for step in samples], float)
    part /= part.sum(axis=0)
    added = np.empty_like(part)
    for i in reversed(program.order.sequence):
        before = list(program.order.waits_for[i])
        if not before:
            added[i] = samples[i].end
            continue
        ends = np.array([samples[b].end for b in before])
        ready = ends.max(axis=0)
        added[i] = samples[i].end - ready
        last = ends == ready
        part[before] += last * (part[i] / last.sum(axis=0))
    return part, added


def _breaks(program: Program, samples: Sequence[StepSamples], i: int) -> Flags:
    """Where the step, after whatever stood in for it, keeps the run from succeeding."""
    if i in program.order.fallback_of:
        return np.zeros(len(samples[i].ran), bool)
    found = samples[i].ran & ~samples[i].ok
    stands_in = {owner: fallback for fallback, owner in program.order.fallback_of.items()}
    last = i
    while last in stands_in:
        last = stands_in[last]
        if program.calls[last].step.on_error.action == "continue":
            found = found & ~samples[last].ran
    return found & (program.calls[i].step.on_error.action != "continue")


def _of_variance(parts: Floats) -> Floats:
    """Cov(part, total) / Var(total) of each row; 0 for all where the total never varies."""
    total = parts.sum(axis=0)
    if total.min() == total.max():
        return np.zeros(len(parts))
    off = total - total.mean()
    # Sums rather than a matrix product: what BLAS adds up differs in the last bits between machines.
    together = ((parts - parts.mean(axis=1, keepdims=True)) * off).sum(axis=1)
    return _shares(together)


def _shares(amounts: Floats) -> Floats:
    """0 for all where there is nothing to share, or so little that its square is no number any more."""
    whole = amounts.sum()
    return amounts / whole if whole else np.zeros(len(amounts))


def _first_to_break(breaks: Flags, chunk: Samples, failed: Flags) -> Floats:
    """Of the failed runs the share in which each step was the first, in time, to fail for good.

    Runs in which several fail at the same instant are divided between them.
    """
    if not failed.any():
        return np.zeros(len(breaks))
    ends = np.array([step.end[failed] for step in chunk.steps or ()])
    fails = np.where(breaks[:, failed], ends, np.inf)
    first = fails == fails.min(axis=0)
    return _shares((first / first.sum(axis=0)).sum(axis=1))


def _overrun(parts: Floats, over: Flags, limit: float) -> Floats:
    """Of what the runs `over` the limit take more than usual the share of each step; 0 where none is over."""
    if not over.any():
        return np.zeros(len(parts))
    usual = parts.mean(axis=1)
    usual *= min(1.0, limit / usual.sum())
    excess = parts[:, over].mean(axis=1) - usual
    return _shares(excess)


def _fix(program: Program, dangers: Mapping[Danger, _Threat]) -> Fix | None:
    """The step with the largest share of the danger that uses up most of the chance the limits leave it."""
    danger, worst = max(dangers.items(), key=lambda item: item[1].used_up())
    if not worst.happens.any():
        return None
    step = int(worst.shares.argmax())
    return Fix(
        program.calls[step].step.id, danger, float(worst.happens.mean()), min(1.0, float(worst.shares[step]))
    )
