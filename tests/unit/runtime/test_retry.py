"""A run that is tried again: what failed gets another go, what is done stays done, and money adds up over all tries."""

from decimal import Decimal
from typing import Any

import pytest

from aos.domain.plans.plan import OnError, Step, When
from aos.domain.runs.run import Place
from aos.domain.skills.skill import RetryPolicy
from aos.runtime.skills import Reply
from tests.unit.engine.build import catalog, skill
from tests.unit.runtime.scripted import Bench, Told, codes, ends, fails, writer

TWICE = RetryPolicy(2, backoff_ms=1)
BAD = fails("BAD_QUERY")


def numbers(state: Any, step: str) -> list[int]:
    return [one.intent.attempt for one in state.attempts if one.intent.place.step == step]


def test_a_step_that_failed_gets_all_its_attempts_again_and_their_numbers_go_on():
    bench = Bench(work=Told(Reply(1), *[fails("TIMEOUT")] * 4))
    steps = (Step("a", "work", {}), Step("b", "work", {}), Step("c", "work", {"it": "${steps.a.output}"}))
    known = {"known": catalog(skill("work", retry=TWICE))}
    assert ends(bench.run(*steps, **known)) == {"a": "succeeded", "b": "failed", "c": "skipped"}
    assert bench.run(*steps, retry=True, **known).status == "failed"
    state = bench.run(*steps, retry=True, **known)
    assert (state.status, state.tries) == ("succeeded", 3)
    assert codes(state, "b") == ["TIMEOUT"] * 4 + [None]
    assert numbers(state, "b") == [1, 2, 3, 4, 5]
    assert [one.of_try for one in state.attempts] == [1, 1, 1, 2, 2, 3, 3]
    assert (len(bench.skills["work"].calls), bench.skills["work"].calls[-1][0]) == (7, {"it": 1})
    assert len({one.intent.key for one in state.attempts if one.intent.place.step == "b"}) == 1


def test_items_and_iterations_that_are_done_are_not_done_again():
    bench = Bench(work=Told(Reply("a0"), BAD, Reply("c0"), Reply("c1")))
    step = Step("each", "work", {"of": "${item}"}, for_each=("a", "b", "c"), iterations=2)
    known = catalog(skill("work", pool="one"), pools={"one": 1})
    state = bench.run(step, known=known)
    made = [one.intent.place for one in state.attempts if one.outcome and one.outcome.success]
    state = bench.run(step, known=known, retry=True)
    assert state.status == "succeeded"
    again = [one.intent.place for one in state.attempts if one.of_try == 2]
    assert not {*made} & {*again}
    assert {*made, *again} == {Place("each", item, turn) for item in range(3) for turn in range(2)}
    assert len(state.steps["each"].output) == 3


def test_what_the_plan_took_care_of_stands_and_what_saw_it_is_not_done_again():
    bench = Bench(work=Told(BAD, Reply("sent"), BAD), stand_in=Told(Reply("instead")))
    steps = (
        Step("may_fail", "work", {}, on_error=OnError("continue")),
        Step("send", "work", {"of": "${steps.may_fail.output}"}),
        Step("first", "work", {}, on_error=OnError("fallback", "second")),
        Step("second", "stand_in", {}),
        Step("last", "use", {"of": "${steps.first.output}"}),
    )
    bench.skills["use"] = Told(BAD)
    assert bench.run(*steps).status == "failed"
    state = bench.run(*steps, retry=True)
    assert state.status == "succeeded"
    assert ends(state) == {
        "may_fail": "failed",
        "send": "succeeded",
        "first": "failed",
        "second": "succeeded",
        "last": "succeeded",
    }
    assert [one.intent.place.step for one in state.attempts if one.of_try == 2] == ["last"]
    assert bench.skills["use"].calls[-1][0] == {"of": "instead"}


def test_where_a_fallback_failed_too_its_step_is_tried_first():
    bench = Bench(work=Told(BAD), stand_in=Told(BAD))
    steps = (Step("a", "work", {}, on_error=OnError("fallback", "b")), Step("b", "stand_in", {}))
    bench.run(*steps)
    state = bench.run(*steps, retry=True)
    assert state.status == "succeeded"
    assert ends(state) == {"a": "succeeded", "b": "skipped"}
    assert len(bench.skills["stand_in"].calls) == 1


def test_who_watches_a_failure_is_decided_anew_unless_it_has_acted():
    bench = Bench(work=Told(BAD), alarm=Told(), thank=Told(), clean=Told(BAD))
    steps = (
        Step("a", "work", {}),
        Step("alarm", "alarm", {}, when=When("a", "failed"), needs=()),
        Step("clean", "clean", {}, when=When("a", "failed"), needs=()),
        Step("thank", "thank", {}, when=When("a", "succeeded"), needs=()),
    )
    assert ends(bench.run(*steps)) == {
        "a": "failed",
        "alarm": "succeeded",
        "clean": "failed",
        "thank": "skipped",
    }
    state = bench.run(*steps, retry=True)
    assert ends(state) == {"a": "succeeded", "alarm": "succeeded", "clean": "skipped", "thank": "succeeded"}
    assert (state.status, len(bench.skills["alarm"].calls)) == ("succeeded", 1)


def test_what_may_have_happened_and_may_not_twice_waits_for_somebody_who_knows():
    bench = Bench(work=Told(fails("TIMEOUT", effect="unknown")), other=Told(BAD))
    known = catalog(writer("work", retry=TWICE), skill("other"))
    steps = (Step("a", "work", {}, needs=()), Step("b", "other", {}, needs=()))
    assert bench.run(*steps, known=known).status == "failed"
    for _ in range(2):
        state = bench.run(*steps, known=known, retry=True)
        assert state.end
        assert (state.status, state.end.cause, state.end.at) == ("paused", "unknown_effect", Place("a"))
    assert len(bench.skills["work"].calls) == 1
    assert ends(state) == {"b": "succeeded"}


def test_a_step_waits_where_its_fallback_may_have_taken_effect():
    """Else both might have."""
    bench = Bench(work=Told(BAD), stand_in=Told(fails("TIMEOUT", effect="unknown")))
    known = catalog(skill("work"), writer("stand_in"))
    steps = (Step("a", "work", {}, on_error=OnError("fallback", "b")), Step("b", "stand_in", {}))
    assert bench.run(*steps, known=known).status == "failed"
    state = bench.run(*steps, known=known, retry=True)
    assert state.end
    assert (state.status, state.end.cause, state.end.at) == ("paused", "unknown_effect", Place("b"))
    assert [len(bench.skills[name].calls) for name in ("work", "stand_in")] == [1, 1]


def test_the_budget_holds_over_all_tries():
    paid, lost = Reply("paid", cost_cents=Decimal(3)), fails("BAD_QUERY")._replace(cost_cents=Decimal(2))
    bench = Bench(pay=Told(paid, lost))
    steps, reserves = (Step("a", "pay", {}), Step("b", "pay", {})), dict.fromkeys("ab", Decimal(3))
    assert bench.run(*steps, budget="7", reserves=reserves).status == "failed"
    state = bench.run(*steps, budget="7", reserves=reserves, retry=True)
    assert state.end
    assert (state.status, state.end.cause, state.end.at) == ("paused", "budget", Place("b"))
    assert (state.money.spent, state.money.reserved) == (Decimal(5), Decimal(0))
    bench.skills["pay"] = Told(paid)
    state = bench.run(*steps, budget="8", reserves=reserves, resume=True)
    assert state.status == "succeeded"
    assert (state.money.spent, state.money.reserved) == (Decimal(8), Decimal(0))
    assert len(bench.skills["pay"].calls) == 1


def test_a_yes_holds_and_after_a_no_somebody_is_asked_again():
    bench = Bench(work=Told(BAD))
    steps = (Step("a", "work", {}, approval=2, needs=()), Step("b", "work", {}, approval=2, needs=()))
    assert bench.run(*steps, confirm=lambda step: step.id == "a").status == "failed"
    asked: list[str] = []

    def confirm(step: Step) -> bool:
        asked.append(step.id)
        return True

    assert bench.run(*steps, confirm=confirm, retry=True).status == "succeeded"
    assert asked == ["b"]


@pytest.mark.parametrize("left", [1, 2])
def test_a_retried_run_that_is_cut_off_goes_on_where_it_was(left: int):
    """The journal dies after so many intents of the second try; what is on record by then is not done again."""
    bench = Bench(work=Told(Reply("a"), BAD, BAD))
    steps = tuple(Step(name, "work", {}, on_error=OnError("fail")) for name in "abcd")
    known = catalog(skill("work", retry=RetryPolicy(1)))
    bench.run(*steps, known=known)

    def outside(progress: Any) -> str:
        return "enough" if sum(one.of_try == 2 for one in progress.attempts) >= left else ""

    bench.skills["work"] = Told()
    assert bench.run(*steps, known=known, retry=True, outside=outside).status == "paused"
    state = bench.run(*steps, known=known, resume=True)
    assert (state.status, state.tries) == ("succeeded", 2)
    assert len(bench.skills["work"].calls) == 3
