"""Trials: an edited plan simulated with the seed and the samples of the plan as it is.

Every call keeps its place in the plan and so its stream: what an edit does not touch has the same luck as
before, and differences are the edit's (common random numbers; Law (2015), Simulation Modeling and Analysis,
section 11.2). Only behind a dropped step the places move. What is promised is what whoever applies the edit
will see, so the streams are those of the edited plan in any case.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from aos.domain.forecasts.alternatives import Agreement, Difference, Outlook
from aos.domain.forecasts.forecast import Chance, Forecast
from aos.domain.forecasts.verdicts import STANDARD_ERRORS, Limits, Verdict
from aos.domain.plans.plan import Plan
from aos.domain.skills.prices import ModelPrice
from aos.domain.skills.skill import Catalog
from aos.engine.alternatives.agreements import agreed
from aos.engine.execution.network import can_queue
from aos.engine.execution.program import Program, compile_plan
from aos.engine.feasibility import verdict
from aos.engine.simulate import Samples, Simulation, chunk_size
from aos.engine.summary import Totals, chances, forecast, spread, totals

Rules = Callable[[Plan, Limits, Forecast, Verdict], Verdict]
"""What somebody else says of a plan under its limits that is forecast so: a verdict in place of the engine's."""

_PROBE = 1_000
# What it takes, in simulations of the plan as it is, which also tell what every step does. A plan that queues
# where this one does not takes a few times longer.
_COMPILED, _SIMULATED, _PROBED, _QUEUES = 0.25, 0.7, 0.12, 4.0


class Trial(NamedTuple):
    """A simulated plan; `told` is the forecast that the rules look at, None where none ask.

    `shortfall` is how far the worst chance is from being clearly what is aimed at. It is at most 0 where all are,
    or for a probe, where they would be with all samples.
    """

    plan: Plan
    program: Program
    chunks: Sequence[Samples]
    told: Forecast | None
    outlook: Outlook
    shortfall: float

    @property
    def feasible(self) -> bool:
        return self.outlook.verdict.decision == "feasible"


class Trials:
    """Simulates until `effort`, in simulations of the plan as it is, is used up.

    `aim` is what is worth trying: the limits, or tighter ones within which the rules may have nothing against it.
    `progress` is told the number of samples drawn so far, of all trials.
    """

    def __init__(
        self,
        plan: Plan,
        catalog: Catalog,
        prices: Mapping[str, ModelPrice],
        limits: Limits,
        forecast: Forecast,
        *,
        samples: int,
        seed: int,
        effort: float,
        aim: Limits | None = None,
        rules: Rules | None = None,
        progress: Callable[[int], None] = lambda drawn: None,
    ) -> None:
        self.catalog = catalog
        self.prices = prices
        self.limits = limits
        self.aim = aim or limits
        self.effort = effort
        self.rules = rules
        self._progress = progress
        self._drawn = 0
        self._forecast = forecast
        self._samples = samples
        self._seed = seed
        program = compile_plan(plan, catalog, prices)
        self._queues = can_queue(program)
        self.base = self._run(plan, program, samples, detail=True)

    def forget_steps(self) -> None:
        """Drop what each step of the plan did as it is: 100 MB for 200 steps, and looked at once."""
        first, *rest = self.base.chunks
        self.base = self.base._replace(chunks=[first._replace(steps=None), *rest])

    def of_plan(
        self, plan: Plan, agreements: Sequence[Agreement] = (), *, probe: bool = False
    ) -> Trial | None:
        """The plan simulated under the agreements; None when there is no effort left. A `probe` draws only the
        first samples.
        """
        if not self._afford(_COMPILED):
            return None
        program = compile_plan(plan, self.catalog, self.prices)
        return self.of_program(plan, agreed(program, agreements), probe=probe)

    def of_program(self, plan: Plan, program: Program, *, probe: bool = False) -> Trial | None:
        """As `of_plan`."""
        queues = can_queue(program) and not self._queues
        if not self._afford((_PROBED if probe else _SIMULATED) * (_QUEUES if queues else 1.0)):
            return None
        if probe:
            return self._run(plan, program, min(self._samples, _PROBE))
        return self._run(plan, program, self._samples, detail=self.rules is not None)

    def looked_at(self, program: Program) -> Samples | None:
        """A few samples of the program that tell what every step does; None when there is no effort left."""
        queues = can_queue(program) and not self._queues
        if not self._afford(2 * _PROBED * (_QUEUES if queues else 1.0)):
            return None
        (chunk,) = Simulation(program, self._seed).take(min(self._samples, _PROBE, chunk_size(program)))
        return chunk

    def _afford(self, effort: float) -> bool:
        if effort > self.effort:
            return False
        self.effort -= effort
        return True

    def with_limits(self, trial: Trial, limits: Limits) -> Trial:
        """The same samples held against other limits."""
        return self._judged(trial.plan, trial.program, trial.chunks, trial.told, limits)

    def aimed(self, trial: Trial) -> tuple[Chance, Chance, Chance]:
        """P(success), P(in budget) and P(in time), as they are aimed at."""
        return chances(trial.chunks, self.aim)[:3]

    def difference(self, outlook: Outlook) -> Difference:
        """Of an outlook to that of the plan as it is."""
        base = self.base.outlook

        def change(name: str) -> float | None:
            old, new = getattr(base, name), getattr(outlook, name)
            return None if old is None or new is None else new - old

        return Difference(
            feasible=outlook.feasible.low.value - base.feasible.low.value,
            cost_p50=change("cost_p50"),
            cost_p95=change("cost_p95"),
            time_p50=change("time_p50"),
            time_p95=change("time_p95"),
        )

    def _run(self, plan: Plan, program: Program, samples: int, *, detail: bool = False) -> Trial:
        chunks = []
        for chunk in Simulation(program, self._seed, detail=detail).take(samples):
            chunks.append(chunk)
            self._drawn += len(chunk.cost)
            self._progress(self._drawn)
        told = forecast(program, chunks, self._seed, self.limits) if detail and self.rules else None
        return self._judged(plan, program, chunks, told, self.limits)

    def _judged(
        self, plan: Plan, program: Program, chunks: Sequence[Samples], told: Forecast | None, limits: Limits
    ) -> Trial:
        success, in_budget, in_time, in_limits, feasible = chances(chunks, limits)
        like = (told or self._forecast)._replace(
            success=success,
            in_budget=in_budget,
            in_time=in_time,
            in_limits=in_limits,
            feasible=feasible,
            unknowns=program.unknowns,
        )
        total = totals(chunks)
        cost, time = _quantiles(total, "cost"), _quantiles(total, "time")
        decided = verdict(program, like, limits)
        if self.rules and told and decided.decision == "feasible":
            decided = self.rules(plan, limits, like, decided)
        outlook = Outlook(decided, feasible, success, in_budget, in_time, in_limits, *cost, *time)
        kept = in_limits if self.aim == limits else chances(chunks, self.aim)[3]
        shortfall = max(self.aim.min_success - self._clear(success), self.aim.confidence - self._clear(kept))
        return Trial(plan, program, chunks, told, outlook, shortfall)

    def _clear(self, chance: Chance) -> float:
        """The chance, as low as two standard errors allow."""
        p = chance.low.value
        return p - STANDARD_ERRORS * math.sqrt(p * (1 - p) / self._samples)


def _quantiles(total: Totals, name: str) -> tuple[float | None, float | None]:
    """The p50 and the p95, as the forecast has them."""
    if getattr(total, f"{name}_open").any():
        return None, None
    found = spread(getattr(total, name))
    return found.p50.value, found.p95.value
