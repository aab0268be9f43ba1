"""Plan files: what is accepted, and how it is normalised."""

from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from aos.domain.plans.plan import Expect, OnError, RetryOverride, When
from aos.wire.catalogs.read import parse_catalog
from aos.wire.plans.read import dump_plan, parse_plan, plan_digest, plan_schema
from tests.unit.wire.plans.reading import CATALOG, DEMO, FETCH, READ, TRANSFORM, WRITE, read, step, wrong


def test_an_array_of_steps_is_a_plan_and_needs_no_note() -> None:
    parsed = read(DEMO)
    assert [s.id for s in parsed.plan.steps] == ["s1", "s2", "s3"]
    assert parsed.plan.steps[1].params == {"query": ".bitcoin.usd"}
    assert parsed.notes == ()
    assert parsed.document == {
        "aos_plan": "1",
        "steps": [{"id": f"s{i + 1}", **given} for i, given in enumerate(DEMO)],
    }


def test_other_spellings_are_normalised_and_said_so() -> None:
    parsed = read({"steps": [{"skill_id": s["skill"], "inputs": s["params"]} for s in DEMO]})
    assert parsed.plan == read(DEMO).plan
    assert parsed.notes == (
        'no "aos_plan": read as version "1"',
        '"skill_id" is read as "skill" in 3 steps',
        '"inputs" is read as "params" in 3 steps',
    )


def test_everything_that_a_plan_can_say() -> None:
    document: Any = {
        "aos_plan": "1",
        "name": "everything",
        "inputs": {"pages": [1, 2]},
        "budget": 12.5,
        "deadline_ms": 60000,
        "steps": [
            {"id": "a", **FETCH, "on_error": "fallback:b", "retry": {"max_attempts": 2}, "timeout_s": 5},
            {"id": "b", **READ},
            {
                "id": "c",
                "skill": "llm_invoke",
                "params": {"prompt": "${item.title} of ${index}: ${secrets.KEY}"},
                "needs": ["a"],
                "when": 'steps.a.outcome == "succeeded"',
                "for_each": "${steps.a.output.body}",
                "expect": {"items": {"p50": 5, "p90": 20}},
                "iterations": 2,
                "approval": True,
            },
            {"id": "d", "skill": "json_transform", "params": {"query": "x"}, "for_each": "${inputs.pages}"},
        ],
    }
    plan = read(document).plan
    assert (plan.name, plan.budget_cents, plan.deadline_ms) == ("everything", Decimal("12.5"), 60000)
    a, b, c, d = plan.steps
    assert a.on_error == OnError("fallback", "b")
    assert a.retry == RetryOverride(max_attempts=2)
    assert a.timeout_s == 5
    assert b.on_error == OnError("fail")
    assert c.needs == ("a",)
    assert c.when == When("a", "succeeded")
    assert c.expect == Expect(5, 20)
    assert (c.for_each, c.iterations, c.approval) == ("${steps.a.output.body}", 2, 2)
    assert d.needs is None
    assert d.for_each == "${inputs.pages}"


def test_free_keys_stay_in_the_document_and_out_of_the_plan() -> None:
    parsed = read({"steps": [step(**{"x-owner": "me"})], "_meta": {"by": "hand"}, "aos_plan": "1"})
    assert parsed.document["_meta"] == {"by": "hand"}
    assert parsed.document["steps"][0]["x-owner"] == "me"
    assert parsed.plan == read([READ]).plan


def test_defaults_reach_the_steps_that_are_silent() -> None:
    defaults = {"on_error": "continue", "retry": {"max_attempts": 2}, "timeout_s": 9}
    plan = read({"defaults": defaults, "steps": [FETCH, step(on_error="fail", timeout_s=1), READ]}).plan
    assert [s.on_error.action for s in plan.steps] == ["continue", "fail", "continue"]
    assert [s.timeout_s for s in plan.steps] == [9, 1, 9]
    # fs_read has one attempt: a default tightens where it can and widens nothing.
    assert [s.retry for s in plan.steps] == [RetryOverride(max_attempts=2), None, None]


def test_a_step_may_repeat_the_catalogs_retry() -> None:
    retry = {"max_attempts": 3, "backoff_ms": 500, "max_backoff_ms": 10_000}
    assert read([{**FETCH, "retry": retry}]).plan.steps[0].retry == RetryOverride(3, 500, 10_000)


def test_inputs_given_from_outside_override_and_add() -> None:
    document = {"inputs": {"a": 1}, "steps": [step(params={"path": "${inputs.b}"})]}
    assert read(document, inputs={"a": 2, "b": "x"}).plan.inputs == {"a": 2, "b": "x"}
    assert wrong(document) == [("/steps/0/params/path", "unknown_input")]
    assert wrong(document, inputs={"b": "x", "c": 3}) == [("", "unknown_input")]


def test_the_digest_is_that_of_the_canonical_normal_form() -> None:
    document = {"name": "n", "budget": 12.50, "steps": [{**READ, "timeout_s": 2.0}], "_meta": 1}
    canonical = (
        b'{"aos_plan":"1","budget":"12.5","steps":'
        b'[{"id":"s1","params":{"path":"a"},"skill":"fs_read","timeout_s":2}]}'
    )
    assert plan_digest(read(document).plan) == "sha256:" + sha256(canonical).hexdigest()


def test_the_digest_knows_money_exactly() -> None:
    cheap, same, dear = (
        read({"steps": [READ], "budget": budget}).plan for budget in (0.1, 0.100000, 0.100001)
    )
    assert plan_digest(cheap) == plan_digest(same) != plan_digest(dear)


def test_the_schema_is_the_published_one() -> None:
    published = Path(__file__).parents[4] / "docs" / "schemas" / "plan.schema.json"
    shipped = Path(__file__).parents[4] / "src" / "aos" / "wire" / "plans" / "data" / "plan.schema.json"
    assert published.read_bytes() == shipped.read_bytes()
    assert plan_schema()["title"] == "aos plan, version 1"


def test_dump_leaves_out_what_is_the_default() -> None:
    assert dump_plan(read([READ]).plan) == {"aos_plan": "1", "steps": [{"id": "s1", **READ}]}


@pytest.mark.parametrize(
    "document",
    [
        [FETCH, TRANSFORM],
        [READ, FETCH, {**TRANSFORM, "needs": ["s1"]}],
        [{**FETCH, "on_error": "fallback:s2"}, WRITE, TRANSFORM],
        [FETCH, {**TRANSFORM, "on_error": "fallback:s3"}, TRANSFORM],
        [{"skill": "json_transform", "params": {"query": "a", "input": None}}],
    ],
)
def test_an_input_that_is_left_out_is_the_main_output_of_the_step_before(document: Any) -> None:
    read(document)


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ([TRANSFORM], "/0/params"),
        ([FETCH, {**TRANSFORM, "needs": []}], "/1/params"),
        ([FETCH, READ, {**TRANSFORM, "needs": ["s1", "s2"]}], "/2/params"),
        ([WRITE, TRANSFORM], "/1/params"),
        ([{**TRANSFORM, "on_error": "fallback:s2"}, TRANSFORM], "/1/params"),
    ],
)
def test_an_input_that_nothing_can_stand_in_for_is_missed(document: Any, pointer: str) -> None:
    assert (pointer, "bad_params") in wrong(document)


def test_plans_are_read_against_the_catalog_given() -> None:
    effects = dict.fromkeys(["read_only", "idempotent", "destructive", "reversible", "open_world"], False)
    extra: Any = {"skills": {"paint": {"version": "1", "purpose": "Paint", "effects": effects}}}
    catalog = parse_catalog(extra, name="extra.json", base=CATALOG)
    document: Any = [
        {"skill": "paint", "params": {"colour": "red"}},
        {**TRANSFORM, "params": {"query": "a", "input": "${steps.s1.output.any.thing}"}},
    ]
    assert len(parse_plan(document, catalog, name="plan.json").plan.steps) == 2
    assert wrong(document) == [("/0/skill", "unknown_skill")]
