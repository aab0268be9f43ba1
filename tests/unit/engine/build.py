"""Small catalogs and plans, and what is asked of them, for the engine's tests."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from aos.domain.forecasts.forecast import Forecast
from aos.domain.forecasts.verdicts import Limits, Verdict
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.distributions import Constant, Distribution
from aos.domain.skills.prices import ModelPrice
from aos.domain.skills.skill import (
    CallCost,
    Catalog,
    CostModel,
    Effects,
    FailureMode,
    Figure,
    Provenance,
    RetryPolicy,
    Skill,
)
from aos.engine.execution.program import Program, compile_plan
from aos.engine.feasibility import judge
from aos.engine.simulate import Samples, Simulation, StepSamples

DECLARED = Provenance("declared")
QUICK, FREE = Constant(100.0), Constant(0.0)


def figure(value: Any) -> Figure[Any]:
    return Figure(value, DECLARED)


def skill(
    name: str = "work",
    latency: Distribution | None = QUICK,
    cost: Distribution | CostModel | None = FREE,
    failures: Mapping[str, float] | tuple[FailureMode, ...] | None = (),
    **more: Any,
) -> Skill:
    """A skill whose failures are {code: probability}, TRANSIENT and taking no time of their own."""
    if isinstance(failures, Mapping):
        failures = tuple(
            FailureMode(code, "TRANSIENT", figure(p), figure(Constant(50.0))) for code, p in failures.items()
        )
    price = CallCost(figure(cost)) if isinstance(cost, Distribution) else cost
    return Skill(
        id=name,
        version="1",
        purpose="",
        input_schema={},
        output_schema={},
        main_output=None,
        latency=None if latency is None else figure(latency),
        cost=price,
        failures=failures,
        effects=Effects(True, True, False, True, False),
        **more,
    )


def tries(count: int, backoff_ms: float = 0.0, multiplier: float = 1.0) -> RetryPolicy:
    return RetryPolicy(count, backoff_ms, multiplier)


def catalog(*skills: Skill, **more: Any) -> Catalog:
    return Catalog({s.id: s for s in skills}, **more)


def chain(length: int, name: str = "work", **more: Any) -> Plan:
    return Plan(tuple(Step(f"s{i}", name, {}, **more) for i in range(length)))


def steps(*made: Step, **more: Any) -> Plan:
    return Plan(made, **more)


def program(plan: Plan, known: Catalog, prices: Mapping[str, ModelPrice] | None = None) -> Program:
    return compile_plan(plan, known, prices or {})


def draw(plan: Plan, known: Catalog, samples: int = 10_000, seed: int = 0) -> Samples:
    """One chunk of samples with every step's detail."""
    (chunk,) = Simulation(program(plan, known), seed).take(samples)
    return chunk


def done(chunk: Samples) -> tuple[StepSamples, ...]:
    """What each step did."""
    assert chunk.steps is not None
    return chunk.steps


def decide(
    plan: Plan,
    known: Catalog,
    *,
    budget: float | None = None,
    deadline: float | None = None,
    samples: int = 10_000,
    **more: Any,
) -> tuple[Forecast, Verdict]:
    limits = Limits(None if budget is None else Decimal(str(budget)), deadline, **more)
    return judge(program(plan, known), limits, samples=samples, seed=0)[:2]


def near(values: np.ndarray, mean: float, errors: float = 3.0) -> bool:
    """Whether the samples' mean is within 3 of its standard errors of `mean`."""
    return bool(abs(values.mean() - mean) <= errors * values.std() / np.sqrt(len(values)) + 1e-9)
