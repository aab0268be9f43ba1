"""What rules can be asked about: runs in a ledger, with the facts of then, and plan files, with those of now."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from aos.api.forecast.cases import check_samples
from aos.api.forecast.simulate import simulate
from aos.api.running.ledgers import reading
from aos.domain.approvals.policies import Principal, Question
from aos.domain.approvals.replays import Asked, Basis, Recorded, Why
from aos.domain.plans.plan import Plan
from aos.domain.skills.skill import Catalog
from aos.errors import AosError, InputError
from aos.files.plans import is_plan, plan_files
from aos.files.sources import read_document
from aos.policy.plans import facts_of, questions
from aos.wire.catalogs.read import catalog_contract_digest
from aos.wire.plans.read import parse_plan, plan_digest
from aos.wire.policies import asked_then
from aos.wire.problems import visible
from aos.wire.results.kept import Kept, KeptForecast, kept_forecast

__all__ = ["of_ledger", "of_plans"]

_MOST = 300
"""Characters of why something can't be told."""


class _Known(NamedTuple):
    """What is known of runs that had one plan and one forecast."""

    asked: tuple[Asked, ...] | None
    basis: Basis | None
    why: Why | None
    mean_cents: float | None


def of_ledger(
    ledger: Path | None, catalog: Catalog, principal: Principal, since_ms: float | None = None
) -> list[Recorded]:
    """Every run, the latest first, with what the forecast said that was made before it.

    Runs that were made under rules kept the facts that these saw. Of the others, effects come from the catalog, if it
    promises what it did then. Raises AosError(needs_ledger) and what reading it raises.
    """
    from aos.ledger.reads import begun
    from aos.ledger.state import fetcher

    with reading(ledger) as db:
        fetch, plan_of = fetcher(db), _plans(catalog, fetcher(db))

        @cache
        def known(plan: str, simulation: str, contract: str) -> _Known:
            return _known(fetch(simulation), lambda: plan_of(plan), contract, catalog, principal)

        return [
            Recorded(
                run.id,
                "run",
                run.started_ms,
                *(found := known(run.plan, run.simulation, run.contract))[:3],
                found.mean_cents,
                run.spent_cents,
            )
            for run in begun(db, since_ms=since_ms)
        ]


def of_plans(
    places: Sequence[str], catalog: Catalog, principal: Principal, *, samples: int, seed: int
) -> Iterator[Recorded | None]:
    """Every plan in files and folders, simulated now as `aos policy eval` does. One that is wrong is undetermined; None
    stands for a file of a folder that is no plan at all.

    Raises AosError(unreadable) for a place that is not there, AosError(usage) for samples out of range.
    """
    check_samples(samples)
    for file in plan_files(places):
        try:
            document = read_document(file.path, code="invalid_plan")
            if not (file.named or is_plan(document.value)):
                yield None
                continue
            plan = parse_plan(document.value, catalog, name=document.name).plan
            result = simulate(plan, catalog, samples=samples, seed=seed, explain=False, alternatives=False)
        except AosError as error:
            if file.named and error.code == "unreadable":
                raise
            yield Recorded(file.name, "plan", None, None, why=Why("invalid_plan", _first(error)))
        else:
            cost = result.forecast.cost
            mean = None if cost is None else cost.mean.value
            yield Recorded(file.name, "plan", None, questions(result, principal), "simulated", None, mean)


def _plans(catalog: Catalog, fetch: Callable[[str], Any]) -> Callable[[str], Plan | Why]:
    """Plans by the digests under which a ledger has them."""

    @cache
    def plan_of(digest: str) -> Plan | Why:
        try:
            return parse_plan(fetch(digest), catalog, name="the plan").plan
        except InputError as error:
            return Why("other_contract", f"with this catalog the plan is no longer valid: {_first(error)}")

    return plan_of


def _known(
    simulation: Any, plan_of: Callable[[], Plan | Why], contract: str, catalog: Catalog, principal: Principal
) -> _Known:
    try:
        forecast = kept_forecast(simulation)
        if rules := simulation.get("policy"):
            asked = asked_then(rules["rulings"], principal)
            return _Known(asked, "rules", None, forecast.mean_cents)
    except (ValueError, KeyError, TypeError) as error:
        return _Known(
            None, None, Why("unreadable", visible(f"the forecast that was kept: {error}", _MOST)), None
        )
    plan = plan_of()
    if isinstance(plan, Why):
        return _Known(None, None, plan, forecast.mean_cents)
    if catalog_contract_digest(catalog, {step.skill for step in plan.steps}) != contract:
        detail = "the catalog promises other versions, prices, effects, retry or limits than it did then"
        return _Known(None, None, Why("other_contract", detail), forecast.mean_cents)
    if list(forecast.steps) != [step.id for step in plan.steps]:
        return _Known(None, None, Why("unreadable", "the forecast is of another plan"), forecast.mean_cents)
    return _Known(_asked(plan, catalog, forecast, principal), "forecast", None, forecast.mean_cents)


def _asked(plan: Plan, catalog: Catalog, forecast: KeptForecast, principal: Principal) -> tuple[Asked, ...]:
    """What rules are asked about a plan with that forecast."""
    effects = [catalog.skills[step.skill].effects_of(step.params) for step in plan.steps]

    def question(action: Any, resource: str, told: Kept, of: Sequence[Any]) -> Question:
        return Question(principal, action, resource, facts_of(len(of), list(of), *told))

    asked = [Asked("", "", question("run", plan_digest(plan), forecast.plan, effects))]
    for i, (step, told) in enumerate(zip(plan.steps, forecast.steps.values(), strict=True)):
        asked.append(Asked(step.id, f"/steps/{i}", question("call", step.skill, told, effects[i : i + 1])))
    return tuple(asked)


def _first(error: AosError) -> str:
    """The first thing that is wrong, in words."""
    findings: Sequence[Any] = getattr(error, "findings", ())
    return visible(findings[0].detail if findings else error.detail, _MOST)
