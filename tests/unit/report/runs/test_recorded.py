"""Recorded runs as text: nothing unknown looks like 0, and text of others moves nothing."""

from decimal import Decimal

from aos.domain.runs.recorded import Attempted, Damage, Held, LedgerCheck, RunLine, RunState, Within
from aos.domain.runs.run import Money, Place, RunEnd
from aos.report.runs import recorded
from aos.wire.results.runs import next_actions
from tests.unit.ledger.build import failed, intent, settled, start

LINE = RunLine(
    "20261126-101500-a1b2c3",
    "nightly",
    "succeeded",
    None,
    0.0,
    5.0,
    900.0,
    Money(None, Decimal(3), Decimal(0)),
    2,
    1,
)


def test_a_list_says_what_is_unknown() -> None:
    partly = LINE._replace(money=Money(None, Decimal(3), Decimal(0), 1))
    nothing = LINE._replace(money=Money(None, Decimal(0), Decimal(0), 1), status="running", ended_ms=None)
    text = recorded.runs([LINE, partly, nothing], 80, False).splitlines()
    assert [line.split()[-2] for line in text[1:]] == ["3c", "3c", "unknown"]
    assert "over 3c" in text[2]
    assert "900 ms" not in text[3]
    assert max(map(len, text)) <= 80


def test_a_list_says_what_those_that_pause_wait_for() -> None:
    poor = [LINE._replace(id=f"r{i}", status="paused", cause="budget") for i in range(4)]
    lost = LINE._replace(id="r9", status="paused", cause="unknown_effect")
    text = recorded.runs([LINE, *poor, lost], 80, False).splitlines()
    assert text[-2:] == [
        "paused for more money: r0, r1 and 2 more",
        "paused for `aos runs reconcile`: r9",
    ]


def test_how_forecasts_have_held_is_told_once_there_are_some() -> None:
    held = Held(312, Within(0.51, 0.88, 0.95), None, 0.964, 0.952)
    text = recorded.runs([LINE], 80, False, held=held).splitlines()
    assert [line.split() for line in text[3:]] == [
        ["forecasts", "of", "312", "runs", "p50", "p90", "p95"],
        ["time", "within", "51.0", "%", "88.0", "%", "95.0", "%"],
        ["success", "was", "said", "to", "come", "in", "96.4", "%,", "and", "came", "in", "95.2", "%"],
    ]
    assert len(recorded.runs([LINE], 80, False, held=held._replace(runs=9)).splitlines()) == 2


def test_an_empty_list_says_so() -> None:
    assert "no run is recorded" in recorded.runs([], 80, False)


def run(**changes: object) -> RunState:
    state = RunState(start(), "succeeded", (), {}, Money(Decimal(10), Decimal(2), Decimal(0)), 900.0, None)
    return state._replace(**changes)  # type: ignore[arg-type]


def test_a_run_that_waits_says_what_to_do() -> None:
    waits = run(
        status="paused",
        attempts=(Attempted(intent("send", skill="email_send"), None, None),),
        end=RunEnd("r1", "paused", 5.0, 4.0, "unknown_effect", Place("send")),
    )
    text = recorded.run(waits, None, 80, False)
    assert "aos runs reconcile r1 --step send" in text
    assert "aos run --resume r1" in text
    money = waits._replace(attempts=(), end=RunEnd("r1", "paused", 5.0, 4.0, "budget", Place("s1")))
    assert "aos run --resume r1 --budget CENTS" in recorded.run(money, None, 80, False)


def test_a_run_that_has_left_its_approval_says_how_to_ask_for_another() -> None:
    end = RunEnd("r1", "paused", 5.0, 4.0, "envelope", None, "it takes longer")
    left = run(
        status="paused",
        start=start()._replace(simulation={"approval": {"request_id": "q", "level": 2}}),
        end=end,
    )
    commands = ("aos requests create --resume r1 --why TEXT", "aos run --resume r1 --approval ID")
    assert next_actions(left) == commands
    text = recorded.run(left, None, 80, False)
    assert text.index(commands[0]) < text.index(commands[1])


def test_whoever_stopped_a_run_is_told_to_find_out_first_and_nobody_while_it_goes_on() -> None:
    under_way = run(status="running", attempts=(Attempted(intent("send"), None, None),))
    stopped = under_way._replace(status="cancelled", end=RunEnd("r1", "cancelled", 5.0, 4.0))
    find_out = "aos runs reconcile r1 --step send"

    assert find_out not in recorded.run(under_way, None, 80, False)
    assert find_out in recorded.run(under_way, None, 80, False, interrupted=True)
    assert find_out in recorded.run(stopped, None, 80, False)
    assert next_actions(stopped) == (
        "aos runs reconcile r1 --step send --committed, or --not-committed",
        "aos run --resume r1",
    )
    assert next_actions(stopped._replace(attempts=())) == ("aos run --resume r1",)


def test_which_item_and_iteration_nobody_saw_end_is_part_of_the_command() -> None:
    lost = (Attempted(intent()._replace(place=Place("send", 3, 2)), None, None),)
    stopped = run(status="cancelled", attempts=lost, end=RunEnd("r1", "cancelled", 5.0, 4.0))
    command = "aos runs reconcile r1 --step send --item 3 --iteration 2 --"
    assert command in recorded.run(stopped, None, 120, False)
    assert next_actions(stopped)[0].startswith(command)


def test_nobody_knows_how_long_it_took_where_somebody_told_later_how_it_ended() -> None:
    told = Attempted(intent(), settled(intent()).outcome, 9e9, reconciled=True)
    state = run(attempts=(told,), end=RunEnd("r1", "succeeded", 5.0, 900.0))

    assert "unknown" in next(
        line for line in recorded.run(state, None, 80, False).splitlines() if "s1" in line
    )
    assert told.latency_ms is None
    assert told._replace(reconciled=False).latency_ms is not None


def test_every_attempt_and_failure_is_shown() -> None:
    first, again = intent(), intent(attempt=2)
    hostile = failed(first, "TIMEOUT")
    why = hostile.outcome.failure
    assert why is not None
    outcome = hostile.outcome._replace(failure=why._replace(detail="no\x1b[2J answer"))
    state = run(
        attempts=(Attempted(first, outcome, 5.0), Attempted(again, settled(again).outcome, 6.0)),
        end=RunEnd("r1", "succeeded", 5.0, 900.0),
    )
    text = recorded.run(state, {"time": {"percentile": 0.25, "crps": 3.0}}, 80, False)
    assert "s1 #2  http_call  succeeded" in text
    assert "TIMEOUT: no\\x1b[2J answer" in text
    assert "above 25.0 % of the forecast" in text
    assert "\x1b" not in text


def test_damage_is_named() -> None:
    found = LedgerCheck(3, 1, "f" * 64, (Damage("entries 2 to 4", "missing"),))
    text = recorded.check(found, "ledger.db", 80, False)
    assert text.startswith("DAMAGED  ledger.db")
    assert "entries 2 to 4  missing" in text
    whole = recorded.check(found._replace(damage=()), "ledger.db", 80, False)
    assert whole.startswith("WHOLE")
    assert f"3:{'f' * 64}" in whole
