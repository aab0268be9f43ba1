"""What people tell of a run that has stopped: on record with who and why, and what follows from it."""

from pathlib import Path
from typing import Any

import pytest

from aos.api.learning.scores import score
from aos.api.running.mending import mark_done, reconcile
from aos.api.running.runs import listed, show
from aos.domain.runs.run import ByHand, Place, RunStart
from aos.errors import AosError
from aos.ledger.ledger import Ledger
from aos.ledger.verify import verify
from aos.wire.records.pushed import run_record
from tests.unit.ledger.build import failed, intent, run_end, settled, start, step_end


def planned(*steps: dict[str, Any]) -> RunStart:
    numbered = [{"id": f"s{i}", "skill": "http_call", **step} for i, step in enumerate(steps, 1)]
    return start()._replace(plan={"aos_plan": "1", "steps": numbered})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def stopped(path: Path, begun: RunStart, status: str = "failed") -> None:
    """A run whose first step has failed, and the others were skipped for it."""
    with Ledger(path) as ledger:
        ledger.begin(begun)
        first = intent()
        ledger.intend(first)
        ledger.settle(failed(first))
        for i, step in enumerate(begun.plan["steps"]):
            ledger.step_ended(step_end(step["id"])._replace(outcome="skipped" if i else "failed"))
        ledger.end(run_end(status=status))


def code(act: Any) -> str:
    with pytest.raises(AosError) as caught:
        act()
    return caught.value.code


def test_a_failed_run_goes_on_only_where_it_is_tried_again(path: Path) -> None:
    stopped(path, planned({}, {}))
    with Ledger(path) as ledger:
        assert code(lambda: ledger.resume("r1", 3.0, None)) == "run_conflict"
        state = ledger.resume("r1", 3.0, None, again=["s1"])
        assert (state.status, state.tries, state.again) == ("running", 2, frozenset({"s1"}))
        assert not state.steps
        assert not state.given_up  # nobody knows whether it took effect
        ledger.reconcile("r1", Place("s1"), 1, committed=False, result=None, at_ms=4.0)
        assert ledger.state("r1").given_up == {Place("s1"): 1}
        second = intent(attempt=2)
        ledger.intend(second)
        ledger.settle(settled(second))
        ledger.end(run_end())
        state = ledger.state("r1")
    assert [one.of_try for one in state.attempts] == [1, 2]
    assert score(state._replace(start=state.start._replace(simulation={"forecast": {}}))) is None
    assert [one.tries for one in listed(path, limit=9)] == [2]
    assert run_record(state)["tries"] == 2
    assert not verify(path).damage


def test_a_step_done_by_hand_is_on_record_with_who_and_why(path: Path) -> None:
    stopped(path, planned({}, {"params": {"url": "${steps.s1.output.body}"}}))
    assert code(lambda: mark_done(path, "r1", "s3", who="ann", reason="why")) == "usage"
    assert code(lambda: mark_done(path, "r1", "s1", who="ann", reason=" ")) == "usage"
    assert code(lambda: mark_done(path, "r1", "s1", who="ann", reason="why")) == "usage"  # s2 needs to know
    state = mark_done(path, "r1", "s1", who="ann", reason="the\x1bkey", result={"body": "x"})
    end = state.steps["s1"]
    assert (end.outcome, end.output, end.by_hand) == (
        "succeeded",
        {"body": "x"},
        ByHand("ann", "the\\x1bkey"),
    )
    assert state.money.reserved == 0
    assert code(lambda: mark_done(path, "r1", "s1", who="ann", reason="again", result=1)) == "run_conflict"
    assert mark_done(path, "r1", "s2", who="ann", reason="nobody sees it").steps["s2"].output is None
    with Ledger(path) as ledger:
        assert ledger.resume("r1", 3.0, None, again=[]).steps.keys() == {"s1", "s2"}
        ledger.end(run_end())
    assert code(lambda: mark_done(path, "r1", "s2", who="ann", reason="why")) == "run_conflict"
    assert score(show(path, "r1").state) is None
    assert not verify(path).damage


def test_of_a_failure_that_took_effect_nobody_forgets_what_it_cost(path: Path) -> None:
    stopped(path, planned({}, {}), "paused")
    state = reconcile(path, "r1", Place("s1"), committed=True).state
    assert state.steps.keys() == {"s2"}  # whether s1 failed is told when the run goes on
    (one,) = state.attempts
    assert one.outcome
    assert (one.ended_as, str(one.outcome.execution.cost_cents)) == ("succeeded", "0.5")
    assert (str(state.money.spent), state.money.unknown) == ("0.5", 0)


def test_what_has_succeeded_meanwhile_stands_whatever_is_tried_again(path: Path) -> None:
    stopped(path, planned({}, {}))
    mark_done(path, "r1", "s1", who="ann", reason="while somebody else was about to try it again")
    with Ledger(path) as ledger:
        assert ledger.resume("r1", 3.0, None, again=["s1"]).steps["s1"].outcome == "succeeded"


def test_nobody_tells_of_a_run_that_is_being_carried_out(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.begin(planned({}))
        ledger.intend(intent())
        assert code(lambda: mark_done(path, "r1", "s1", who="ann", reason="why")) == "run_conflict"
        assert code(lambda: reconcile(path, "r1", Place("s1"), committed=False)) == "run_conflict"


@pytest.mark.parametrize(
    ("later", "seen"),
    [
        ({"params": {"url": "${steps.s1.output.body}"}}, True),
        ({"for_each": "${steps.s1.output.body}"}, True),
        ({"skill": "json_transform", "params": {"query": "n"}}, True),
        ({"skill": "json_transform", "params": {"query": "n", "input": 1}}, False),
        ({"skill": "webhook_send", "params": {}, "needs": []}, False),
        ({}, False),
    ],
)
def test_a_result_is_needed_where_another_step_sees_it(path: Path, later: dict[str, Any], seen: bool) -> None:
    stopped(path, planned({}, later))
    assert (
        code(lambda: reconcile(path, "r1", Place("s1"), committed=True)) == "usage"
        if seen
        else reconcile(path, "r1", Place("s1"), committed=True).attempt == 1
    )


def test_what_a_fallback_gave_is_seen_as_its_step_s(path: Path) -> None:
    reads = {"params": {"url": "${steps.s1.output.body}"}}
    stopped(path, planned({"on_error": "fallback:s2"}, {}, reads))
    assert code(lambda: mark_done(path, "r1", "s2", who="ann", reason="why")) == "usage"


def test_only_the_last_iteration_s_result_is_seen(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.begin(planned({"iterations": 2}, {"params": {"url": "${steps.s1.output.body}"}}))
        call = intent(reserve=None)
        ledger.intend(call, call._replace(place=Place("s1", 0, 1), free=True))
        ledger.end(run_end(status="cancelled"))
    assert code(lambda: reconcile(path, "r1", Place("s1", 0, 1), committed=True)) == "usage"
    assert reconcile(path, "r1", Place("s1"), committed=True).state.money.unknown == 2  # one is still open
    state = reconcile(path, "r1", Place("s1", 0, 1), committed=True, result=None).state
    assert state.money.unknown == 1  # the other one's calls are free
    assert state.attempts[1].outcome
    assert state.attempts[1].outcome.execution.cost_cents == 0
