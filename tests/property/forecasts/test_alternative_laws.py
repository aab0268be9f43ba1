"""Laws of alternatives: whatever is offered, applied, gives the verdict and the figures that it promised."""

from decimal import Decimal
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from aos.domain.forecasts.alternatives import Alternative
from aos.domain.forecasts.forecast import Forecast
from aos.domain.forecasts.verdicts import Limits, Reason, Verdict
from aos.domain.plans.plan import Plan
from aos.domain.skills.distributions import Constant, Distribution
from aos.domain.skills.prices import ModelPrice
from aos.domain.skills.skill import CallCost, Catalog, FailureMode, Figure, Provenance, RateLimit
from aos.engine.alternatives import alternatives
from aos.engine.alternatives.trials import Rules
from aos.engine.attribution import attribution
from aos.engine.execution.program import compile_plan
from aos.engine.feasibility import judge
from aos.engine.simulate import Simulation
from aos.wire.catalogs.read import default_catalog
from aos.wire.plans.read import dump_plan, parse_plan
from aos.wire.prices import lookup
from tests.property.forecasts.patches import patched
from tests.strategies.plans import plans

SAMPLES = 400
CATALOG = default_catalog()
MODELS = {name: lookup(name) for name in ("gpt-4o", "gpt-4o-mini", "gpt-4.1-mini", "gpt-4.1-nano")}
PRICES: dict[str, ModelPrice] = {name: price for name, price in MODELS.items() if price}

_LATELY = Provenance("declared")


def unknown_in(skill: str, **figures: Any) -> Catalog:
    """The default catalog with figures of one skill that nobody knows."""
    return CATALOG._replace(skills={**CATALOG.skills, skill: CATALOG.skills[skill]._replace(**figures)})


catalogs = st.sampled_from(
    [
        CATALOG,
        CATALOG,
        unknown_in("http_call", cost=None),
        unknown_in("fs_read", latency=None),
        unknown_in("fs_write", failures=None),
        unknown_in("json_transform", cost=None, latency=None, failures=None),
        unknown_in("http_call", rate_limit=RateLimit(20, 1)),
        CATALOG._replace(pools={**CATALOG.pools, "network": 1, "disk": 1}),
    ]
)


def asked(plan: Plan, catalog: Catalog, limits: Limits, seed: int) -> tuple[Forecast, Verdict]:
    return judge(compile_plan(plan, catalog, PRICES), limits, samples=SAMPLES, seed=seed)[:2]


@st.composite
def questions(draw: st.DrawFn) -> tuple[Plan, Catalog, Limits, int]:
    """A plan with limits near what it takes, so that both answers are common."""
    plan = draw(plans(max_steps=6))._replace(budget_cents=None, deadline_ms=None)
    catalog, seed = draw(catalogs), draw(st.integers(0, 3))
    usual, _ = asked(plan, catalog, Limits(), seed)
    part = st.sampled_from([0.3, 0.7, 1.0, 2.0])
    budget = draw(st.none() | part.map(lambda f: round(f * usual.cost_at_least.p90.value, 3)))
    deadline = draw(st.none() | part.map(lambda f: f * usual.time_at_least.p90.value + 1))
    limits = Limits(
        None if budget is None else Decimal(str(budget)),
        deadline,
        draw(st.sampled_from([0.5, 0.9])),
        draw(st.sampled_from([0.0, 0.5, 0.9])),
    )
    if draw(st.booleans()):
        plan = plan._replace(budget_cents=limits.budget_cents, deadline_ms=limits.deadline_ms)
    return plan, catalog, limits, seed


def none_dear(plan: Plan, limits: Limits, forecast: Forecast, verdict: Verdict) -> Verdict:
    return verdict if forecast.cost and forecast.cost.p95.value <= 1 else DENIED


def no_gambling(plan: Plan, limits: Limits, forecast: Forecast, verdict: Verdict) -> Verdict:
    return verdict if forecast.success.low.value >= 0.8 else DENIED


def no_reading(plan: Plan, limits: Limits, forecast: Forecast, verdict: Verdict) -> Verdict:
    return DENIED if any(step.skill == "fs_read" for step in plan.steps) else verdict


DENIED = Verdict("infeasible", "permission_denied", (Reason("permission_denied", "", "denied"),), ())
AIMS: dict[Rules, dict[str, Any]] = {
    none_dear: {"budget_cents": Decimal(1), "confidence": 0.95},
    no_gambling: {"min_success": 0.8},
    no_reading: {},
}
"""Rules, and limits within which they have nothing against a plan."""


def offers(
    plan: Plan, catalog: Catalog, limits: Limits, seed: int, rules: Rules | None = None
) -> tuple[Verdict, tuple[Alternative, ...]]:
    forecast, verdict = asked(plan, catalog, limits, seed)
    if rules:
        verdict = rules(plan, limits, forecast, verdict)
    found = alternatives(
        plan,
        catalog,
        PRICES,
        limits,
        forecast,
        verdict,
        samples=SAMPLES,
        seed=seed,
        models=PRICES,
        aim=limits._replace(**AIMS[rules]) if rules else None,
        rules=rules,
    )
    for alternative in found:
        event(f"{verdict.decision}: {alternative.kind}")
    return verdict, found


@given(questions(), st.none() | st.sampled_from([*AIMS]))
def test_what_is_offered_keeps_its_promise_can_be_applied_and_is_in_order(
    question: tuple[Plan, Catalog, Limits, int], rules: Rules | None
) -> None:
    """Three laws of the same offers, which take long to find."""
    plan, catalog, limits, seed = question
    _, found = offers(plan, catalog, limits, seed, rules)
    for offer in found:
        assert_promise_is_kept(offer, catalog, seed, rules)
        assert_patch_and_flags_apply_it(offer, plan, catalog, limits)
    assert_least_change_is_first_and_changes_of_meaning_last(found)


def assert_promise_is_kept(offer: Alternative, catalog: Catalog, seed: int, rules: Rules | None) -> None:
    forecast, verdict = asked(offer.plan, declared(catalog, offer), offer.limits, seed)
    if rules:
        event(f"{rules.__name__}: {offer.kind}")
        verdict = rules(offer.plan, offer.limits, forecast, verdict)
    assert verdict.decision == "feasible"
    assert verdict == offer.outlook.verdict
    for name in ("feasible", "success", "in_budget", "in_time", "in_limits"):
        assert getattr(offer.outlook, name) == getattr(forecast, name), name
    for name in ("cost", "time"):
        spread = getattr(forecast, name)
        for level in ("p50", "p95"):
            promised = getattr(offer.outlook, f"{name}_{level}")
            assert promised is None or promised == getattr(spread, level).value


def assert_patch_and_flags_apply_it(offer: Alternative, plan: Plan, catalog: Catalog, limits: Limits) -> None:
    document = patched(dump_plan(plan), offer.patch)
    assert parse_plan(document, catalog, name="patched").plan == offer.plan
    options = dict(zip(offer.flags[::2], offer.flags[1::2], strict=True))
    budget, deadline, success = (options.get(f"--{name}") for name in ("budget", "deadline", "min-success"))
    assert offer.limits == limits._replace(
        budget_cents=limits.budget_cents if budget is None else Decimal(budget),
        deadline_ms=limits.deadline_ms if deadline is None else float(deadline),
        min_success=limits.min_success if success is None else float(success),
    )


def assert_least_change_is_first_and_changes_of_meaning_last(found: tuple[Alternative, ...]) -> None:
    assert len(found) <= 8
    assert len({offer.summary for offer in found}) == len(found)
    of_steps = [any(operation.path.startswith("/steps") for operation in offer.patch) for offer in found]
    ranks = [
        (
            offer.kind == "accept_risk",
            steps or bool(offer.agreed),
            offer.changes_meaning,
            bool(offer.agreed),
            offer.size,
        )
        for steps, offer in zip(of_steps, found, strict=True)
    ]
    assert ranks == sorted(ranks)


def declared(catalog: Catalog, offer: Alternative) -> Catalog:
    """The catalog with the figures that the offer wants declared, at the most they may be, and what it wants agreed."""
    skills, pools = dict(catalog.skills), dict(catalog.pools)
    for agreement in offer.agreed:
        if agreement.setting == "slots":
            pools[agreement.name] = int(agreement.needs)
        else:
            skill, limit = skills[agreement.name], skills[agreement.name].rate_limit
            assert limit
            skills[skill.id] = skill._replace(rate_limit=limit._replace(per_minute=agreement.needs))
    for declaration in offer.declares:
        assert declaration.model is None
        value = 3.0 if declaration.at_most is None else declaration.at_most
        skill = skills[declaration.skill]
        skills[skill.id] = skill._replace(**_stated(declaration.figure, value))
    return catalog._replace(skills=skills, pools=pools)


def _stated(figure: str, value: float) -> dict[str, Any]:
    constant: Figure[Distribution] = Figure(Constant(value), _LATELY)
    match figure:
        case "cost_cents":
            return {"cost": CallCost(constant)}
        case "latency_ms":
            return {"latency": constant}
        case _:
            return {"failures": (FailureMode("FAILED", "PERMANENT", Figure(value, _LATELY)),)}


@given(questions())
def test_shares_add_up(question: tuple[Plan, Catalog, Limits, int]) -> None:
    plan, catalog, limits, seed = question
    program = compile_plan(plan, catalog, PRICES)
    chunk = next(Simulation(program, seed).take(SAMPLES))
    found = attribution(program, chunk, limits)
    for kind in ("cost", "time", "failure", "over_budget", "late"):
        shares = [getattr(step, kind) for step in found.steps]
        if None not in shares:
            total = sum(shares)
            assert abs(total - 1) < 1e-6 or (total == 0 and not any(shares)), kind
    assert abs(sum(part.share for part in found.time) - 1) < 1e-3 or not found.time
    assert all(part.ms > 0 for part in found.time)
    assert all(0 <= step.critical <= 1 for step in found.steps)
    assert all(0 <= step.failure <= 1 for step in found.steps)
