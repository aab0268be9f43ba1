"""Forecast a plan, decide whether it is feasible, and say what drives it and what would change the answer."""

from collections.abc import Callable, Sequence

from aos.api.forecast.cases import Case, case, check_samples
from aos.api.forecast.stand_ins import stand_ins
from aos.domain.forecasts.alternatives import Alternative
from aos.domain.forecasts.forecast import Forecast
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import DEFAULT_SAMPLES, Limits, Reason, Verdict
from aos.domain.plans.plan import Plan
from aos.domain.skills.skill import Catalog
from aos.wire.catalogs.read import default_catalog


def simulate(
    plan: Plan,
    catalog: Catalog | None = None,
    limits: Limits | None = None,
    *,
    samples: int = DEFAULT_SAMPLES,
    seed: int = 0,
    explain: bool = True,
    alternatives: bool | None = None,
    notes: Sequence[str] = (),
    refused: Sequence[Reason] = (),
    gate: Callable[[SimulationResult], SimulationResult] | None = None,
    progress: Callable[[int], None] | None = None,
) -> SimulationResult:
    """Simulate a plan: nothing is called, read, written or sent.

    `limits` that are None in it fall back to the plan's own budget and deadline. `samples` runs are drawn,
    more (up to 160,000) while the verdict is too close to call; the same plan, catalog, seed and samples
    give the same result. `refused` are reasons that somebody has not to let it run, a permission that is missing;
    any of them makes the plan infeasible. `gate` gives a forecast back with what rules say of it: that of the plan, and
    those of the alternatives, of which none is offered that the rules deny. `progress` is told the number drawn so far.

    `explain` adds attribution and evidence, for up to as much time again. `alternatives`, for about ten times
    as much, are sought where the plan is not feasible, unless that says yes or no for every plan.
    Raises AosError(usage) for samples out of range.
    """
    check_samples(samples)
    asked = case(plan, catalog or default_catalog(), limits or Limits(), notes)
    asked = asked._replace(refused=(*refused, *asked.refused))
    result = _judged(asked, samples, seed, explain, progress)
    if gate:
        result = gate(result)
    if alternatives is None and result.verdict.decision == "feasible":
        return result._replace(search="not_needed")
    if alternatives is False:
        return result
    return result._replace(alternatives=_alternatives(asked, result, gate, progress), search="done")


def _judged(
    asked: Case, samples: int, seed: int, explain: bool, progress: Callable[[int], None] | None
) -> SimulationResult:
    from aos.engine.execution.program import compile_plan
    from aos.engine.feasibility import judge, told_of_waits

    program = compile_plan(asked.plan, asked.catalog, asked.prices)
    forecast, verdict, chunk = judge(
        program, asked.limits, samples=samples, seed=seed, refused=asked.refused, progress=progress
    )
    result = asked.result(forecast, verdict, samples=samples, seed=seed)
    if not explain:
        return result
    from aos.engine.attribution import attribution
    from aos.engine.evidence import evidence

    shares = attribution(program, chunk, asked.limits)
    wanted = evidence(program, chunk, asked.catalog, shares, forecast, verdict, asked.limits)
    return result._replace(verdict=told_of_waits(verdict, shares), attribution=shares, evidence=wanted)


def _alternatives(
    asked: Case,
    result: SimulationResult,
    gate: Callable[[SimulationResult], SimulationResult] | None,
    progress: Callable[[int], None] | None,
) -> tuple[Alternative, ...]:
    from aos.engine.alternatives import alternatives
    from aos.policy.plans import aim

    def rules(plan: Plan, limits: Limits, forecast: Forecast, verdict: Verdict) -> Verdict:
        """What the gate says of a changed plan."""
        assert gate
        changed = asked._replace(plan=plan, limits=limits)
        return gate(changed.result(forecast, verdict, samples=result.samples, seed=result.seed)).verdict

    return alternatives(
        asked.plan,
        asked.catalog,
        asked.prices,
        asked.limits,
        result.forecast,
        result.verdict,
        samples=result.samples,
        seed=result.seed,
        models=stand_ins(asked.plan, asked.catalog, asked.prices),
        refused={int(reason.pointer.split("/")[2]) for reason in asked.refused},
        aim=aim(result) if result.policy else None,
        rules=rules if gate else None,
        progress=lambda drawn: progress(result.forecast.samples + drawn) if progress else None,
    )
