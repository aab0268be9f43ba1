"""Plan files: every rule that a step or a plan can break, and how much there may be of them."""

from typing import Any

import pytest

from aos.errors import InputError
from tests.unit.wire.plans.reading import FETCH, READ, read, step, wrong

ASK: Any = {"skill": "llm_invoke"}
QUERY: Any = {"skill": "json_transform"}


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
        ({"for_each": ["x", {"a": "${secrets.ITEM}"}]}, "/0/for_each/1/a", "bad_reference"),
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
        ([READ, step(params={"path": "${steps.s1.output.bytes}"})], "/1/params/path", "bad_params"),
        ([READ, step(params={"path": "${steps.s1.output}"})], "/1/params/path", "bad_params"),
        ([step(for_each=[1]), step(params={"path": "${steps.s1.output}"})], "/1/params/path", "bad_params"),
        ([READ, step(for_each="${steps.s1.output.bytes}")], "/1/for_each", "bad_value"),
        ([READ, step(for_each="${steps.s1.output}")], "/1/for_each", "bad_value"),
        ([{**QUERY, "params": {"query": "a[?b==", "input": 1}}], "/0/params/query", "bad_params"),
        ([{**QUERY, "params": {"query": "select(a)", "input": 1}}], "/0/params/query", "bad_params"),
        ([{**QUERY, "params": {"query": "(" * 2000, "input": 1}}], "/0/params/query", "bad_params"),
        ([{**QUERY, "params": {"query": "a" * 4097, "input": 1}}], "/0/params/query", "bad_params"),
        (
            {"inputs": {"q": "a +"}, "steps": [{**QUERY, "params": {"query": "${inputs.q}", "input": 1}}]},
            "/steps/0/params/query",
            "bad_params",
        ),
        ([step(for_each=[1]), step(params={"path": "${steps.s1.output.0.bytes}"})], "/1/params/path", "bad_params"),
        ([ASK | {"params": {"prompt": "?", "max_tokens": "${secrets.N}"}}], "/0/params/max_tokens", "bad_params"),
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


@pytest.mark.parametrize(
    "steps",
    [
        [READ, step(params={"path": "${steps.s1.output.content}"})],
        [READ, step(params={"path": "no. ${steps.s1.output.bytes}"})],
        [READ, ASK | {"params": {"prompt": "?", "max_tokens": "${steps.s1.output.bytes}"}}],
        [step(on_error="continue"), step(params={"path": "${steps.s1.output.bytes}"})],
        [READ, step(when='steps.s1.outcome == "failed"'), step(params={"path": "${steps.s2.output.bytes}"})],
        [step(iterations=2), step(params={"path": "${steps.s1.output.bytes}"})],
        [step(on_error="fallback:s2"), READ, step(params={"path": "${steps.s1.output.bytes}"})],
        [READ, step(params={"path": "${secrets.PATH}"})],
    ],
)
def test_what_may_still_turn_out_right_is_no_error(steps: Any) -> None:
    assert len(read(steps).plan.steps) == len(steps)


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
