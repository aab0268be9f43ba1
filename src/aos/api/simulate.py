"""Forecast a plan and decide whether it is feasible."""

from collections.abc import Callable, Sequence

from aos.api.cases import case, check_samples
from aos.domain.plans import Plan
from aos.domain.results import SimulationResult
from aos.domain.skills import Catalog
from aos.domain.verdicts import DEFAULT_SAMPLES, Limits
from aos.wire.catalogs import default_catalog


def simulate(
    plan: Plan,
    catalog: Catalog | None = None,
    limits: Limits | None = None,
    *,
    samples: int = DEFAULT_SAMPLES,
    seed: int = 0,
    notes: Sequence[str] = (),
    progress: Callable[[int], None] | None = None,
) -> SimulationResult:
    """Simulate a plan: nothing is called, read, written or sent.

    `limits` that are None in it fall back to the plan's own budget and deadline. `samples` runs are drawn,
    more (up to 160,000) while the verdict is too close to call; the same plan, catalog, seed and samples
    give the same result. `progress` is told the number drawn so far. Raises AosError(usage) for samples out
    of range.
    """
    check_samples(samples)
    from aos.engine.feasibility import judge
    from aos.engine.program import compile_plan

    asked = case(plan, catalog or default_catalog(), limits or Limits(), notes)
    forecast, verdict = judge(
        compile_plan(plan, asked.catalog, asked.prices),
        asked.limits,
        samples=samples,
        seed=seed,
        refused=asked.refused,
        progress=progress,
    )
    return asked.result(forecast, verdict, samples=samples, seed=seed)
