"""Many plans in this process and in others: the same answers, in the same order."""

import json
import pickle
import threading
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from aos.api.forecast.many import Answer, Terms, answer, answers
from aos.api.forecast.policies import gate
from aos.cli.forecast.status import FAIL_ON, exit_status
from aos.domain.approvals.policies import Principal
from aos.domain.forecasts.verdicts import Limits
from aos.errors import AosError, Exit
from aos.wire.catalogs.read import default_catalog

READ = {"skill": "fs_read", "params": {"path": "a"}}
MAIL = {"skill": "email_send", "params": {"to": "a@example.org", "subject": "s", "body": "b"}}
TERMS = Terms(default_catalog(), partial(exit_status, fail_on=FAIL_ON), samples=200)


def asked(value: Any, terms: Terms = TERMS) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(answer(terms, (3, json.dumps(value).encode())).text)
    return document


def told(found: Iterator[Answer]) -> list[tuple[int, int]]:
    return [(json.loads(one.text)["line"], one.status) for one in found]


def test_an_answer_says_which_line_it_is_of() -> None:
    document = asked({"plan": [READ], "id": "mine"})
    assert list(document)[:4] == ["schema", "aos_version", "line", "id"]
    assert (document["schema"], document["line"], document["id"]) == ("aos.simulation/1", 3, "mine")


def test_other_processes_can_have_the_rules() -> None:
    rules = gate("src/aos/policy/data/default.cedar", Principal())
    document = asked({"plan": [READ]}, pickle.loads(pickle.dumps(TERMS._replace(gate=rules))))
    assert document["policy"]["decision"] == "allow"


def test_what_is_wrong_is_an_answer_with_the_id() -> None:
    document = asked({"plan": [{"skill": "nothing"}], "id": "mine"})
    assert (document["code"], document["line"], document["id"]) == ("invalid_plan", 3, "mine")
    assert document["errors"][0]["pointer"] == "/plan/0/skill"
    assert asked({"plan": [READ], "id": "mine", "seed": -1})["id"] is None


@pytest.mark.parametrize(
    ("own", "options", "plan", "settings", "holds"),
    [(1, 2, 3, 4, 1), (None, 2, 3, 4, 2), (None, None, 3, 4, 3), (None, None, None, 4, 4), (None,) * 5],
)
def test_the_line_goes_before_the_options_the_plan_and_the_settings(
    own: int | None, options: int | None, plan: int | None, settings: int | None, holds: int | None
) -> None:
    def cents(amount: int | None) -> Decimal | None:
        return None if amount is None else Decimal(amount)

    def ms(amount: int | None) -> float | None:
        return None if amount is None else 1000.0 * amount

    def given(**keys: Any) -> dict[str, Any]:
        return {key: value for key, value in keys.items() if value is not None}

    terms = TERMS._replace(
        limits=Limits(cents(options), ms(options), 0.8), fallback=Limits(cents(settings), ms(settings), 0.7)
    )
    document = {"steps": [READ], **given(budget=plan, deadline_ms=ms(plan))}
    found = asked({"plan": document, **given(budget=own, deadline_ms=ms(own))}, terms)
    assert (found["budget_cents"], found["deadline_ms"], found["confidence"]) == (holds, ms(holds), 0.8)


def test_a_line_may_start_chance_elsewhere() -> None:
    one, other = (asked({"plan": [READ], "seed": seed}) for seed in (1, 2))
    assert (one["seed"], other["seed"]) == (1, 2)
    assert one["forecast"] != other["forecast"]


def test_a_summary_is_the_same_without_what_is_long() -> None:
    whole, brief = asked([MAIL]), asked([MAIL], TERMS._replace(brief=True))
    assert brief["schema"] == "aos.simulation-summary/1"
    assert {"step_estimates", "inputs"} <= set(whole) - set(brief)
    assert "histogram" not in json.dumps(brief)
    for key in brief.keys() - {"schema", "forecast"}:
        assert brief[key] == whole[key]
    assert brief["forecast"]["cost_cents"]["p95"] == whole["forecast"]["cost_cents"]["p95"]


def test_a_fault_of_our_own_is_an_answer_too() -> None:
    def broken(_: object) -> Exit:
        raise ZeroDivisionError("broken")

    found = answer(TERMS._replace(status=broken), (1, json.dumps([READ]).encode()))
    assert found.status is Exit.INTERNAL
    assert json.loads(found.text)["detail"] == "line 1: ZeroDivisionError: broken"


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_the_order_is_that_of_the_lines(processes: int) -> None:
    """Whichever is done first: some take much longer than others."""
    slow = json.dumps({"plan": [READ] * 40}).encode()
    quick, wrong = json.dumps([READ]).encode(), b"{"
    lines = [(i, slow if i % 5 == 0 else wrong if i % 7 == 0 else quick) for i in range(1, 60)]
    groups = [lines[i : i + 3] for i in range(0, len(lines), 3)]
    found = told(answers(TERMS, iter(groups), processes))
    assert [line for line, _ in found] == list(range(1, 60))
    assert [line for line, status in found if status] == [i for i in range(1, 60) if i % 7 == 0 and i % 5]


def test_processes_answer_as_one_does() -> None:
    lines = [(i, json.dumps({"plan": [READ, MAIL], "seed": i}).encode()) for i in range(10)]
    assert list(answers(TERMS, [lines], 1)) == list(answers(TERMS, [[line] for line in lines], 2))


def test_where_a_fork_is_not_safe_processes_begin_anew() -> None:
    """Another thread of the caller's may hold a lock that a forked process would wait for in vain."""
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    try:
        found = told(answers(TERMS, [[(1, json.dumps([READ]).encode())], [(2, b"{")]], 2))
    finally:
        done.set()
        other.join()
    assert found == [(1, Exit.YES), (2, Exit.USAGE)]


def test_no_line_is_no_answer() -> None:
    assert list(answers(TERMS, [], 2)) == []


@pytest.mark.parametrize("processes", [1, 2])
def test_what_reading_raises_is_raised_after_what_was_read(processes: int) -> None:
    def broken() -> Iterator[list[tuple[int, bytes]]]:
        yield [(1, json.dumps([READ]).encode())]
        raise AosError("unreadable", "gone")

    found = answers(TERMS, broken(), processes)
    assert json.loads(next(found).text)["line"] == 1
    with pytest.raises(AosError, match="gone"):
        next(found)


def test_samples_out_of_range_are_refused_before_anything_is_read() -> None:
    with pytest.raises(AosError, match="samples"):
        next(answers(TERMS._replace(samples=3), [], 1))
