"""The plan that was forecast is the plan that runs: one draw of the engine, carried out by the schedule."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.api.running.run import Means
from aos.api.running.run import run as carry_out
from aos.domain.forecasts.verdicts import Limits
from aos.domain.plans.flow import too_dear
from aos.domain.plans.plan import Plan, Step
from aos.domain.plans.retries import effect_of_failure, repeatable
from aos.domain.runs.run import Place
from aos.domain.skills.distributions import Constant, Distribution, Quantiles
from aos.domain.skills.skill import Catalog, RateLimit, Skill
from aos.engine.execution.budget import spent_when_stopped
from aos.engine.execution.program import Program, compile_plan
from aos.engine.sampling.draws import Node
from aos.engine.sampling.prices import MICRO
from aos.engine.simulate import Samples, Simulation
from aos.runtime.schedule import Attempt, Failed
from aos.runtime.skills import Implementation, Reply
from aos.wire.catalogs.read import default_catalog
from tests.strategies.plans import plans
from tests.unit.engine.build import catalog, figure, skill
from tests.unit.runtime.virtual import Told, run

TICK = 0.001  # ms; times in queues are whole microseconds, and rounding adds up from call to call


def _worse(one: Skill) -> Skill:
    """The skill with so many failures that all rules come into play. The forecast books the permits of all attempts at
    the first one's start, a run as they are made: so only what is never tried again is limited here."""
    modes = [mode._replace(probability=mode.probability and figure(0.12)) for mode in one.failures or ()]
    limit = RateLimit(600, 2) if one.retry.max_attempts == 1 else None
    return one._replace(failures=tuple(modes), rate_limit=limit)


SHIPPED = default_catalog()
WORSE = SHIPPED._replace(
    skills={name: _worse(one) for name, one in SHIPPED.skills.items()},
    pools={"network": 2, "llm": 1, "disk": 1},
)


class Draw(NamedTuple):
    """One sample of the engine."""

    program: Program
    chunk: Samples
    k: int

    def items(self, step: int) -> int:
        return sum(bool(chain[0].ran[self.k]) for chain in self._steps[step].items)

    def node(self, place: Place) -> Node:
        step = next(i for i, call in enumerate(self.program.calls) if call.step.id == place.step)
        node: Node = self._steps[step].items[place.item][place.iteration]
        return node

    def told(self, attempt: Attempt) -> Told:
        """The attempt as it was drawn. Only the total of a call's times is known: its attempts share it evenly."""
        call = next(c for c in self.program.calls if c.step.id == attempt.place.step)
        draw = self.node(attempt.place).draw
        tries = int(draw.attempts()[self.k])
        pauses = sum(call.retry.backoff(failed) for failed in range(1, tries))
        ms = (float(draw.time[self.k]) - pauses) / tries
        met = draw.rounds[attempt.number - 1] if attempt.number <= len(draw.rounds) else None
        found = np.flatnonzero(met.samples == self.k) if met else np.zeros(0)
        if met is None or not found.size:
            return Told(ms)
        mode = call.attempts.modes[met.mode[found[0]]]
        effect = effect_of_failure(mode.code, call.effects)
        return Told(ms, Failed(mode.category, effect, repeatable(call.effects, call.retry)))

    def cost(self, step: int) -> int:
        cost = self._steps[step].cost
        return int(cost[self.k]) if cost is not None and self._steps[step].ran[self.k] else 0

    @property
    def _steps(self) -> Any:
        return self.chunk.steps


def drawn(plan: Plan, known: Catalog, k: int) -> Draw:
    program = compile_plan(plan, known, {})
    (chunk,) = Simulation(program, seed=k).take(4)
    return Draw(program, chunk, k % 4)


def _unasked(plan: Plan) -> Plan:
    """Waits for people are on a clock of their own."""
    return plan._replace(steps=tuple(step._replace(approval=None) for step in plan.steps))


@given(plans().map(_unasked), st.integers(0, 1000))
def test_a_run_goes_as_it_was_drawn(plan: Plan, k: int) -> None:
    draw = drawn(plan, WORSE, k)
    spent: dict[str, int] = dict.fromkeys((step.id for step in plan.steps), 0)

    def script(attempt: Attempt) -> Told:
        told = draw.told(attempt)
        node = draw.node(attempt.place).draw
        if attempt.number == 1 and node.cost is not None:
            spent[attempt.place.step] += int(node.cost[draw.k])
        made[attempt.place] = attempt.number
        return told

    made: dict[Place, int] = {}
    ran = run(plan, WORSE, script, draw.items)
    assert ran.schedule.finished
    flow, near = ran.schedule.flow, TICK * (1 + len(ran.attempts))
    assert flow.success() == draw.chunk.success[draw.k]
    for i, step in enumerate(draw.chunk.steps or ()):
        assert flow.ran[i] == step.ran[draw.k]
        assert not flow.ran[i] or flow.ok[i] == step.ok[draw.k]
        assert spent[plan.steps[i].id] == draw.cost(i)
        if flow.ran[i]:
            assert ran.ended[i] == pytest.approx(step.end[draw.k], abs=near)
    for place, number in made.items():
        assert number == draw.node(place).draw.attempts()[draw.k]
    assert ran.now == pytest.approx(draw.chunk.time[draw.k], abs=near)


def test_permits_booked_at_the_start_are_nearly_those_asked_for_one_by_one() -> None:
    """20 calls at once, one a second, a fifth of them fails: the same draws, forecast and carried out."""
    limited = SHIPPED.skills["http_call"]
    modes = tuple(
        mode._replace(probability=figure(0.2 / len(limited.failures or ())), category="TRANSIENT")
        for mode in limited.failures or ()
    )
    skills = {"http_call": limited._replace(failures=modes, rate_limit=RateLimit(60, 1))}
    known, samples = SHIPPED._replace(skills=skills), 200
    plan = Plan(tuple(Step(f"s{i}", "http_call", {"url": "https://a.example"}, needs=()) for i in range(20)))
    program = compile_plan(plan, known, {})
    (chunk,) = Simulation(program, seed=0).take(samples)
    draws = [Draw(program, chunk, k) for k in range(samples)]
    ran = [run(plan, known, draw.told, draw.items).now for draw in draws]
    for q in (50, 95):
        assert np.percentile(chunk.time, q) == pytest.approx(np.percentile(ran, q), rel=0.15)


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
    st.integers(0, 20),
)
def test_the_budget_stops_a_run_where_it_stops_the_forecast(
    prices: list[int], linked: list[bool], budget: int
) -> None:
    """Prices are certain, so what is set aside is what is paid."""
    dear = [skill(f"k{cents}", cost=Constant(float(cents))) for cents in range(6)]
    known = catalog(*dear)
    steps = [
        Step(f"s{i}", f"k{cents}", {}, needs=None if linked[i] else ()) for i, cents in enumerate(prices)
    ]
    plan = Plan(tuple(steps))
    draw = drawn(plan, known, 0)
    stopped, spent = spent_when_stopped(draw.chunk, budget * MICRO)
    ran = run(plan, known, _payer(plan, prices, budget))
    begun = {attempt.place.step for _, attempt in ran.attempts}
    assert (ran.schedule.refused is not None) == bool(stopped[0])
    assert sum(cents for i, cents in enumerate(prices) if f"s{i}" in begun) * MICRO == spent[0]


def _payer(plan: Plan, prices: list[int], budget: int) -> Callable[[Attempt], Told | None]:
    left = Decimal(0)

    def pay(attempt: Attempt) -> Told | None:
        nonlocal left
        price = prices[int(attempt.place.step[1:])]
        if stopped or too_dear(price, left, budget):
            stopped.append(attempt)
            return None
        left += price
        return Told(100.0)

    stopped: list[Attempt] = []
    return pay


@given(
    st.lists(st.sampled_from(["rarely", "seldom", "surely"]), min_size=1, max_size=5),
    st.lists(st.booleans(), min_size=5, max_size=5),
    st.integers(0, 25),
)
def test_no_run_spends_more_over_its_budget_than_was_said(
    kinds: list[str], linked: list[bool], budget: int
) -> None:
    """Whatever steps cost, within what the catalog says: here always the most, at the worst moment."""
    dear: dict[str, Distribution] = {
        "rarely": Quantiles((0.0, 0.969, 0.97, 1.0), (1.0, 1.0, 10.0, 10.0)),  # 1 is set aside, 10 is paid
        "seldom": Quantiles((0.0, 0.969, 0.97, 1.0), (0.0, 0.0, 10.0, 10.0)),  # nothing, and 10 is paid
        "surely": Constant(4.0),
    }
    known = catalog(*(skill(name, cost=cost) for name, cost in dear.items()))
    made = [Step(f"s{i}", kind, {}, needs=None if linked[i] else ()) for i, kind in enumerate(kinds)]

    def most(name: str) -> Implementation:
        return lambda params, call: Reply({}, cost_cents=Decimal(4 if name == "surely" else 10))

    means = Means(implementations={name: most(name) for name in dear})
    limits = Limits(budget_cents=Decimal(budget))
    ran = carry_out(Plan(tuple(made)), known, limits, means, force=True, samples=1_000)
    assert ran.state is not None
    stop = ran.simulation["forecast"]["budget_stop"]
    assert stop["unbounded_steps"] == []
    assert ran.state.money.spent <= budget + stop["over_cents"]
