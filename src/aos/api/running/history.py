"""What the ledger answers: what is left of the budget, what was tried, how it went, why it failed."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from aos.api.running.ledgers import reading
from aos.domain.skills.skill import Catalog
from aos.errors import AosError
from aos.wire.results.documents import figure, money

if TYPE_CHECKING:
    import sqlite3

    from aos.domain.runs.recorded import Attempted, RunState, Tried
    from aos.domain.runs.run import Money
    from aos.domain.skills.measured import Measured

__all__ = [
    "Calls",
    "Question",
    "Reply",
    "last_step",
    "measured_of",
    "remaining_budget",
    "state_of",
    "what_was_tried",
    "why_it_failed",
]

_TRIED = 50
"""Attempts that are told, the latest first."""
_MOST_OUTPUT = 16_384
"""Characters of JSON; a longer output is left out of an answer and stays in the ledger."""


class Question(NamedTuple):
    """What the caller told: the catalog that holds, a goal in words.

    `budget_cents` takes the place of a run's own budget, `usual_cents` stands in where a run has none. `run` starts the
    id of a run (None: the latest one, or all where that makes sense), `step` is one of its steps; `ledger` is the file
    to ask, None the one of this user.
    """

    catalog: Catalog
    goal: str | None = None
    budget_cents: Decimal | None = None
    usual_cents: Decimal | None = None
    run: str | None = None
    step: str | None = None
    ledger: Path | None = None


class Reply(NamedTuple):
    """`result` as a JSON value, and why nulls in it are unknown: key of the result, or keys joined by `/` -> reason.

    Other nulls say that there is no such thing. `answered` is false where what was asked for is unknown.
    """

    query_type: str
    result: Mapping[str, Any]
    unknowns: Mapping[str, str]
    answered: bool = True


def remaining_budget(query_type: str, question: Question) -> Reply:
    """Of the run's own budget, or of the one that the caller named."""
    try:
        with reading(question.ledger) as db:
            from aos.ledger.reads import find_run
            from aos.ledger.state import read_money

            run = find_run(db, question.run)
            return _remaining(query_type, run, read_money(db, run), question)
    except AosError as error:
        if question.run is not None or error.code not in ("needs_ledger", "run_not_found"):
            raise
    return _remaining(query_type, None, None, question)


def _remaining(query_type: str, run: str | None, found: "Money | None", question: Question) -> Reply:
    unknowns = dict[str, str]()
    if found is None:
        why = "nothing has been recorded: there is no run in the ledger"
        unknowns = dict.fromkeys(("spent_cents", "reserved_cents", "remaining_budget_cents"), why)
    elif found.unknown:
        some = f"nobody knows what {found.unknown} of its attempts cost; the others cost {found.spent:f}c"
        unknowns = dict.fromkeys(("spent_cents", "remaining_budget_cents"), some)
    told = question.budget_cents, found.budget if found else None, question.usual_cents
    budget = next((cents for cents in told if cents is not None), None)
    if budget is None:
        unknowns["budget_cents"] = "no budget was given, with --budget or in aos.toml"
        unknowns.setdefault("remaining_budget_cents", "there is no budget")
    spent = None if found is None or found.unknown else found.spent
    reserved = found.reserved if found else None
    left = None if budget is None or spent is None or reserved is None else budget - spent - reserved
    result = {
        "run": run,
        "budget_cents": money(budget),
        "spent_cents": money(spent),
        "reserved_cents": money(reserved),
        "remaining_budget_cents": money(left),
    }
    return Reply(query_type, result, unknowns, left is not None)


def what_was_tried(query_type: str, question: Question) -> Reply:
    """The latest attempts, of the run named or of all."""
    from aos.ledger.reads import count_tried, find_run, tried

    with reading(question.ledger) as db:
        run = None if question.run is None else find_run(db, question.run)
        count = count_tried(db, run=run, step=question.step)
        found = tried(db, run=run, step=question.step, limit=_TRIED)
    unknowns = {
        f"attempts/{i}/{key}": "nobody knows" if one.outcome != "unknown" else "nobody saw it end"
        for i, one in enumerate(found)
        for key, value in (("latency_ms", one.latency_ms), ("cost_cents", one.cost_cents))
        if value is None
    }
    return Reply(query_type, {"count": count, "attempts": [_tried(one) for one in found]}, unknowns)


def _tried(one: "Tried") -> Mapping[str, Any]:
    return {
        "step": str(one.place),
        "skill": one.skill,
        "attempt": one.attempt,
        "outcome": one.outcome,
        "code": one.code,
        "effect": one.effect,
        "latency_ms": figure(one.latency_ms),
        "cost_cents": money(one.cost_cents),
        "run": one.run,
    }


def last_step(query_type: str, question: Question) -> Reply:
    """The attempt that was made last, and what its step came to."""
    with reading(question.ledger) as db:
        state, last = _latest(db, question, failed=False)
    end = state.steps.get(last.intent.place.step)
    output, unknowns = _output(end.output if end else None)
    result = {
        **_attempt(state, last),
        "step_outcome": end.outcome if end else None,
        "output": output,
    }
    if end is None:
        unknowns = dict.fromkeys(("step_outcome", "output"), "the end of the step is not recorded")
    return Reply(query_type, result, unknowns)


def why_it_failed(query_type: str, question: Question) -> Reply:
    """The latest failure, of the step named or of any: what it means, how such failures went before, what to do."""
    from aos.domain.skills.failures import FAILURES
    from aos.ledger.reads import past_failures

    with reading(question.ledger) as db:
        state, last = _latest(db, question, failed=True)
        failure = last.failure
        code = failure.code if failure else "INTERRUPTED"
        past = past_failures(db, last.intent.skill, code)
    kind = FAILURES.get(code)
    result = {
        **_attempt(state, last),
        "meaning": kind.meaning if kind else None,
        "advice": kind.advice if kind else None,
        "alternatives": list(failure.alternatives) if failure else [],
        "next_actions": list(last.outcome.next_actions) if last.outcome else [],
        "similar_past_failures": past.seen,
        "past_recovery_success_rate": figure(past.recovered),
    }
    unknowns = {}
    if past.recovered is None:
        unknowns["past_recovery_success_rate"] = "no run that met this failure has ended"
    if kind is None:
        unknowns |= dict.fromkeys(("meaning", "advice"), f"the skill's descriptor says what {code} is")
    return Reply(query_type, result, unknowns)


def _latest(db: "sqlite3.Connection", question: Question, *, failed: bool) -> "tuple[RunState, Attempted]":
    """The latest attempt that fits, with its run. Raises AosError(needs_ledger) where there is none."""
    from aos.ledger.reads import find_run, latest_run
    from aos.ledger.state import read_state

    run = (
        find_run(db, question.run)
        if question.run is not None
        else latest_run(db, question.step, failed=failed)
    )
    state = read_state(db, run) if run else None
    for one in reversed(state.attempts if state else ()):
        if question.step in (None, one.intent.place.step) and not (failed and one.ended_as == "succeeded"):
            assert state is not None
            return state, one
    what = "no failed attempt" if failed else "no attempt"
    where = f" of the step {question.step}" if question.step else ""
    raise AosError("needs_ledger", f"{what}{where} is recorded", fix="Name another --run or --step.")


class Calls(NamedTuple):
    """What can be told of budget and rates: the document's values, and why nulls in them are unknown."""

    state: Mapping[str, Any]
    unknowns: Mapping[str, str]


def state_of(question: Question, now_ms: float) -> Calls:
    """What is left of the latest run's budget, and how many calls of each skill started within the last minute."""
    left = remaining_budget("remaining_budget_cents", question)
    key = "remaining_budget_cents"
    unknowns = {key: left.unknowns[key]} if key in left.unknowns else {}
    try:
        with reading(question.ledger) as db:
            from aos.ledger.reads import recent_calls

            calls = recent_calls(db, now_ms - 60_000)
    except AosError as error:
        if error.code != "needs_ledger":
            raise
        why = "there is no ledger: nothing has been recorded"
        return Calls({key: left.result[key], "rates": None}, {**unknowns, "rates": why})
    limits = {
        name: skill.rate_limit.per_minute
        for name, skill in question.catalog.skills.items()
        if skill.rate_limit
    }
    rates = {
        name: {"per_minute": limits.get(name), "last_minute": calls.get(name, 0)}
        for name in (*limits, *(name for name in calls if name not in limits))
    }
    return Calls({key: left.result[key], "rates": rates}, unknowns)


def measured_of(ledger: Path | None, skill: str) -> "tuple[Measured | None, str]":
    """What the ledger has of a skill; None with the reason where it has nothing, or can't be read."""
    try:
        with reading(ledger) as db:
            from aos.ledger.reads import measured

            return measured(db, skill), "no attempt of it is recorded"
    except AosError as error:
        return None, error.detail


def _attempt(state: "RunState", one: "Attempted") -> Mapping[str, Any]:
    intent, failure = one.intent, one.failure
    return {
        "run": intent.run,
        "run_status": state.status,
        "step": str(intent.place),
        "skill": intent.skill,
        "attempt": intent.attempt,
        "outcome": one.ended_as,
        "code": failure.code if failure else None,
        "category": failure.category if failure else None,
        "detail": failure.detail if failure else None,
        "retryable": failure.retryable if failure else None,
        "effect": one.effect,
    }


def _output(value: Any) -> tuple[Any, dict[str, str]]:
    size = len(json.dumps(value))
    if size <= _MOST_OUTPUT:
        return value, {}
    return None, {"output": f"it has {size:,} characters; `aos runs show` has it whole"}
