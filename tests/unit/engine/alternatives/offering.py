"""What a plan is offered where it is not feasible, or could be had for less."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from aos.domain.forecasts.alternatives import Alternative
from aos.domain.forecasts.verdicts import Limits, Reason
from aos.domain.plans.plan import Plan
from aos.domain.skills.distributions import Constant
from aos.domain.skills.prices import ModelPrice
from aos.domain.skills.skill import Catalog, Effects, Skill, TokenCost
from aos.engine.alternatives import alternatives
from aos.engine.alternatives.trials import Rules
from aos.engine.execution.program import compile_plan
from aos.engine.feasibility import judge
from tests.unit.engine.build import figure, skill

WRITES = Effects(read_only=False, idempotent=False, destructive=True, reversible=False, open_world=True)


def price(name: str, cents: int) -> ModelPrice:
    """A model at that many cents per million tokens, read or written."""
    return ModelPrice(name, "maker", Decimal(cents), Decimal(cents), None, (), None, "2026-01-01", "snapshot")


MODELS = {name: price(name, cents) for name, cents in (("large", 1000), ("medium", 400), ("small", 100))}


def model(name: str = "ask", **more: Any) -> Skill:
    """A skill of 10,000 output tokens, so that `large` costs 10c a call, `medium` 4c and `small` 1c."""
    tokens = TokenCost(figure(Constant(4.0)), figure(Constant(10_000.0)), figure(Constant(0.0)), None)
    return skill(name, cost=tokens, **more)._replace(input_schema={"properties": {"max_tokens": {}}})


def writer(name: str = "write", **more: Any) -> Skill:
    return skill(name, **more)._replace(effects=WRITES)


def offers(
    plan: Plan,
    known: Catalog,
    *,
    budget: float | None = None,
    deadline: float | None = None,
    models: Mapping[str, ModelPrice] = MODELS,
    refused: tuple[int, ...] = (),
    aim: Mapping[str, Any] | None = None,
    rules: Rules | None = None,
    samples: int = 4_000,
    **more: Any,
) -> list[Alternative]:
    limits = Limits(None if budget is None else Decimal(str(budget)), deadline, **more)
    program = compile_plan(plan, known, MODELS)
    off = [Reason("skill_unavailable", f"/steps/{i}/skill", "disabled") for i in refused]
    forecast, verdict, _ = judge(program, limits, samples=samples, seed=0, refused=off)
    if rules:
        verdict = rules(plan, limits, forecast, verdict)
    found = alternatives(
        plan,
        known,
        MODELS,
        limits,
        forecast,
        verdict,
        samples=samples,
        seed=0,
        models=models,
        refused=refused,
        aim=limits._replace(**aim) if aim else None,
        rules=rules,
    )
    assert all(offer.outlook.verdict.decision == "feasible" for offer in found)
    return list(found)


def only(kind: str, found: list[Alternative]) -> Alternative:
    (offer,) = (offer for offer in found if offer.kind == kind)
    return offer


def kinds(found: list[Alternative]) -> list[str]:
    return [offer.kind for offer in found]
