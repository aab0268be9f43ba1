"""Laws of envelopes: a forecast is within its own, chance never voids one, and what is worse never mends one."""

import json
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from aos.api.forecast.simulate import simulate
from aos.domain.approvals.envelopes import Envelope, Held, departures, envelope
from aos.domain.approvals.policies import PolicyVerdict
from aos.domain.forecasts.forecast import Spread, Unknown
from aos.domain.forecasts.results import SimulationResult
from aos.domain.plans.plan import Plan
from aos.wire.envelopes import changed, dump_envelope, envelope_digest, parse_envelope
from tests.strategies.plans import plans

SAMPLES = 200
few = settings(max_examples=25, deadline=None)


def simulated(plan: Plan, seed: int = 0) -> SimulationResult:
    return simulate(plan, samples=SAMPLES, seed=seed, explain=False, alternatives=False)


def codes(approved: Envelope, now: SimulationResult) -> set[str]:
    return {one.code for one in departures(approved, now)}


@few
@given(plans(max_steps=4))
def test_a_forecast_is_within_its_own_envelope_also_after_a_journey(plan: Plan) -> None:
    result = simulated(plan)
    approved = envelope(result)
    assert departures(approved, result) == changed(plan, plan) == ()
    read = parse_envelope(json.loads(json.dumps(dump_envelope(approved))))
    assert read == approved
    assert envelope_digest(read) == envelope_digest(approved)


@few
@given(plans(max_steps=4), st.integers(1, 2**31))
def test_neither_chance_nor_a_name_ever_voids_it(plan: Plan, seed: int) -> None:
    renamed = plan._replace(name=f"{plan.name}, seed {seed}")
    assert departures(envelope(simulated(plan)), simulated(renamed, seed)) == changed(plan, renamed) == ()


@few
@given(plans(max_steps=3), plans(max_steps=3))
def test_another_plan_is_named_and_says_where(a: Plan, b: Plan) -> None:
    approved, now = simulated(a), simulated(b)
    differ = approved.digests.plan != now.digests.plan
    assert ("plan_changed" in codes(envelope(approved), now)) == differ
    assert bool(changed(a, b)) == differ


@few
@given(plans(max_steps=3), st.floats(1.6, 3), st.floats(1, 3))
def test_a_forecast_that_is_worse_still_is_outside_where_a_better_one_is(
    plan: Plan, factor: float, more: float
) -> None:
    result = simulated(plan)
    approved = envelope(result)
    worse = codes(approved, scaled(result, factor))
    assert worse <= codes(approved, scaled(result, factor * more))
    assert codes(approved, scaled(result, 1 / factor)) == set()


@few
@given(plans(max_steps=3), st.floats(0, 5), st.floats(1, 3))
def test_who_approved_more_approved_all_of_the_less(plan: Plan, factor: float, more: float) -> None:
    result = simulated(plan)
    own = envelope(result)
    tight = own._replace(cost=times(own.cost, factor), time=times(own.time, factor))
    wide = own._replace(cost=times(tight.cost, more), time=times(tight.time, more))
    assert codes(wide, result) <= codes(tight, result)


@few
@given(plans(max_steps=3))
def test_unknown_is_never_within_known_and_known_always_within_unknown(plan: Plan) -> None:
    result = simulated(plan)
    everything = Unknown("unknown_items", "/steps/0", "nobody knows")
    hidden = result._replace(forecast=result.forecast._replace(unknowns=(everything,)))
    left = codes(envelope(result), hidden)
    for name in ("cost", "time", "success"):
        assert (f"{name}_outside" in left) == getattr(envelope(result), name).known
    assert departures(envelope(hidden), result) == ()


@few
@given(
    plans(max_steps=3),
    *[st.tuples(st.sampled_from(["allow", "requires_approval", "deny"]), st.integers(1, 5))] * 2,
)
def test_only_a_stricter_policy_voids_it(plan: Plan, before: tuple[str, int], now: tuple[str, int]) -> None:
    def told(said: tuple[str, int], digest: str) -> SimulationResult:
        level = said[1] if said[0] == "requires_approval" else None
        return result._replace(policy=PolicyVerdict(said[0], level, digest, ()))  # type: ignore[arg-type]

    def strict(said: tuple[str, int]) -> int:
        return {"allow": 0, "deny": 9}.get(said[0], said[1])

    result = simulated(plan)
    left = codes(envelope(told(before, "sha256:a")), told(now, "sha256:b"))
    assert ("policy_stricter" in left) == (strict(now) > strict(before))


@few
@given(plans(max_steps=3), st.none() | st.integers(0, 9), st.none() | st.integers(0, 9))
def test_a_budget_may_only_shrink(plan: Plan, was: int | None, now: int | None) -> None:
    def limited(cents: int | None) -> SimulationResult:
        budget = None if cents is None else Decimal(cents)
        return result._replace(limits=result.limits._replace(budget_cents=budget))

    result = simulated(plan)
    larger = was is not None and (now is None or now > was)
    assert ("budget_raised" in codes(envelope(limited(was)), limited(now))) == larger


def times(held: Held, factor: float) -> Held:
    return held._replace(value=held.value * factor)


def scaled(result: SimulationResult, factor: float) -> SimulationResult:
    forecast = result.forecast
    cost, time = stretched(forecast.cost_at_least, factor), stretched(forecast.time_at_least, factor)
    return result._replace(
        forecast=forecast._replace(
            cost=forecast.cost and cost, cost_at_least=cost, time=forecast.time and time, time_at_least=time
        )
    )


def stretched(spread: Spread, factor: float) -> Spread:
    p95 = spread.p95._replace(value=spread.p95.value * factor)
    return spread._replace(p95=p95, edges=tuple(edge * factor for edge in spread.edges))
