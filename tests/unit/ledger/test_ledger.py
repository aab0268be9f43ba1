"""What is written can be read back, and what can't be true is not written."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from aos.api.running.runs import show
from aos.domain.runs.run import GoAhead, Intent, Money, Place, RunEnd
from aos.errors import AosError
from aos.ledger.ledger import Ledger
from aos.ledger.reads import runs
from aos.ledger.verify import verify
from aos.runtime.journal import Journal
from tests.unit.ledger.build import failed, intent, opened, run_end, settled, start, step_end, write_run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "ledger.db"


def test_it_is_a_journal(path: Path) -> None:
    with Ledger(path) as ledger:
        journal: Journal = ledger
        journal.begin(start())
        assert journal.money("r1") == Money(Decimal(10), Decimal(0), Decimal(0))


def test_notes_are_written_with_what_comes_next_and_not_before(path: Path) -> None:
    first, second, third = intent(reserve=None), intent("s2", reserve=None), intent("s3", reserve="99")
    with Ledger(path) as ledger:
        ledger.begin(start())
        ledger.note(first, second)
        ledger.settle(settled(first))
        assert not show(path, "r1").state.attempts
        assert not ledger.intend(third)  # what is refused takes nothing along
        assert not show(path, "r1").state.attempts
        ledger.flush()
        assert [one.intent for one in show(path, "r1").state.attempts] == [first, second]
        ledger.end(run_end())
    assert not verify(path).damage


def test_a_run_comes_back_as_it_was_written(path: Path) -> None:
    result = {"big": 2**70, "text": "\ud800 \x1b", "float": 0.1, "nested": [None, True, {"b": 1, "a": 2}]}
    first, second = intent(), intent("s2", 1, reserve=None)
    with Ledger(path) as ledger:
        ledger.begin(start())
        ledger.intend(first)
        ledger.settle(settled(first, result=result))
        ledger.step_ended(step_end(output=result))
        ledger.intend(second)
        ledger.settle(failed(second))
        ledger.end(RunEnd("r1", "paused", 3_000.0, 2_000.0, "budget", Place("s2", 1), "no money"))
    with Ledger(path) as ledger:
        state = ledger.state("r1")
    assert state.start == start()
    assert state.status == "paused"
    assert [one.intent for one in state.attempts] == [first, second]
    assert [one.outcome for one in state.attempts] == [
        settled(first, result=result).outcome,
        failed(second).outcome,
    ]
    assert list(state.attempts[0].outcome.result) == list(result)  # type: ignore[union-attr]
    assert state.steps == {"s1": step_end(output=result)}
    assert state.end == RunEnd("r1", "paused", 3_000.0, 2_000.0, "budget", Place("s2", 1), "no money")
    assert state.active_ms == 2_000.0


def test_a_go_ahead_is_there_when_the_run_goes_on(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.begin(start())
        ledger.approve(GoAhead("r1", "s1", 2, 1_050.0))
    with Ledger(path) as ledger:
        assert ledger.resume("r1", 2_000.0, None).approved == {"s1"}
        ledger.end(run_end())
        with pytest.raises(AosError, match="not running"):
            ledger.approve(GoAhead("r1", "s1", 2, 2_050.0))
    assert not verify(path).damage


def test_every_entry_of_a_run_is_within_its_bounds(path: Path) -> None:
    def reach() -> tuple[int, int, str]:
        with opened(path) as db:
            (last,) = db.execute("SELECT last_seq FROM runs").fetchone()
            return last, *db.execute("SELECT seq, kind FROM entries ORDER BY seq DESC LIMIT 1").fetchone()

    first, second = intent(), intent("s2")
    steps: tuple[Callable[[Ledger], object], ...] = (
        lambda ledger: ledger.begin(start()),
        lambda ledger: ledger.approve(GoAhead("r1", "s1", 2, 1_050.0)),
        lambda ledger: ledger.intend(first),
        lambda ledger: ledger.settle(settled(first, releases=False)),
        lambda ledger: ledger.step_ended(step_end()),
        lambda ledger: ledger.intend(second),
        lambda ledger: ledger.end(run_end(status="cancelled")),
        lambda ledger: ledger.resume("r1", 2_000.0, None),
        lambda ledger: ledger.reconcile("r1", Place("s2"), 1, committed=True, result=1, at_ms=2_100.0),
        lambda ledger: ledger.score("r1", {}),
    )
    kinds = []
    for step in steps:
        with Ledger(path) as ledger:
            step(ledger)
        last, seq, kind = reach()
        assert last == seq, kind
        kinds.append(kind)
    assert len(set(kinds)) == 9  # all there are


def test_an_attempt_without_its_end_is_unknown(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.begin(start())
        ledger.intend(intent())
    with Ledger(path) as ledger:
        (attempt,) = ledger.state("r1").attempts
    assert attempt.outcome is None
    assert not attempt.intent.repeatable


def test_an_attempt_that_nobody_saw_the_end_of_is_no_cost_of_0_once_the_run_has_ended(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.begin(start())
        ledger.intend(intent())
        assert ledger.money("r1").unknown == 0  # it is under way
        ledger.end(RunEnd("r1", "cancelled", 2_000.0, 900.0))
        assert ledger.money("r1").unknown == 1
        with opened(path) as db:
            assert [one.money.unknown for one in runs(db, limit=9)] == [1]
        ledger.reconcile("r1", Place("s1"), 1, committed=True, result=None, at_ms=5.0)
        assert ledger.money("r1").unknown == 1


def test_a_reserve_over_the_budget_is_refused_and_nothing_is_written(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.begin(start(budget="10"))
        assert ledger.intend(intent("s1", reserve="6"))
        assert not ledger.intend(intent("s2", reserve="4.000001"))
        assert ledger.intend(intent("s3", reserve="4"))
        assert ledger.intend(intent("s4", reserve="0"))
        assert ledger.money("r1") == Money(Decimal(10), Decimal(0), Decimal(10))
        assert {one.intent.place.step for one in ledger.state("r1").attempts} == {"s1", "s3", "s4"}


def test_several_intents_are_written_together_or_not_at_all(path: Path) -> None:
    both = intent("s1", reserve="6"), intent("s2", reserve="4.000001")
    with Ledger(path) as ledger:
        ledger.begin(start(budget="10"))
        assert not ledger.intend(*both)
        assert ledger.state("r1").attempts == ()
        assert ledger.money("r1").reserved == 0
        assert ledger.intend(both[0], intent("s3", reserve="4"))
        assert {one.intent.place.step for one in ledger.state("r1").attempts} == {"s1", "s3"}
    assert not verify(path).damage


def test_money_is_freed_when_its_step_ends(path: Path) -> None:
    first, again = intent(reserve="6"), intent(attempt=2, reserve=None)
    with Ledger(path) as ledger:
        ledger.begin(start(budget="10"))
        ledger.intend(first)
        ledger.settle(failed(first))
        assert ledger.money("r1") == Money(Decimal(10), Decimal("0.5"), Decimal(6))
        ledger.intend(again)
        ledger.settle(settled(again, cost=None))
        assert ledger.money("r1") == Money(Decimal(10), Decimal("0.5"), Decimal(0), unknown=1)


def test_the_outcome_of_its_one_call_ends_a_step(path: Path) -> None:
    call = intent(reserve="6")
    with Ledger(path) as ledger:
        ledger.begin(start(budget="10"))
        ledger.intend(call)
        ledger.settle(settled(call, result={"n": 1}, ended_ms=1_250.0))
        assert ledger.state("r1").steps == {"s1": step_end(output={"n": 1})}
        assert ledger.money("r1").reserved == 0
        for other in (intent("s2"), intent("s3")):
            ledger.intend(other)
            ledger.settle(
                failed(other, releases=True) if other.place.step == "s2" else settled(other, releases=False)
            )
        assert set(ledger.state("r1").steps) == {"s1"}  # others say by themselves how they end


def test_a_step_s_end_frees_what_its_attempts_left(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.begin(start())
        ledger.intend(intent())
        ledger.settle(failed(intent()))
        ledger.step_ended(step_end())
        ledger.end(run_end(status="failed"))
        assert ledger.money("r1").reserved == 0


def test_spent_is_never_rounded_down(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.begin(start(budget="1"))
        for n in range(3):
            ledger.intend(intent(f"s{n}", reserve="0"))
            ledger.settle(settled(intent(f"s{n}", reserve="0"), cost="0.0000001"))
        assert ledger.money("r1").spent == Decimal("0.000003")


def test_a_paused_run_goes_on_with_more_money(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.begin(start(budget="10"))
        ledger.end(RunEnd("r1", "paused", 3_000.0, 2_000.0, "budget", Place("s1")))
        with pytest.raises(AosError, match="not running"):
            ledger.intend(intent())
        state = ledger.resume("r1", 4_000.0, Decimal(30))
        assert (state.status, state.money.budget, state.start.budget_cents) == (
            "running",
            Decimal(30),
            Decimal(30),
        )
        assert state.active_ms == 2_000.0
        assert ledger.intend(intent(reserve="20"))


def test_an_unknown_attempt_is_reconciled_once(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.begin(start())
        ledger.intend(intent())
        ledger.intend(intent("s2"))
        ledger.reconcile("r1", Place("s1"), 1, committed=True, result={"id": 7}, at_ms=5.0)
        ledger.reconcile("r1", Place("s2"), 1, committed=False, result=None, at_ms=6.0)
        first, second = ledger.state("r1").attempts
        assert first.outcome is not None
        assert second.outcome is not None
        assert second.outcome.failure is not None
        assert (first.outcome.success, first.outcome.result, first.reconciled) == (True, {"id": 7}, True)
        assert (second.outcome.failure.code, second.outcome.effect) == ("INTERRUPTED", "none")
        assert ledger.money("r1") == Money(Decimal(10), Decimal(0), Decimal(0), unknown=2)
        for place in (Place("s1"), Place("s2"), Place("s3")):
            with pytest.raises(AosError) as refused:
                ledger.reconcile("r1", place, 1, committed=True, result=None, at_ms=7.0)
            assert refused.value.code == "run_conflict"


def test_what_nobody_knows_the_effect_of_can_be_reconciled_too(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.begin(start())
        ledger.intend(intent())
        ledger.settle(failed(intent()))
        ledger.reconcile("r1", Place("s1"), 1, committed=True, result=None, at_ms=5.0)
        assert ledger.money("r1").unknown == 0
        assert [one.outcome.success for one in ledger.state("r1").attempts if one.outcome] == [True]


def test_nothing_is_written_twice(path: Path) -> None:
    with Ledger(path) as ledger:
        write_run(ledger)
        for again in (
            lambda: ledger.begin(start()),
            lambda: ledger.intend(intent()),
            lambda: ledger.end(run_end()),
            lambda: ledger.resume("r1", 1.0, None),
            lambda: ledger.begin(start()),
        ):
            assert code_of(again) == "run_conflict"
    for step in ("s2", "s9"):
        assert code_of(partial(settle_alone, path, intent(step))) == "run_conflict"
    assert not verify(path).damage


def settle_alone(path: Path, call: Intent) -> None:
    with Ledger(path) as ledger:
        ledger.settle(settled(call))


def test_a_run_that_is_not_there(path: Path) -> None:
    with Ledger(path) as ledger:
        for ask in (ledger.money, ledger.state, lambda run: ledger.resume(run, 1.0, None)):
            with pytest.raises(AosError) as refused:
                ask("r0")
            assert refused.value.code == "run_not_found"


def test_entries_can_t_be_changed_by_accident(path: Path) -> None:
    with Ledger(path) as ledger:
        write_run(ledger)
    with opened(path) as db:
        for statement in ("UPDATE entries SET run = 'r2'", "DELETE FROM entries", "DELETE FROM content"):
            with pytest.raises(sqlite3.IntegrityError, match="never changed"):
                db.execute(statement)


def test_each_write_is_on_disk_when_it_returns(path: Path) -> None:
    with Ledger(path) as ledger, Ledger(path) as other:
        ledger.begin(start())
        ledger.intend(intent())
        assert [one.outcome for one in other.state("r1").attempts] == [None]
        ledger.settle(settled(intent()))
        ledger.step_ended(step_end())
        ledger.flush()
        assert other.money("r1").spent == 1
        assert list(other.state("r1").steps) == ["s1"]
    with opened(path) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_an_outcome_goes_with_the_next_intent(path: Path) -> None:
    with Ledger(path) as ledger, Ledger(path) as other:
        ledger.begin(start(budget="10"))
        ledger.intend(intent())
        ledger.settle(settled(intent()))
        assert other.money("r1").spent == 0
        assert not ledger.intend(intent("s2", reserve="20"))
        # An intent that does not fit takes everything back, and it waits on.
        assert other.money("r1").spent == 0
        assert ledger.intend(intent("s3"))
        assert other.money("r1").spent == 1
        ledger.settle(failed(intent("s3")))
        assert ledger.past_failures("http_call", "TIMEOUT").seen == 1  # who asks here sees what waits
    assert not verify(path).damage


def test_what_waits_is_written_whatever_happens(path: Path) -> None:
    def settle_and_break_off() -> None:
        with Ledger(path) as ledger:
            ledger.settle(settled(intent()))
            raise KeyboardInterrupt

    with Ledger(path) as ledger:
        ledger.begin(start())
        ledger.intend(intent())
    with pytest.raises(KeyboardInterrupt):
        settle_and_break_off()
    with Ledger(path) as ledger:
        assert ledger.money("r1").spent == 1
    with pytest.raises(KeyboardInterrupt):  # once more it can't be written, and does not hide why it ends
        settle_and_break_off()


def test_one_process_carries_a_run_out(path: Path) -> None:
    with Ledger(path) as ledger, Ledger(path) as same:
        ledger.begin(start())
        other = (
            f"from aos.ledger.ledger import Ledger, Path; Ledger(Path({str(path)!r})).resume('r1', 2.0, None)"
        )
        done = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True)
        assert "is being carried out" in done.stderr
        assert code_of(lambda: same.resume("r1", 2.0, None)) == "run_conflict"
        assert code_of(lambda: same.reconcile("r1", Place("s1"), 1, committed=True, result=None, at_ms=3.0))
        same.begin(start("r2"))
    with Ledger(path) as later:
        assert later.resume("r1", 2.0, None).status == "running"


def test_a_killed_process_gives_its_runs_up(path: Path) -> None:
    child = os.fork()
    if not child:
        with Ledger(path) as ledger:
            ledger.begin(start())
            ledger.intend(intent())
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    with Ledger(path) as later:
        assert [one.outcome for one in later.resume("r1", 2.0, None).attempts] == [None]


def code_of(act: Callable[[], object]) -> str | None:
    try:
        act()
    except AosError as error:
        return error.code
    return None
