"""The samples behind a forecast."""

from typing import TYPE_CHECKING

from aos.api.forecast.cases import case, check_samples
from aos.domain.forecasts.verdicts import DEFAULT_SAMPLES, Limits
from aos.domain.plans.plan import Plan
from aos.domain.skills.skill import Catalog

if TYPE_CHECKING:
    from aos.engine.execution.outcomes import Outcomes


def outcomes(plan: Plan, catalog: Catalog, *, samples: int = DEFAULT_SAMPLES, seed: int = 0) -> "Outcomes":
    """Time, cost and success of each of `samples` runs: those that `simulate` condenses.

    Raises AosError(usage) for samples out of range.
    """
    check_samples(samples)
    from aos.engine.execution import outcomes as engine
    from aos.engine.execution.program import compile_plan

    asked = case(plan, catalog, Limits())
    return engine.outcomes(compile_plan(plan, asked.catalog, asked.prices), samples, seed)
