"""The engine against what bounds it: drawing the random numbers alone, and against SimPy on the same model."""

import random
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.random import SFC64, Generator

from aos.domain.forecasts.verdicts import Limits
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.distributions import Constant, Lognormal
from aos.domain.skills.skill import (
    CallCost,
    Catalog,
    Effects,
    FailureMode,
    Provenance,
    RetryPolicy,
    Skill,
)
from aos.domain.skills.skill import (
    Figure as Stated,
)
from aos.engine.execution.program import Program, compile_plan
from aos.engine.simulate import Simulation
from aos.engine.summary import forecast
from tests.bench.figures import Figure, interleaved

SAMPLES = 10_000
STEPS = 100
FAILS, RETRIES, BACKOFF_MS, MEDIAN_MS, SIGMA = 0.1, 3, 100.0, 500.0, 0.5
_SIMPY_SAMPLES = 20


def measure() -> Iterator[Figure]:
    plan = _dag()
    program = compile_plan(plan, _catalog(), {})
    limits = Limits()
    jobs: dict[str, Callable[[], object]] = {
        "draw": _draw_the_same_randoms,
        "totals": partial(_run, program, detail=False),
        "steps": lambda: forecast(program, list(Simulation(program, 0).take(SAMPLES)), 0, limits),
        "double": partial(_run, program, detail=False, samples=4 * SAMPLES),
        "half": partial(_run, program, detail=False, samples=2 * SAMPLES),
    }
    taken = interleaved(jobs, 9)
    simpy = interleaved({"simpy": partial(_simpy, plan)}, 3)["simpy"] / _SIMPY_SAMPLES * SAMPLES
    drawing = taken["draw"]
    yield Figure(
        "totals: share of the speed of drawing the same randoms", drawing / taken["totals"], "x", 0.6, True
    )
    yield Figure("every per-step result: the same share", drawing / taken["steps"], "x", 0.3, True)
    yield Figure("totals: times SimPy on the same model", simpy / taken["totals"], "x", 200, True)
    yield Figure("twice the samples, times the time", taken["double"] / taken["half"], "x", 2.3, False)
    yield Figure(
        "totals: million step-samples a second", SAMPLES * STEPS / taken["totals"] / 1e6, "M/s", 0, True
    )


def _run(program: Program, *, detail: bool, samples: int = SAMPLES) -> None:
    for _ in Simulation(program, 0, detail=detail).take(samples):
        pass


def _draw_the_same_randoms() -> None:
    """A latency and a luck for every attempt the model makes: SFC64, float32, nothing else."""
    generator = Generator(SFC64(0))
    for _ in range(STEPS):
        for count in (SAMPLES, *(int(SAMPLES * FAILS**k) for k in range(1, RETRIES + 1))):
            np.exp(generator.standard_normal(count, dtype=np.float32))
            generator.random(count, dtype=np.float32)


def _dag() -> Plan:
    """100 steps that need one or two of the eight before them."""
    chance = random.Random(1)
    needs = [
        sorted(chance.sample(range(max(0, i - 8), i), min(i, chance.choice((1, 1, 2))))) for i in range(STEPS)
    ]
    return Plan(
        tuple(Step(f"s{i}", "work", {}, tuple(f"s{j}" for j in before)) for i, before in enumerate(needs))
    )


def _catalog() -> Catalog:
    declared = Provenance("declared")
    skill = Skill(
        id="work",
        version="1",
        purpose="",
        input_schema={},
        output_schema={},
        main_output=None,
        latency=Stated(Lognormal(MEDIAN_MS, SIGMA), declared),
        cost=CallCost(Stated(Constant(0.0), declared)),
        failures=(FailureMode("BROKEN", "TRANSIENT", Stated(FAILS, declared)),),
        effects=Effects(True, True, False, True, False),
        retry=RetryPolicy(RETRIES + 1, BACKOFF_MS, 2.0),
    )
    return Catalog({"work": skill})


def _simpy(plan: Plan) -> None:
    import simpy

    chance = random.Random(0)
    for _ in range(_SIMPY_SAMPLES):
        environment = simpy.Environment()
        done = {step.id: environment.event() for step in plan.steps}

        def work(step: Step, environment=environment, done=done):
            yield environment.all_of([done[name] for name in step.needs or ()])
            for attempt in range(RETRIES + 1):
                yield environment.timeout(MEDIAN_MS * chance.lognormvariate(0, SIGMA))
                if chance.random() >= FAILS:
                    break
                yield environment.timeout(BACKOFF_MS * 2**attempt)
            done[step.id].succeed()

        for step in plan.steps:
            environment.process(work(step))
        environment.run()
