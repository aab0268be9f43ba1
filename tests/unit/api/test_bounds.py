"""Runs under way, held to what was approved: where a step went otherwise than forecast, the rest is looked at."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest

from aos.api.forecast.cases import case
from aos.api.running.bounds import held_to
from aos.api.running.grants import Grant, grant_of
from aos.api.running.run import Means, resume, run
from aos.api.running.runs import export, import_from
from aos.domain.approvals.envelopes import Held
from aos.domain.forecasts.verdicts import Limits
from aos.domain.plans.plan import OnError, Plan, Step
from aos.domain.runs.outcomes import Execution, Outcome
from aos.domain.runs.recorded import Attempted, Progress, RunState
from aos.domain.runs.results import RunResult
from aos.domain.runs.run import StepEnd
from aos.engine.execution.program import compile_plan
from aos.engine.simulate import Simulation
from aos.errors import AosError
from aos.ledger.ledger import Ledger
from aos.runtime.memory import Memory
from aos.runtime.skills import Fault, Reply
from aos.wire.catalogs.read import default_catalog, parse_catalog
from aos.wire.envelopes import parse_envelope
from aos.wire.results.runs import run as document
from tests.cli.schemas import faults
from tests.fakes.desk import Desk, paid

MOODY: Any = {"code": "TIMEOUT", "category": "PERMANENT", "probability": 0.02}
CATALOG = parse_catalog(
    {
        "aos_catalog": "1",
        "skills": {
            "quick": {**paid("quick", Decimal(1)), "latency_ms": 40},
            "frail": {**paid("frail", Decimal(1)), "latency_ms": 40, "failures": [MOODY]},
            "risky": {
                **paid("risky", Decimal(1)),
                "latency_ms": 40,
                "failures": [{**MOODY, "probability": 0.4}],
            },
            "varied": {**paid("varied", Decimal(1)), "cost_cents": {"p50": 2, "p90": 3}},
        },
    },
    name="test",
    base=default_catalog(),
)
LATE = Plan((Step("a", "quick", {}), Step("b", "quick", {}), Step("c", "quick", {})))
DETOUR = Plan(
    (
        Step("a", "frail", {}, on_error=OnError("fallback", "f")),
        Step("f", "risky", {}),
        Step("b", "quick", {}),
    )
)


class Acting:
    """Does what the script says of each step, in order of the calls."""

    def __init__(self, script: Mapping[str, Reply | float]) -> None:
        self.calls = list[str]()
        self._script = script

    def __call__(self, params: Any, call: Any) -> Reply:
        self.calls.append(call.place.step)
        does = self._script.get(call.place.step, 0.0)
        if isinstance(does, Reply):
            return does
        call.cancelled.wait(does / 1000)
        return Reply({}, cost_cents=Decimal(1))


def acted(
    plan: Plan, script: Mapping[str, Reply | float], record: Any = None
) -> tuple[RunState, Acting, Means]:
    acting = Acting(script)
    skills = dict.fromkeys(("quick", "frail", "risky", "varied"), acting)
    using = Means(record=record or Memory(), implementations=skills)
    desk: Any = Desk(plan, CATALOG)
    state = run(plan, CATALOG, means=using, grant=grant_of(desk, "http://desk", "req-1")).state
    assert state
    return state, acting, using


def another(plan: Plan) -> Grant:
    desk: Any = Desk(plan, CATALOG)
    told = desk.document
    envelope = parse_envelope(told["envelope"])._replace(time=Held(60_000.0, True))
    return Grant(desk, "http://desk", "req-2", told["digest"], 4, told["plan"], envelope)


def paused(state: RunState) -> str:
    assert state.end
    assert (state.status, state.end.cause) == ("paused", "envelope")
    return state.end.detail


def test_a_run_that_can_no_longer_be_in_time_asks_again() -> None:
    state, acting, using = acted(LATE, {"a": 1_200.0})
    assert "would go on beyond 1.15 s" in paused(state)
    assert acting.calls == ["a"]
    assert faults(document(RunResult(LATE, state.start.simulation, state), 8)) == []
    name = state.start.id
    with pytest.raises(AosError) as caught:
        resume(name, CATALOG, using)
    assert caught.value.code == "approval_void"
    ended = resume(name, CATALOG, using, grant=another(LATE)).state
    assert ended
    assert (ended.status, acting.calls) == ("succeeded", ["a", "b", "c"])


def test_a_detour_that_is_less_likely_to_succeed_asks_again() -> None:
    state, acting, _ = acted(DETOUR, {"a": Reply(fault=Fault("TIMEOUT", "x"), cost_cents=Decimal(1))})
    assert "of 100 runs were to succeed, of the rest" in paused(state)
    assert acting.calls == ["a"]


def test_a_run_that_fails_for_good_ends_as_it_would_without_an_approval() -> None:
    aside = (Step("b", "quick", {}, needs=()), Step("c", "quick", {}, needs=("b",)))
    plan = Plan((Step("a", "frail", {}), *aside))
    state, acting, _ = acted(plan, {"a": Reply(fault=Fault("TIMEOUT", "x"), cost_cents=Decimal(1))})
    assert (state.status, sorted(acting.calls)) == ("failed", ["a", "b", "c"])


def test_a_step_dearer_than_its_p95_has_the_rest_priced() -> None:
    plan = Plan(tuple(Step(f"s{i}", "varied", {}) for i in range(3)))
    state, acting, _ = acted(plan, {"s0": Reply({}, cost_cents=Decimal(7))})
    assert "7c are spent" in paused(state)
    assert acting.calls == ["s0"]


def test_only_what_is_notable_is_looked_at_and_the_same_event_once() -> None:
    state, _, _ = acted(LATE, {})
    name, slow = state.attempts[0].intent.place.step, state.attempts[0]
    steps = {name: state.steps[name]}

    def after(took_ms: float, watch: Callable[[Progress], str]) -> str:
        late = slow._replace(ended_ms=slow.intent.started_ms + took_ms)
        at = slow.intent.started_ms + 5_000
        return watch(Progress(at, 5_000.0, [late], steps))

    watch = held_to(state.start, LATE, CATALOG)
    assert after(139.0, watch) == ""  # 40 ms were forecast; 100 more may be the machine's own
    watch = held_to(state.start, LATE, CATALOG)
    assert "5 s have passed" in after(141.0, watch)
    assert after(141.0, watch) == ""
    assert after(5000.0, held_to(state.start, LATE, CATALOG, known={name})) == ""


def test_a_step_under_way_counts_from_when_it_began() -> None:
    plan = Plan((Step("a", "quick", {}, needs=()), Step("b", "quick", {}, needs=())))
    state, _, _ = acted(plan, {})
    one, other = state.attempts
    begun = other._replace(outcome=None, ended_ms=None, intent=other.intent._replace(started_ms=0.0))
    late = one._replace(ended_ms=one.intent.started_ms + 1_090)

    def asked(active_ms: float) -> str:
        steps = {one.intent.place.step: state.steps[one.intent.place.step]}
        return held_to(state.start, plan, CATALOG)(Progress(1_090.0, active_ms, [late, begun], steps))

    assert asked(1_090.0) == ""  # b ends when a did, as far as anybody knows
    assert "would go on beyond 1.05 s" in asked(2_200.0)


def test_what_an_earlier_try_took_is_done_and_not_under_way() -> None:
    plan = Plan((Step("a", "quick", {}, needs=()), Step("b", "quick", {}, needs=())))
    state, _, _ = acted(plan, {})
    one, other = state.attempts
    earlier = other._replace(intent=other.intent._replace(started_ms=0.0))
    late = one._replace(ended_ms=one.intent.started_ms + 1_090, of_try=2)
    steps = {one.intent.place.step: state.steps[one.intent.place.step]}
    watch = held_to(state.start, plan, CATALOG)
    assert "1.2 s have passed" in watch(Progress(1_090.0, 1_200.0, [earlier, late], steps, of_try=2))


def test_of_runs_that_go_as_forecast_few_ask_again() -> None:
    plan = Plan(tuple(Step(f"s{i}", "varied", {}) for i in range(5)))
    state, _, _ = acted(plan, {step.id: Reply({}, cost_cents=Decimal(0)) for step in plan.steps})
    asked = case(plan, CATALOG, Limits())
    (drawn,) = Simulation(compile_plan(plan, CATALOG, asked.prices), 77).take(400)
    assert drawn.steps
    paused = 0
    for number in range(400):
        watch, attempts, ended = held_to(state.start, plan, CATALOG), list[Attempted](), dict[str, StepEnd]()
        for step, before in zip(drawn.steps[:-1], state.attempts[:-1], strict=True):
            start, end, name = float(step.start[number]), float(step.end[number]), before.intent.place.step
            cents = Decimal(0 if step.cost is None else int(step.cost[number])) / 1_000_000
            made = Outcome(True, None, None, Execution(end - start, cents), effect="none")
            attempts.append(Attempted(before.intent._replace(started_ms=start), made, end))
            ended[name] = state.steps[name]
            if watch(Progress(end, end, attempts, ended)):
                paused += 1
                break
    assert 0 < paused < 40


def test_an_approval_of_a_resumed_run_is_on_record(tmp_path: Any) -> None:
    with Ledger(tmp_path / "ledger.db") as record:
        state, _, using = acted(LATE, {"a": 1_200.0}, record)
        paused(state)
        name = state.start.id
        ended = resume(name, CATALOG, using, grant=another(LATE)).state
        assert ended
        assert ended.status == "succeeded"
        kept = record.state(name).start.approval
        assert kept == ended.start.approval
        assert kept["request_id"] == "req-2"
        assert kept["bounds"]["after_ms"] >= 1_200
    (tmp_path / "runs.jsonl").write_text(
        "".join(f"{line}\n" for line in export(tmp_path / "ledger.db", [name]))
    )
    import_from(tmp_path / "other.db", str(tmp_path / "runs.jsonl"))
    with Ledger(tmp_path / "other.db") as other:
        assert other.state(name).start.approval == kept
