"""Runs on the wall clock, with scripted skills and a journal in memory."""

import time
from threading import Barrier
from typing import Any

import pytest

from aos.domain.plans.plan import OnError, Step, When
from aos.domain.skills.skill import RetryPolicy
from aos.runtime.outcomes import masked
from aos.runtime.secrets import Secrets
from aos.runtime.skills import Reply
from tests.unit.engine.build import catalog, skill
from tests.unit.runtime.scripted import Bench, Told, codes, ends, fails, writer

QUICK = RetryPolicy(3, backoff_ms=1)


# -- order, references -----------------------------------------------------------------------------------------


def test_outputs_go_where_they_are_referred_to():
    get, put = Told(Reply({"price": 7, "tags": ["a", "b"]})), Told()
    state = Bench(get=get, put=put).run(
        Step("a", "get", {"url": "${inputs.host}/x"}),
        Step("b", "put", {"n": "${steps.a.output.price}", "text": "it costs ${steps.a.output.price}, $${5}"}),
        Step("c", "put", {"tag": "${item}", "at": "${index}"}, for_each="${steps.a.output.tags}"),
        inputs={"host": "h"},
    )
    assert state.status == "succeeded"
    assert get.calls[0][0] == {"url": "h/x"}
    assert put.calls[0][0] == {"n": 7, "text": "it costs 7, ${5}"}
    assert sorted(call[0]["tag"] for call in put.calls[1:]) == ["a", "b"]
    assert state.steps["c"].output == ["done", "done"]


def test_branches_run_at_once():
    both = Barrier(2, timeout=5)
    meet = Told(*[lambda *_: Reply(both.wait())] * 2)
    assert (
        Bench(meet=meet).run(Step("a", "meet", {}, needs=()), Step("b", "meet", {}, needs=())).status
        == "succeeded"
    )


def test_slots_hold_calls_back():
    under_way: list[int] = []
    most: list[int] = []

    def work(*_: Any) -> Reply:
        under_way.append(1)
        most.append(len(under_way))
        time.sleep(0.01)
        under_way.pop()
        return Reply("done")

    known = catalog(skill("work", pool="narrow"), pools={"narrow": 2})
    state = Bench(work=Told(*[work] * 6)).run(Step("a", "work", {}, for_each=tuple(range(6))), known=known)
    assert state.status == "succeeded"
    assert max(most) == 2


def test_what_goes_over_no_list_fails_with_a_code_and_no_call():
    work = Told()
    state = Bench(work=work).run(Step("a", "work", {}), Step("b", "work", {}, for_each="${steps.a.output}"))
    assert state.status == "failed"
    assert codes(state, "b") == ["BAD_PARAMS"]
    assert len(work.calls) == 1


@pytest.mark.parametrize(
    ("schema", "value", "detail"),
    [
        ({"type": "string"}, ["x"], "is an array, and has to be text; a reference among other text is text"),
        ({"type": "integer"}, None, "is null, as of a step that gave nothing, and has to be a whole number"),
        ({"type": "object"}, "psst", "is text, and has to be an object"),
        ({"required": ["to"]}, {}, 'has no "to"'),
        ({"maxLength": 3}, "psst", "breaks `maxLength: 3` of the schema"),
    ],
)  # fmt: skip
def test_a_parameter_that_does_not_fit_is_told_by_its_type_alone(schema, value, detail):
    strict = skill("strict")._replace(input_schema={"properties": {"n": schema}})
    state = Bench(work=Told(Reply(value)), strict=Told()).run(
        Step("a", "work", {}),
        Step("b", "strict", {"n": "${steps.a.output}"}),
        known=catalog(skill("work"), strict),
    )
    last = state.attempts[-1].outcome
    assert last
    assert last.failure
    assert last.failure.detail == f"/n {detail}"


def test_parameters_are_checked_once_they_are_known():
    strict = skill("strict")._replace(input_schema={"properties": {"n": {"type": "integer"}}})
    state = Bench(work=Told(Reply("seven")), strict=Told()).run(
        Step("a", "work", {}),
        Step("b", "strict", {"n": "${steps.a.output}"}),
        known=catalog(skill("work"), strict),
    )
    assert codes(state, "b") == ["BAD_PARAMS"]


def test_an_output_that_breaks_its_own_schema_is_a_failure():
    loose = skill("loose")._replace(output_schema={"type": "object"})
    state = Bench(loose=Told(Reply("text"))).run(Step("a", "loose", {}), known=catalog(loose))
    assert codes(state, "a") == ["BAD_OUTPUT"]


def test_an_iteration_that_fails_ends_its_item():
    work = Told(Reply(1), fails("BAD_QUERY"))
    state = Bench(work=work).run(Step("a", "work", {}, iterations=5))
    assert state.status == "failed"
    assert len(work.calls) == 2


# -- failures ---------------------------------------------------------------------------------------------------


def test_a_failure_is_tried_again_by_the_catalog():
    work = Told(fails("TIMEOUT"), fails("CONNECTION"))
    state = Bench(work=work).run(Step("a", "work", {}), known=catalog(skill("work", retry=QUICK)))
    assert state.status == "succeeded"
    assert codes(state, "a") == ["TIMEOUT", "CONNECTION", None]
    assert [call.attempt for _, call in work.calls] == [1, 2, 3]
    assert len({call.key for _, call in work.calls}) == 1


def test_a_service_that_asks_for_patience_gets_it():
    work = Told(fails("RATE_LIMITED", retry_after_ms=80))
    state = Bench(work=work).run(Step("a", "work", {}), known=catalog(skill("work", retry=QUICK)))
    first, second = (attempted.intent.started_ms for attempted in state.attempts)
    assert state.status == "succeeded"
    assert second - first >= 80


def test_what_may_have_taken_effect_is_not_done_again():
    work = Told(fails("TIMEOUT"))
    bench = Bench(work=work)
    state = bench.run(Step("a", "work", {}), known=catalog(writer("work", retry=QUICK)))
    assert state.status == "failed"
    (attempted,) = state.attempts
    assert attempted.outcome is not None
    assert attempted.outcome.effect == "unknown"
    assert attempted.outcome.failure is not None
    assert not attempted.outcome.failure.retryable
    assert "Find out" in attempted.outcome.next_actions[0]


def test_a_fallback_stands_in_and_its_output_is_seen():
    bad, good, see = Told(fails("NOT_FOUND")), Told(Reply("instead")), Told()
    state = Bench(bad=bad, good=good, see=see).run(
        Step("a", "bad", {}, on_error=OnError("fallback", "b")),
        Step("b", "good", {}),
        Step("c", "see", {"it": "${steps.a.output}"}),
    )
    assert state.status == "succeeded"
    assert ends(state) == {"a": "failed", "b": "succeeded", "c": "succeeded"}
    assert see.calls[0][0] == {"it": "instead"}
    assert state.attempts[0].outcome is not None
    assert state.attempts[0].outcome.failure is not None
    assert state.attempts[0].outcome.failure.alternatives == ("good",)


def test_going_on_after_a_failure_leaves_null():
    see = Told()
    state = Bench(bad=Told(fails("NOT_FOUND")), see=see).run(
        Step("a", "bad", {}, on_error=OnError("continue")), Step("b", "see", {"it": "${steps.a.output.x}"})
    )
    assert state.status == "succeeded"
    assert see.calls[0][0] == {"it": None}


def test_when_decides_by_the_outcome():
    work = Told(fails("NOT_FOUND"))
    state = Bench(work=work).run(
        Step("a", "work", {}, on_error=OnError("continue")),
        Step("b", "work", {}, when=When("a", "failed")),
        Step("c", "work", {}, when=When("a", "succeeded"), needs=()),
    )
    assert ends(state) == {"a": "failed", "b": "succeeded", "c": "skipped"}


def test_a_skill_that_breaks_is_a_failed_step():
    def breaks(*_: Any) -> Reply:
        raise RuntimeError("oh")

    state = Bench(work=Told(breaks)).run(Step("a", "work", {}))
    assert codes(state, "a") == ["SKILL_ERROR"]


def test_an_attempt_that_does_not_come_back_is_given_up():
    def late(*_: Any) -> Reply:
        time.sleep(1)
        return Reply("late")

    state = Bench(work=Told(late)).run(Step("a", "work", {}, timeout_s=0.02), grace_ms=10.0)
    assert codes(state, "a") == ["TIMEOUT"]
    assert state.active_ms < 900


def test_the_longest_time_is_the_parameter_the_descriptor_the_step():
    work = Told()
    known = catalog(skill("work")._replace(constraints={"timeout_s": 20}))
    Bench(work=work).run(
        Step("a", "work", {}),
        Step("b", "work", {"timeout_s": 40}),
        Step("c", "work", {"timeout_s": 40}, timeout_s=7),
        known=known,
    )
    assert [call.timeout_s for _, call in work.calls] == [20, 40, 7]


# -- secrets ------------------------------------------------------------------------------------------------------


def test_a_secret_reaches_the_skill_and_nothing_that_is_written():
    work = Told(lambda params, _: Reply(f"heard {params['key']}"))

    secrets = Secrets({"AOS_SECRET_K": "hush"})
    state = Bench(work=work).run(
        Step("a", "work", {"key": "${secrets.K}"}),
        secret=secrets.get,
        mask=lambda made: masked(made, secrets.masker),
    )
    assert work.calls[0][0] == {"key": "hush"}
    assert "hush" not in repr(state)


def test_not_even_a_digest_tells_one_secret_from_another():
    def digest(secret: str) -> str:
        state = Bench(work=Told()).run(Step("a", "work", {"key": "${secrets.K}"}), secret={"K": secret}.get)
        return state.attempts[0].intent.params_digest

    assert digest("hush") == digest("hush-hush")


def test_a_missing_secret_fails_the_step_before_anything_is_called():
    work = Told()
    state = Bench(work=work).run(Step("a", "work", {"key": "${secrets.K}"}))
    assert codes(state, "a") == ["SECRET_MISSING"]
    assert not work.calls
