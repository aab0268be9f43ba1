"""What a ledger holds, as JSON documents. Money and times are exact: they are records, not estimates."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aos.domain.runs.recorded import Attempted, Held, LedgerCheck, RunLine, RunState, Within
from aos.domain.runs.run import Place, StepEnd
from aos.wire.results.documents import Document, envelope, money, significant

__all__ = ["check", "marked", "reconciled", "run", "runs", "transferred"]


def runs(lines: Iterable[RunLine], held: Held | None = None, *, ledger: str) -> Document:
    """The document `aos.runs/1`: the latest run first, and how the forecasts of runs have held."""
    listed = [line(one) for one in lines]
    unknowns = [
        {"pointer": f"/runs/{i}/spent_cents", "reason": _uncounted(one["unknown_costs"])}
        for i, one in enumerate(listed)
        if one["unknown_costs"]
    ]
    if held is None:
        unknowns.append({"pointer": "/forecasts", "reason": "no run was held against its forecast"})
    forecasts = held and _held(held)
    head = envelope("aos.runs/1")
    return {**head, "ledger": ledger, "runs": listed, "forecasts": forecasts, "unknowns": unknowns}


def _held(held: Held) -> Document:
    shown: Document = {"runs": held.runs}
    known: dict[str, Within | None] = {"time": held.time, "cost": held.cost}
    for name, within in known.items():
        if within:
            shown[name] = {f"within_{level}": significant(share) for level, share in within._asdict().items()}
    if held.said is not None and held.came is not None:
        shown["success"] = {"said": significant(held.said), "came": significant(held.came)}
    return shown


def line(one: RunLine) -> Document:
    """A run in a list."""
    return {
        "run": one.id,
        "name": one.name,
        "status": one.status,
        "cause": one.cause,
        "interrupted": one.interrupted,
        "started_ms": one.started_ms,
        "ended_ms": one.ended_ms,
        "active_ms": one.active_ms,
        "budget_cents": money(one.money.budget),
        "spent_cents": None if one.money.unknown else money(one.money.spent),
        "unknown_costs": one.money.unknown,
        "attempts": one.attempts,
        "failures": one.failures,
        "tries": one.tries,
    }


def run(
    state: RunState, score: Mapping[str, Any] | None, *, ledger: str, interrupted: bool = False
) -> Document:
    """The document `aos.recorded-run/1`: everything that is written of one run."""
    start, end, unknown = state.start, state.end, state.money.unknown
    why = [{"pointer": "/spent_cents", "reason": _uncounted(unknown)}] if unknown else []
    return {
        **envelope("aos.recorded-run/1"),
        "ledger": ledger,
        "run": start.id,
        "status": state.status,
        "cause": end.cause if end and state.status == end.status else None,
        "interrupted": interrupted,
        "at": end.at._asdict() if end and end.at else None,
        "detail": end.detail if end else "",
        "forced": start.forced,
        "started_ms": start.started_ms,
        "ended_ms": end.ended_ms if end and state.status == end.status else None,
        "active_ms": state.active_ms,
        "budget_cents": money(start.budget_cents),
        "deadline_ms": start.deadline_ms,
        "spent_cents": None if unknown else money(state.money.spent),
        "reserved_cents": money(state.money.reserved),
        "unknown_costs": unknown,
        "attempts": [_attempt(one) for one in state.attempts],
        "tries": state.tries,
        "steps": [_step(step) for step in state.steps.values()],
        "score": score,
        "plan_digest": start.plan_digest,
        "catalog_contract_digest": start.contract,
        "plan": start.plan,
        "simulation": start.simulation,
        "unknowns": why,
    }


def check(found: LedgerCheck, *, ledger: str, exit_status: int) -> Document:
    """The document `aos.ledger-check/1`."""
    return {
        **envelope("aos.ledger-check/1"),
        "ledger": ledger,
        "exit_code": exit_status,
        "whole": not found.damage,
        "entries": found.entries,
        "runs": found.runs,
        "head": f"{found.entries}:{found.head}",
        "damage": [damage._asdict() for damage in found.damage],
    }


def reconciled(of: str, place: Place, attempt: int, then: str, *, committed: bool) -> Document:
    """The document `aos.reconciliation/1`. `then` is the command that makes sense next."""
    effect = "committed" if committed else "none"
    return {
        **envelope("aos.reconciliation/1"),
        "run": of,
        **place._asdict(),
        "attempt": attempt,
        "effect": effect,
        "next_actions": [then],
    }


def marked(end: StepEnd, then: str) -> Document:
    """The document `aos.marked-step/1`: a step that somebody did by hand. `then` as for `reconciled`."""
    return {**envelope("aos.marked-step/1"), "run": end.run, **_step(end), "next_actions": [then]}


def transferred(taken: Sequence[str], known: Sequence[str], *, ledger: str) -> Document:
    """The document `aos.ledger-import/1`: the runs that were taken in, and those that were there already."""
    return {
        **envelope("aos.ledger-import/1"),
        "ledger": ledger,
        "imported": list(taken),
        "already_there": list(known),
    }


def _step(end: StepEnd) -> Document:
    return {
        "step": end.step,
        "outcome": end.outcome,
        "output": end.output,
        "ended_ms": end.ended_ms,
        "by_hand": end.by_hand and end.by_hand._asdict(),
    }


def _attempt(one: Attempted) -> Document:
    intent, outcome = one.intent, one.outcome
    execution = outcome.execution if outcome and not one.reconciled else None
    return {
        **intent.place._asdict(),
        "attempt": intent.attempt,
        "try": one.of_try,
        "skill": intent.skill,
        "key": intent.key,
        "params_digest": intent.params_digest,
        "repeatable": intent.repeatable,
        "reserve_cents": money(intent.reserve_cents),
        "started_ms": intent.started_ms,
        "outcome": one.ended_as,
        "effect": one.effect,
        "reconciled": one.reconciled,
        "ended_ms": one.ended_ms,
        "result": outcome.result if outcome else None,
        "failure": one.failure and one.failure._asdict(),
        "execution": execution and {**execution._asdict(), "cost_cents": money(execution.cost_cents)},
        "side_effects": [done._asdict() for done in outcome.side_effects] if outcome else [],
        "next_actions": list(outcome.next_actions) if outcome else [],
    }


def _uncounted(unknown: int) -> str:
    return f"nobody knows what {unknown:,} of its attempts cost"
