"""A case: a plan with all that a forecast of it rests on, but for chance."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aos.domain.forecasts.forecast import Forecast
from aos.domain.forecasts.results import Digests, SimulationResult
from aos.domain.forecasts.verdicts import MAX_SAMPLES, Limits, Reason, Verdict
from aos.domain.plans.features import left_open
from aos.domain.plans.nulls import doubts
from aos.domain.plans.plan import Plan
from aos.domain.plans.references import given
from aos.domain.skills.prices import ModelPrice
from aos.domain.skills.skill import Catalog
from aos.errors import AosError, Finding, InputError
from aos.wire.catalogs.read import catalog_contract_digest, catalog_digest
from aos.wire.plans.read import plan_digest
from aos.wire.problems import visible


class Case(NamedTuple):
    """`prices` are those of the models that the plan names and somebody knows; `refused` what is amiss already."""

    plan: Plan
    catalog: Catalog
    limits: Limits
    prices: Mapping[str, ModelPrice]
    refused: Sequence[Reason]
    notes: tuple[str, ...]

    def result(self, forecast: Forecast, verdict: Verdict, *, samples: int, seed: int) -> SimulationResult:
        """The answer, with the digests of what it rests on."""
        used = {step.skill: self.catalog.skills[step.skill] for step in self.plan.steps}
        return SimulationResult(
            plan=self.plan,
            limits=self.limits,
            samples=samples,
            seed=seed,
            verdict=verdict,
            forecast=forecast,
            skills=used,
            prices=self.prices,
            digests=Digests(
                plan_digest(self.plan),
                catalog_digest(self.catalog, used),
                catalog_contract_digest(self.catalog, used),
            ),
            notes=self.notes,
        )


def case(plan: Plan, catalog: Catalog, limits: Limits, notes: Sequence[str] = ()) -> Case:
    """A case of a plan. Limits that are None fall back to the plan's own budget and deadline.

    Raises InputError(invalid_plan) where the catalog does not have a skill that the plan calls.
    """
    _check_skills(plan, catalog)
    limits = limits._replace(
        budget_cents=plan.budget_cents if limits.budget_cents is None else limits.budget_cents,
        deadline_ms=plan.deadline_ms if limits.deadline_ms is None else limits.deadline_ms,
    )
    unfit = (doubt.detail for doubt in doubts(plan, catalog.skills) if doubt.fails)
    notes = (*notes, *left_open(plan, catalog.skills), *unfit)
    return Case(plan, catalog, limits, _prices(plan), _refused(plan, catalog), notes)


def check_samples(samples: int) -> None:
    """Raise AosError(usage) for a number of samples out of range."""
    if not 100 <= samples <= MAX_SAMPLES:
        raise AosError("usage", f"samples must be between 100 and {MAX_SAMPLES:,}, not {samples}")


def _check_skills(plan: Plan, catalog: Catalog) -> None:
    """A plan was read with a catalog, and need not be simulated with the same."""
    missing = [
        Finding(f"/steps/{i}/skill", "unknown_skill", f'the catalog has no skill "{visible(step.skill)}"')
        for i, step in enumerate(plan.steps)
        if step.skill not in catalog.skills
    ]
    if missing:
        raise InputError.of("invalid_plan", "the plan", missing)


def _prices(plan: Plan) -> dict[str, ModelPrice]:
    named = [given(step.params.get("model"), plan.inputs) for step in plan.steps]
    models = [model for model in named if isinstance(model, str)]
    if not models:
        return {}
    from aos.wire.prices import lookup

    return {model: price for model in models if (price := lookup(model)) is not None}


def _refused(plan: Plan, catalog: Catalog) -> list[Reason]:
    return [
        Reason("skill_unavailable", f"/steps/{i}/skill", f"{step.skill} is disabled in the catalog")
        for i, step in enumerate(plan.steps)
        if not catalog.skills[step.skill].enabled
    ]
