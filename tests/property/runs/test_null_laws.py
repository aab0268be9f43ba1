"""What a step makes of an output that is null: forecast and run tell the same story."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.domain.forecasts.verdicts import Limits
from aos.domain.plans.plan import Expect, OnError, Outcome, Plan, Step, When
from aos.domain.skills.skill import NO_RETRY, Catalog, RetryPolicy, Skill
from aos.engine.execution.program import Call, compile_plan
from aos.engine.simulate import Simulation, StepSamples
from aos.engine.summary import forecast
from aos.runtime.skills import Reply
from tests.unit.engine.build import catalog, skill
from tests.unit.runtime.scripted import Bench, Told, codes, ends, fails

TEXT = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "inside": {"type": "object", "additionalProperties": {"$ref": "#/$defs/name"}},
        "list": {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"enum": ["a"]}]}},
        "any": {},
    },
    "$defs": {"name": {"type": ["string", "number"]}},
}
GIVES = {"text": "a", "list": ["a", "a"]}


class Sketch(NamedTuple):
    """A step by numbers: what it does, whom it refers to and how, what comes of its failure."""

    fails: bool
    goes_on: bool
    refers: tuple[str, int] | None
    when: tuple[int, Outcome] | None
    after_all: bool
    fallback: bool


forms: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "text": lambda name: {"text": f"${{steps.{name}.output.text}}"},
    "inside": lambda name: {"inside": {"x": f"${{steps.{name}.output.text}}"}},
    "list": lambda name: {"list": [1, f"${{steps.{name}.output.text}}"]},
    "any": lambda name: {"any": f"${{steps.{name}.output}}"},
    "within": lambda name: {"text": f"it says ${{steps.{name}.output.text}}"},
    "items": lambda name: {},
    "items and text": lambda name: {"text": f"${{steps.{name}.output.text}}"},
}
outcomes: st.SearchStrategy[Outcome] = st.sampled_from(["succeeded", "failed", "skipped"])
sketches = st.builds(
    Sketch,
    fails=st.booleans(),
    goes_on=st.sampled_from([True, True, False]),
    refers=st.none() | st.tuples(st.sampled_from(sorted(forms)), st.integers(0, 4)),
    when=st.none() | st.none() | st.tuples(st.integers(0, 4), outcomes),
    after_all=st.booleans(),
    fallback=st.booleans(),
)


def assembled(made: list[Sketch]) -> Plan:
    """Steps that refer to those before them; one that stands in for the last but one follows it in the list."""
    steps: list[Step] = []
    stands_in = False
    for i, sketch in enumerate(made):
        earlier = [step.id for step in steps if not step.id.startswith("f")]
        name = f"f{i}" if stands_in else f"s{i}"
        if stands_in:
            earlier = earlier[:-1]
        next_stands_in = sketch.fallback and not stands_in and i + 1 < len(made)
        action = OnError("continue" if sketch.goes_on else "fail")
        refers = (
            (sketch.refers[0], earlier[sketch.refers[1] % len(earlier)])
            if sketch.refers and earlier
            else None
        )
        over = None
        if refers and refers[0].startswith("items"):
            over = f"${{steps.{refers[1]}.output.list}}" if refers[0] == "items" else ("x", "y")
        when = (
            When(earlier[sketch.when[0] % len(earlier)], sketch.when[1]) if sketch.when and earlier else None
        )
        steps.append(
            Step(
                name,
                "badly" if sketch.fails else "well",
                forms[refers[0]](refers[1]) if refers else {},
                needs=None if sketch.after_all else (),
                when=when,
                on_error=OnError("fallback", f"f{i + 1}") if next_stands_in else action,
                for_each=over,
                expect=Expect(2, 2) if isinstance(over, str) else None,
            )
        )
        stands_in = next_stands_in
    return Plan(tuple(steps))


def known(chance: float = 1.0, retry: RetryPolicy = NO_RETRY) -> Catalog:
    well: Skill = skill("well", retry=retry)._replace(input_schema=TEXT)
    badly: Skill = skill("badly", failures={"BROKEN": chance}, retry=retry)._replace(input_schema=TEXT)
    return catalog(well, badly)


AGAIN = RetryPolicy(2, backoff_ms=1, multiplier=1, retry_on=("TRANSIENT", "PERMANENT"))


@given(st.lists(sketches, min_size=2, max_size=6).map(assembled), st.sampled_from([NO_RETRY, AGAIN]))
def test_what_is_sure_happens(plan: Plan, retry: RetryPolicy) -> None:
    """Of steps that always or never fail the forecast says how each ends, after how many attempts, and what with."""
    program = compile_plan(plan, known(retry=retry), {})
    (chunk,) = Simulation(program, seed=0).take(100)
    told = {"well": Told(*[Reply(GIVES)] * 50), "badly": Told(*[fails("BROKEN")] * 50)}
    state = Bench(**told).run(*plan.steps, known=known(retry=retry))
    ended = ends(state)
    assert chunk.success.all() == chunk.success.any() == (state.status == "succeeded")
    for call, samples in zip(program.calls, chunk.steps or (), strict=True):
        step, ran, ok = call.step, samples.ran.all(), (samples.ran & samples.ok).all()
        stand_in = step.on_error.fallback
        mended = stand_in is not None and ended.get(stand_in) == "succeeded"
        end = "succeeded" if mended else ended.get(step.id, "skipped")
        assert samples.ran.any() == ran
        assert end == ("succeeded" if ok else "failed" if ran else "skipped")
        assert sorted(map(str, codes(state, step.id))) == sorted(map(str, foretold(call, samples)))


def foretold(call: Call, samples: StepSamples) -> Iterator[str | None]:
    """How each attempt ends, in the first sample."""
    for node in samples.nodes:
        if node.ran[0]:
            for number in range(node.draw.attempts()[0]):
                met = node.draw.rounds[number] if number < len(node.draw.rounds) else None
                mode = [] if met is None else met.mode[met.samples == 0].tolist()
                yield call.attempts.modes[mode[0]].code if mode else None


def test_runs_end_as_often_as_was_forecast() -> None:
    """Three steps that fail half of the time, whichever: all that can happen is carried out once."""
    steps = (
        Step("a", "badly", {}, on_error=OnError("continue")),
        Step("b", "badly", forms["within"]("a"), on_error=OnError("continue")),
        Step("c", "badly", forms["text"]("b"), on_error=OnError("continue")),
        Step(
            "d",
            "well",
            forms["items"]("a"),
            (),
            for_each="${steps.a.output.list}",
            expect=Expect(0.6, 3),
            on_error=OnError("continue"),
        ),
        Step("e", "well", forms["inside"]("b") | forms["list"]("c"), (), When("d", "succeeded")),
    )
    plan, broken = Plan(steps), ("a", "b", "c")
    program = compile_plan(plan, known(0.5), {})
    (chunk,) = Simulation(program, seed=0).take(10_000)
    risks = {(risk.step, risk.code): risk.fails for risk in forecast(program, [chunk], 0, Limits()).risks}
    assert risks["d", "BAD_PARAMS"] == pytest.approx(0.5, abs=0.02)
    assert risks["c", "BAD_PARAMS"] == pytest.approx(0.5, abs=0.02)
    counts = dict.fromkeys(
        [(step.id, end) for step in steps for end in ("succeeded", "failed", "skipped")], 0
    )
    succeeded = 0
    for fates in product([True, False], repeat=3):
        skills = {
            name: Told(fails("BROKEN")) if bad else Told(Reply(GIVES))
            for name, bad in zip(broken, fates, strict=True)
        }
        skills["well"] = Told(*[Reply(GIVES)] * 9)
        known_here = catalog(*(skill(name)._replace(input_schema=TEXT) for name in skills))
        told = tuple(step._replace(skill=step.id) if step.id in broken else step for step in steps)
        state = Bench(**skills).run(*told, known=known_here)
        succeeded += state.status == "succeeded"
        for step in steps:
            counts[step.id, ends(state).get(step.id, "skipped")] += 1
    assert chunk.success.mean() == pytest.approx(succeeded / 8, abs=0.02)
    for step, samples in zip(steps, chunk.steps or (), strict=True):
        well = (samples.ran & samples.ok).mean()
        shares = {"succeeded": well, "failed": samples.ran.mean() - well, "skipped": 1 - samples.ran.mean()}
        for end, share in shares.items():
            assert share == pytest.approx(counts[step.id, end] / 8, abs=0.02)
