"""Plan files: what is accepted, how it is normalised, and every rule that a plan can break."""

from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from aos.domain.plans.plan import Expect, OnError, RetryOverride, When
from aos.errors import InputError
from aos.wire.catalogs.read import default_catalog, parse_catalog
from aos.wire.plans.read import ParsedPlan, dump_plan, parse_plan, plan_digest, plan_schema

CATALOG = default_catalog()

DEMO: Any = [
    {"skill": "http_call", "params": {"url": "https://api.coingecko.com/..."}},
    {"skill": "json_transform", "params": {"query": ".bitcoin.usd"}},
    {"skill": "webhook_send", "params": {"url": "https://hooks.slack.com/..."}},
]
FETCH: Any = {"skill": "http_call", "params": {"url": "https://example.org"}}
READ: Any = {"skill": "fs_read", "params": {"path": "a"}}


def read(document: Any, **options: Any) -> ParsedPlan:
    return parse_plan(document, CATALOG, name="plan.json", **options)


def wrong(document: Any, **options: Any) -> list[tuple[str, str]]:
    """Pointers and codes of everything wrong with it."""
    with pytest.raises(InputError) as caught:
        read(document, **options)
    assert caught.value.code == "invalid_plan"
    return [(finding.pointer, finding.code) for finding in caught.value.findings]


def step(**keys: Any) -> Any:
    return {**READ, **keys}


# -- what is accepted ----------------------------------------------------------------------------------------


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


# -- what is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "pointer", "code"),
    [
        ({"id": "a b"}, "/0/id", "bad_value"),
        ({"id": "x" * 65}, "/0/id", "bad_value"),
        ({"id": 1}, "/0/id", "wrong_type"),
        ({"skill": "fs_raed"}, "/0/skill", "unknown_skill"),
        ({"skill": None}, "/0/skill", "wrong_type"),
        ({"skill_id": "fs_read"}, "/0/skill_id", "duplicate_key"),
        ({"nedes": []}, "/0/nedes", "unknown_key"),
        ({"a/~b": []}, "/0/a~1~0b", "unknown_key"),
        ({"params": []}, "/0/params", "wrong_type"),
        ({"needs": "s1"}, "/0/needs", "wrong_type"),
        ({"needs": [1]}, "/0/needs/0", "wrong_type"),
        ({"needs": [""]}, "/0/needs/0", "bad_value"),
        ({"needs": ["s1"]}, "/0/needs/0", "cycle"),
        ({"needs": ["s9"]}, "/0/needs/0", "unknown_step"),
        ({"when": 'steps.s9.outcome == "failed"'}, "/0/when", "unknown_step"),
        ({"when": 'steps.s1.outcome == "failed"'}, "/0/when", "cycle"),
        ({"when": "steps.s9.outcome == 'failed'"}, "/0/when", "bad_value"),
        ({"when": 'steps.s9.outcome == "ok"'}, "/0/when", "bad_value"),
        ({"when": 'steps.s9.output.x == "failed"'}, "/0/when", "bad_value"),
        ({"on_error": "stop"}, "/0/on_error", "bad_value"),
        ({"on_error": "fallback:"}, "/0/on_error", "bad_value"),
        ({"on_error": "fallback:s9"}, "/0/on_error", "unknown_step"),
        ({"on_error": "fallback:s1"}, "/0/on_error", "cycle"),
        ({"retry": {"max_attempts": 0}}, "/0/retry/max_attempts", "bad_value"),
        ({"retry": {"max_attempts": 2}}, "/0/retry/max_attempts", "retry_widened"),
        ({"retry": {"backoff_ms": 1}}, "/0/retry/backoff_ms", "retry_widened"),
        ({"retry": {"multiplier": 1}}, "/0/retry/multiplier", "unknown_key"),
        ({"timeout_s": 0}, "/0/timeout_s", "bad_value"),
        ({"timeout_s": True}, "/0/timeout_s", "wrong_type"),
        ({"iterations": 0}, "/0/iterations", "bad_value"),
        ({"iterations": 101}, "/0/iterations", "bad_value"),
        ({"iterations": 1.5}, "/0/iterations", "wrong_type"),
        ({"iterations": True}, "/0/iterations", "wrong_type"),
        ({"for_each": 3}, "/0/for_each", "wrong_type"),
        ({"for_each": [0] * 51}, "/0/for_each", "too_large"),
        ({"for_each": "items"}, "/0/for_each", "bad_value"),
        ({"for_each": "${inputs.list} and more"}, "/0/for_each", "bad_value"),
        ({"for_each": "${secrets.ITEMS}"}, "/0/for_each", "bad_value"),
        ({"for_each": "${item}"}, "/0/for_each", "bad_reference"),
        ({"for_each": ["${index}"]}, "/0/for_each/0", "bad_reference"),
        ({"expect": {"items": 2}}, "/0/expect", "bad_value"),
        ({"for_each": [1], "expect": {"items": 2}}, "/0/expect", "bad_value"),
        ({"for_each": "${inputs.list}", "expect": {}}, "/0/expect", "missing_key"),
        ({"for_each": "${inputs.list}", "expect": {"items": 51}}, "/0/expect/items", "bad_value"),
        ({"for_each": "${inputs.list}", "expect": {"items": {"p50": 0, "p90": 1}}}, "/0/expect/items/p50", "bad_value"),
        ({"for_each": "${inputs.list}", "expect": {"items": {"p50": 3, "p90": 2}}}, "/0/expect/items/p90", "bad_value"),
        ({"approval": 0}, "/0/approval", "bad_value"),
        ({"approval": "yes"}, "/0/approval", "wrong_type"),
        ({"params": {}}, "/0/params", "bad_params"),
        ({"params": {"path": "a", "paht": "b"}}, "/0/params/paht", "bad_params"),
        ({"params": {"path": "${steps.s1.output}"}}, "/0/params/path", "cycle"),
        ({"params": {"path": "${steps.s9.output}"}}, "/0/params/path", "unknown_step"),
        ({"params": {"path": "${inputs.x}${inputs.x}"}}, "/0/params/path", "unknown_input"),
        ({"params": {"path": "${steps.s9}"}}, "/0/params/path", "bad_reference"),
        ({"params": {"path": "${item}"}}, "/0/params/path", "bad_reference"),
        ({"params": {"path": "${secrets.A.b}"}}, "/0/params/path", "bad_reference"),
        ({"params": {"path": "${inputs.none}"}}, "/0/params/path", "unknown_input"),
        ({"params": {"path": "${inputs.list.7}"}}, "/0/params/path", "unknown_input"),
    ],
)  # fmt: skip
def test_a_step_that_breaks_one_rule(keys: dict[str, Any], pointer: str, code: str) -> None:
    assert wrong([step(**keys)], inputs={"list": [1]} if "inputs.list" in str(keys) else {}) == [
        (pointer, code)
    ]


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        (None, "", "wrong_type"),
        ("[]", "", "wrong_type"),
        ([], "", "bad_value"),
        ({"aos_plan": "1"}, "", "missing_key"),
        ({"steps": {}}, "/steps", "wrong_type"),
        ({"aos_plan": "2", "steps": [READ]}, "/aos_plan", "bad_value"),
        ({"aos_plan": 1, "steps": [READ]}, "/aos_plan", "wrong_type"),
        ({"step": [], "steps": [READ]}, "/step", "unknown_key"),
        ({"steps": [READ], "budget": -1}, "/budget", "bad_value"),
        ({"steps": [READ], "budget": 0.0000001}, "/budget", "bad_value"),
        ({"steps": [READ], "budget": True}, "/budget", "wrong_type"),
        ({"steps": [READ], "budget": "5"}, "/budget", "wrong_type"),
        ({"steps": [READ], "deadline_ms": 0}, "/deadline_ms", "bad_value"),
        ({"steps": [READ], "inputs": {"a b": 1}}, "/inputs/a b", "bad_value"),
        ({"steps": [READ], "defaults": {"on_error": "fallback:s1"}}, "/defaults/on_error", "bad_value"),
        ({"steps": [READ], "defaults": {"needs": []}}, "/defaults/needs", "unknown_key"),
        ([{"id": "s2", **READ}, READ], "/1", "duplicate_id"),
        ([{"id": "a", **READ}, {"id": "a", **READ}], "/1/id", "duplicate_id"),
        ([step(params={"path": "${steps.s2.output.content}"}), READ], "/0/params/path", "forward_reference"),
        ([READ, step(params={"path": "${steps.s1.output.contents}"})], "/1/params/path", "unknown_output"),
        ([READ, step(params={"path": "${steps.s1.output.bytes.x}"})], "/1/params/path", "unknown_output"),
        ([step(for_each=[1]), step(params={"path": "${steps.s1.output.content}"})], "/1/params/path", "unknown_output"),
        ([step(for_each="${inputs.n}")], "/0/for_each", "unknown_input"),
        ({"inputs": {"n": 5}, "steps": [step(for_each="${inputs.n}")]}, "/steps/0/for_each", "wrong_type"),
        ({"inputs": {"n": [0] * 51}, "steps": [step(for_each="${inputs.n}")]}, "/steps/0/for_each", "too_large"),
    ],
)  # fmt: skip
def test_a_plan_that_breaks_one_rule(document: Any, pointer: str, code: str) -> None:
    assert wrong(document) == [(pointer, code)]


def test_the_words_that_were_probably_meant() -> None:
    with pytest.raises(InputError) as caught:
        read([{"id": "fetch", **FETCH}, step(skill="fs_raed", needs=["fecth"], nedes=[])])
    suggestions = {finding.pointer: finding.suggestion for finding in caught.value.findings}
    assert suggestions == {"/1/skill": "fs_read", "/1/needs/0": "fetch", "/1/nedes": "needs"}
    assert 'did you mean "fs_read"?' in caught.value.findings[0].detail


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ({"dependsOn": ["s1"], "args": {}, "onFailure": "fail"}, ["needs", "params", "on_error"]),
        ({"depends_on": ["s1"], "if": "true", "step_id": "x"}, ["needs", "when", "id"]),
        ({"tool": "fs_read", "with": {}}, ["skill", "params"]),
    ],
)
def test_what_other_formats_call_it_is_known(words: dict[str, Any], meant: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        read([step(**words)])
    assert [finding.suggestion for finding in caught.value.findings] == meant


def test_everything_wrong_is_said_at_once_and_in_document_order() -> None:
    document = {
        "steps": [
            {"on_error": "fallback:x", "skill": "htp_call", "params": {"url": "${inputs.u}"}},
            7,
            {"skill": "llm_invoke", "params": {"max_tokens": 0, "model": "${steps.s4.output}"}},
            {"params": {"path": 5}, "skill": "fs_read", "timeout_s": -1, "x": 1},
        ],
        "budget": "free",
    }
    assert wrong(document) == [
        ("/steps/0/on_error", "unknown_step"),
        ("/steps/0/skill", "unknown_skill"),
        ("/steps/0/params/url", "unknown_input"),
        ("/steps/1", "wrong_type"),
        ("/steps/2/params", "bad_params"),
        ("/steps/2/params/max_tokens", "bad_params"),
        ("/steps/2/params/model", "forward_reference"),
        ("/steps/3/params/path", "bad_params"),
        ("/steps/3/timeout_s", "bad_value"),
        ("/steps/3/x", "unknown_key"),
        ("/budget", "wrong_type"),
    ]


# -- limits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [3, 200, 5000])
def test_the_number_of_steps_is_limited_and_the_limit_named(limit: int) -> None:
    assert len(read([READ] * limit, max_steps=limit).plan.steps) == limit
    with pytest.raises(InputError, match=f"{limit + 1:,} steps; the limit is {limit:,}"):
        read([READ] * (limit + 1), max_steps=limit)


def test_a_file_holds_200_steps() -> None:
    assert wrong([READ] * 201) == [("", "too_many_steps")]


@pytest.mark.parametrize(
    ("each", "calls"),
    [
        ({"for_each": [0] * 50, "iterations": 100}, 5000),
        ({"for_each": "${inputs.list}", "iterations": 100}, 5000),
        ({"for_each": "${inputs.list}", "expect": {"items": 2}, "iterations": 100}, 200),
        ({"iterations": 100}, 100),
    ],
)
def test_expanded_calls_are_limited(each: dict[str, Any], calls: int) -> None:
    fits = [step(**each)] * (5000 // calls)
    read(fits, inputs={"list": [1]} if "inputs" in str(each) else {})
    with pytest.raises(InputError, match=r"5,001 calls; the limit is 5,000"):
        read([*fits, READ], inputs={"list": [1]} if "inputs" in str(each) else {})


# -- order and fallbacks -------------------------------------------------------------------------------------


def test_every_cycle_is_named_with_its_way_round() -> None:
    document = [
        step(id="a", needs=["b"]),
        step(id="b", needs=["a"]),
        step(id="c", needs=[]),
        step(id="d", needs=["f"]),
        step(id="e", needs=["d"]),
        step(id="f", when='steps.e.outcome == "failed"', needs=[]),
    ]
    with pytest.raises(InputError) as caught:
        read(document)
    assert [(f.pointer, f.detail) for f in caught.value.findings] == [
        ("/0", "a -> b -> a: these wait for each other"),
        ("/3", "d -> e -> f -> d: these wait for each other"),
    ]


def test_a_long_cycle_is_told_in_short() -> None:
    ring = [step(id=f"a{i}", needs=[f"a{(i + 1) % 200}"]) for i in range(200)]
    with pytest.raises(InputError, match=r"-> \(192 more\) -> a2 -> a1 -> a0: these wait") as caught:
        read(ring)
    assert len(caught.value.findings) == 1


def test_a_step_may_need_one_that_stands_later() -> None:
    assert read([step(id="a", needs=["b"]), step(id="b", needs=[])]).plan.steps[0].needs == ("b",)


def test_a_fallback_belongs_to_one_step_and_to_no_order() -> None:
    document = [
        step(id="a", on_error="fallback:f"),
        step(id="b", on_error="fallback:f"),
        step(id="f"),
        step(id="c", needs=["f"]),
        step(id="d", when='steps.f.outcome == "failed"'),
        step(id="e", params={"path": "${steps.f.output.content}"}),
        step(id="g", needs=["f", "a", "f"]),
    ]
    assert wrong(document) == [
        ("/1/on_error", "fallback_shared"),
        ("/3/needs/0", "fallback_ordered"),
        ("/4/when", "fallback_ordered"),
        ("/5/params/path", "fallback_ordered"),
        ("/6/needs/0", "fallback_ordered"),
        ("/6/needs/2", "fallback_ordered"),
    ]


def test_fallbacks_of_each_other_are_a_cycle() -> None:
    assert wrong([step(id="a", on_error="fallback:b"), step(id="b", on_error="fallback:a")]) == [
        ("/0", "cycle")
    ]


def test_with_two_steps_of_one_id_cycles_are_still_found() -> None:
    document = [step(id="a", needs=["b"]), step(id="a", needs=[]), step(id="b", needs=["a"])]
    assert wrong(document) == [("/0", "cycle"), ("/1/id", "duplicate_id")]


# -- the main output as input --------------------------------------------------------------------------------

WRITE: Any = {"skill": "fs_write", "params": {"path": "a", "content": "b"}}
TRANSFORM: Any = {"skill": "json_transform", "params": {"query": "a"}}


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
