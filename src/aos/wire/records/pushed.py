"""Run records: what a ledger knows of a run, as a server keeps it (`aos.run-record/1`).

What the run made of its parameters and got for results stays in the ledger.
"""

from typing import Any

from aos.domain.runs.recorded import Attempted, RunState
from aos.wire.problems import visible
from aos.wire.results.documents import Document, money

__all__ = ["run_record"]

_MOST_TEXT = 4000


def run_record(state: RunState, agent: str | None = None) -> Document:
    """The record of a run. `agent` is on whose account it goes."""
    start, end = state.start, state.end
    return {
        "run_id": start.id,
        "agent_id": agent,
        "name": _text(start.plan.get("name"), 200),
        "status": state.status,
        "plan_digest": start.plan_digest,
        "contract": start.contract,
        "budget_cents": money(start.budget_cents),
        "deadline_ms": start.deadline_ms,
        "started_ms": start.started_ms,
        "ended_ms": end.ended_ms if end and state.status != "running" else None,
        "active_ms": state.active_ms,
        **({"tries": state.tries} if state.tries > 1 else {}),
        "attempts": [_attempt(one) for one in state.attempts],
        "steps": {name: step.outcome for name, step in state.steps.items()},
    }


def _attempt(one: Attempted) -> Document:
    intent, outcome, failure = one.intent, one.outcome, one.failure
    return {
        **intent.place._asdict(),
        "skill": intent.skill,
        "attempt": intent.attempt,
        "outcome": one.ended_as,
        "code": failure.code if failure else None,
        "category": failure.category if failure else None,
        "detail": _text(failure.detail) if failure else None,
        "retryable": failure.retryable if failure else None,
        "effect": one.effect,
        "started_ms": intent.started_ms,
        "latency_ms": one.latency_ms,
        "cost_cents": money(outcome.execution.cost_cents) if outcome else None,
        "alternatives": list(failure.alternatives) if failure else [],
        "next_actions": [_text(action) for action in outcome.next_actions] if outcome else [],
    }


def _text(value: Any, most: int = _MOST_TEXT) -> str | None:
    return visible(value, most - 1) if isinstance(value, str) else None
