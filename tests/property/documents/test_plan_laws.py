"""Laws of plans: dump and parse are inverse, spelling doesn't matter, and no document breaks the reader."""

import copy
import json
from typing import Any

import jsonschema_rs
from hypothesis import example, given
from hypothesis import strategies as st

from aos.domain.plans.plan import Plan, order
from aos.errors import CODES, InputError
from aos.wire.catalogs.read import default_catalog
from aos.wire.plans.read import ParsedPlan, dump_plan, parse_plan, plan_digest, plan_schema
from aos.wire.problems import problem
from aos.wire.strict import MAX_BYTES, parse
from tests.strategies.plans import plans
from tests.strategies.values import json_values

CATALOG = default_catalog()
SCHEMA = jsonschema_rs.Draft202012Validator(plan_schema(), offline=True)


def read(document: Any) -> ParsedPlan:
    return parse_plan(document, CATALOG, name="plan.json")


@given(plans())
def test_parse_of_dump_is_identity(plan: Plan) -> None:
    text = json.dumps(dump_plan(plan)).encode()
    parsed = read(parse(text, "json", name="plan.json", max_bytes=MAX_BYTES, code="invalid_plan"))
    assert parsed.plan == plan
    assert parsed.document == dump_plan(plan)
    assert parsed.notes == ()


@given(plans())
def test_a_valid_plan_has_an_order_and_fits_the_schema(plan: Plan) -> None:
    assert sorted(order(plan.steps).sequence) == list(range(len(plan.steps)))
    assert SCHEMA.is_valid(dump_plan(plan))


@given(plans(), st.data())
def test_the_digest_sees_what_runs_and_not_how_it_is_written(plan: Plan, data: st.DataObject) -> None:
    document = dump_plan(plan)
    respelled = {
        **dict(reversed(document.items())),
        "name": "another",
        "x-owner": [1],
        "steps": [respell(step, data) for step in document["steps"]],
    }
    assert plan_digest(read(respelled).plan) == plan_digest(plan)
    changed = plan.steps[0]._replace(timeout_s=(plan.steps[0].timeout_s or 1.0) + 1)
    assert plan_digest(plan._replace(steps=(changed, *plan.steps[1:]))) != plan_digest(plan)


def respell(step: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    renamed = {"skill": "skill_id", "params": "inputs"} if data.draw(st.booleans()) else {}
    free = {"_meta": "mine"} if data.draw(st.booleans()) else {}
    return {**{renamed.get(key, key): value for key, value in reversed(step.items())}, **free}


@given(plans(), st.integers(0, 11), st.sampled_from(["fail", "continue"]))
def test_defaults_are_what_silent_steps_say_themselves(plan: Plan, position: int, action: str) -> None:
    document = dump_plan(plan)
    steps = document["steps"]
    spoken = [{"on_error": action, "timeout_s": 7, **step} for step in steps]
    defaults = {"on_error": action, "timeout_s": 7}
    assert read({**document, "defaults": defaults}).plan == read({**document, "steps": spoken}).plan


# -- any document --------------------------------------------------------------------------------------------

KEYS = [
    *("aos_plan", "name", "inputs", "budget", "deadline_ms", "defaults", "steps", "id", "skill", "skill_id"),
    *("params", "needs", "when", "on_error", "retry", "timeout_s", "iterations", "for_each", "expect"),
    *(
        "items",
        "p50",
        "p90",
        "approval",
        "max_attempts",
        "url",
        "query",
        "prompt",
        "x-a",
        "_meta",
        "nedes",
        "a/~b",
    ),
]
scraps: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, False, 0, 1, -1, 5, 51, 101, 0.5, 1e300, 2**53 - 1, "", "1", "s1", "s2", "fail"),
        *(
            "continue",
            "fallback:s1",
            "fallback:s2",
            "fallback:",
            "http_call",
            "json_transform",
            "webhook_send",
        ),
        *("llm_invoke", "htp_call", 'steps.s1.outcome == "failed"', "${", "$${", "${item}", "${index}"),
        *("${steps.s1.output}", "${steps.s2.output.body}", "${steps.s1.output.0.x}", "a ${inputs.url} b"),
        *("${inputs.nope}", "${secrets.A.b}", "\x1b[2J", "é" * 70),
    ]
)
documents: st.SearchStrategy[Any] = st.recursive(
    scraps,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=40,
)


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A valid plan with a few values replaced, removed, renamed or repeated."""
    document = copy.deepcopy(dump_plan(draw(plans(max_steps=6))))
    for _ in range(draw(st.integers(1, 6))):
        damage(draw, draw(st.sampled_from(containers(document))))
    return document


def containers(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict | list) else []
    return own + [found for item in inner for found in containers(item)]


def damage(draw: st.DrawFn, place: Any) -> None:
    junk = draw(scraps | documents | json_values)
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    if not keys:
        return
    key = draw(st.sampled_from(keys))
    match draw(st.sampled_from(["replace", "remove", "rename", "repeat"])):
        case "replace":
            place[key] = junk
        case "remove":
            del place[key]
        case "rename" if isinstance(place, dict):
            place[draw(st.sampled_from(KEYS))] = place.pop(key)
        case "repeat" if isinstance(place, list):
            place.append(place[key])


def resolve(document: Any, pointer: str) -> Any:
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        document = document[int(key) if isinstance(document, list) else key]
    return document


@given(documents | damaged())
@example([{"skill": "json_transform", "params": {"query": "a"}}])
@example([{"skill": "http_call", "params": {"url": "${steps.s1.output}"}}])
@example({"steps": [{"skill": "fs_read", "params": {"path": "a"}, "on_error": "fallback:s1"}]})
@example([{"id": "s2"}, {}])
def test_any_document_is_a_plan_or_one_error_that_says_where(document: Any) -> None:
    before = copy.deepcopy(document)
    answer = outcome(document)
    assert document == before
    if isinstance(answer, ParsedPlan):
        assert SCHEMA.is_valid(document), [error.message for error in SCHEMA.iter_errors(document)]
        again = read(answer.document)
        assert (again.plan, again.document) == (answer.plan, answer.document)
        return
    assert answer.code == "invalid_plan"
    assert answer.findings
    for finding in answer.findings:
        assert finding.code in CODES
        assert finding.detail
        resolve(document, finding.pointer)
    json.dumps(problem(answer), allow_nan=False).encode()


def outcome(document: Any) -> ParsedPlan | InputError:
    try:
        return read(document)
    except InputError as error:
        return error


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_every_wrong_step_is_named(wrong: list[bool]) -> None:
    good = {"skill": "fs_read", "params": {"path": "a"}}
    document: Any = [{"skill": "fs_raed"} if bad else good for bad in wrong]
    answer = outcome(document)
    found = {finding.pointer for finding in answer.findings} if isinstance(answer, InputError) else set()
    assert found == {f"/{i}/skill" for i, bad in enumerate(wrong) if bad}
