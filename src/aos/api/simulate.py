"""Forecast a plan and decide whether it is feasible."""

from collections.abc import Callable, Sequence

from aos.domain.plans import Plan
from aos.domain.prices import ModelPrice
from aos.domain.references import given
from aos.domain.results import Digests, SimulationResult
from aos.domain.skills import Catalog
from aos.domain.verdicts import DEFAULT_SAMPLES, MAX_SAMPLES, Limits, Reason
from aos.errors import AosError
from aos.wire.catalogs import catalog_contract_digest, catalog_digest, default_catalog
from aos.wire.plans import plan_digest
from aos.wire.prices import lookup


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
    if not 100 <= samples <= MAX_SAMPLES:
        raise AosError("usage", f"samples must be between 100 and {MAX_SAMPLES:,}, not {samples}")
    catalog = catalog or default_catalog()
    limits = _limits(plan, limits or Limits())
    from aos.engine.feasibility import judge
    from aos.engine.program import compile_plan

    prices = _prices(plan)
    program = compile_plan(plan, catalog, prices)
    forecast, verdict = judge(
        program, limits, samples=samples, seed=seed, refused=_refused(plan, catalog), progress=progress
    )
    used = {step.skill: catalog.skills[step.skill] for step in plan.steps}
    return SimulationResult(
        plan=plan,
        limits=limits,
        samples=samples,
        seed=seed,
        verdict=verdict,
        forecast=forecast,
        skills=used,
        prices=prices,
        digests=Digests(
            plan_digest(plan), catalog_digest(catalog, used), catalog_contract_digest(catalog, used)
        ),
        notes=tuple(notes),
    )


def _limits(plan: Plan, limits: Limits) -> Limits:
    return limits._replace(
        budget_cents=plan.budget_cents if limits.budget_cents is None else limits.budget_cents,
        deadline_ms=plan.deadline_ms if limits.deadline_ms is None else limits.deadline_ms,
    )


def _prices(plan: Plan) -> dict[str, ModelPrice]:
    """The prices of the models that the plan names and somebody knows."""
    named = [given(step.params.get("model"), plan.inputs) for step in plan.steps]
    found = {model: lookup(model) for model in named if isinstance(model, str)}
    return {model: price for model, price in found.items() if price is not None}


def _refused(plan: Plan, catalog: Catalog) -> list[Reason]:
    return [
        Reason("skill_unavailable", f"/steps/{i}/skill", f"{step.skill} is disabled in the catalog")
        for i, step in enumerate(plan.steps)
        if not catalog.skills[step.skill].enabled
    ]
