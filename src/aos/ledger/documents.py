"""Runs, intents and outcomes as the bodies of entries, and back."""

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from aos.domain.runs.outcomes import Execution, Failure, Outcome, SideEffect
from aos.domain.runs.run import ByHand, GoAhead, Intent, Place, RunEnd, RunStart, Settled, StepEnd
from aos.wire.digests import decimal_text
from aos.wire.problems import visible

__all__ = [
    "dump_by_hand",
    "dump_end",
    "dump_go_ahead",
    "dump_intent",
    "dump_resumed",
    "dump_settled",
    "dump_start",
    "dump_step",
    "load_by_hand",
    "load_end",
    "load_intent",
    "load_outcome",
    "load_place",
    "load_start",
    "load_step",
]

Body = Mapping[str, Any]
Keep = Callable[[Any], str]
"""Puts a JSON value into the ledger's content and returns its digest."""
Fetch = Callable[[str], Any]
"""The other way round."""

_MOST_TEXT = 4096


def dump_start(start: RunStart, keep: Keep) -> Body:
    return {
        "plan": keep(start.plan),
        "name": _name(start.plan),
        "plan_digest": start.plan_digest,
        "contract": start.contract,
        "simulation": keep(start.simulation),
        "budget_cents": _dump_cents(start.budget_cents),
        "deadline_ms": start.deadline_ms,
        "started_ms": start.started_ms,
        "forced": start.forced,
    }


def load_start(run: str, body: Body, fetch: Fetch) -> RunStart:
    return RunStart(
        id=run,
        plan=fetch(body["plan"]),
        plan_digest=body["plan_digest"],
        contract=body["contract"],
        simulation=fetch(body["simulation"]),
        budget_cents=_cents(body["budget_cents"]),
        deadline_ms=body["deadline_ms"],
        started_ms=body["started_ms"],
        forced=body["forced"],
    )


def dump_intent(intent: Intent) -> Body:
    return {
        **intent.place._asdict(),
        "skill": intent.skill,
        "attempt": intent.attempt,
        "key": intent.key,
        "params_digest": intent.params_digest,
        "repeatable": intent.repeatable,
        "started_ms": intent.started_ms,
        "reserve_cents": _dump_cents(intent.reserve_cents),
        **({"free": True} if intent.free else {}),
    }


def load_intent(run: str, body: Body) -> Intent:
    return Intent(
        run=run,
        place=load_place(body),
        skill=body["skill"],
        attempt=body["attempt"],
        key=body["key"],
        params_digest=body["params_digest"],
        repeatable=body["repeatable"],
        started_ms=body["started_ms"],
        reserve_cents=_cents(body["reserve_cents"]),
        free=body.get("free", False),
    )


def load_place(body: Body) -> Place:
    return Place(body["step"], body["item"], body["iteration"])


def dump_settled(settled: Settled, keep: Keep) -> Body:
    outcome = settled.outcome
    execution = outcome.execution
    return {
        **settled.intent.place._asdict(),
        "attempt": settled.intent.attempt,
        "ended_ms": settled.ended_ms,
        "releases": settled.releases,
        "features": {name: value for name, value in settled.features.items() if math.isfinite(value)},
        "success": outcome.success,
        "result": keep(outcome.result),
        "failure": None if outcome.failure is None else _dump_failure(outcome.failure),
        "effect": outcome.effect,
        "latency_ms": execution.latency_ms,
        "cost_cents": _dump_cents(execution.cost_cents),
        "retries": execution.retries,
        "cache_hit": execution.cache_hit,
        "side_effects": [
            {"type": _text(done.type), "target": _text(done.target), "reversible": done.reversible}
            for done in outcome.side_effects
        ],
        "next_actions": [_text(action) for action in outcome.next_actions],
    }


def load_outcome(body: Body, fetch: Fetch) -> Outcome:
    return Outcome(
        success=body["success"],
        result=fetch(body["result"]),
        failure=None if body["failure"] is None else _load_failure(body["failure"]),
        execution=Execution(
            body["latency_ms"], _cents(body["cost_cents"]), body["retries"], body["cache_hit"]
        ),
        side_effects=tuple(SideEffect(**done) for done in body["side_effects"]),
        effect=body["effect"],
        next_actions=tuple(body["next_actions"]),
    )


def dump_step(end: StepEnd, keep: Keep) -> Body:
    return {
        "step": end.step,
        "outcome": end.outcome,
        "output": keep(end.output),
        "ended_ms": end.ended_ms,
    }


def load_step(run: str, body: Body, fetch: Fetch) -> StepEnd:
    return StepEnd(run, body["step"], body["outcome"], fetch(body["output"]), body["ended_ms"])


def dump_go_ahead(yes: GoAhead) -> Body:
    return {"step": yes.step, "level": yes.level, "at_ms": yes.at_ms}


def dump_resumed(
    at_ms: float, budget_cents: Decimal | None, approval: Body | None, again: Sequence[str] | None
) -> Body:
    told: dict[str, Any] = {"approval": approval} if approval else {}
    if again is not None:
        told["again"] = list(again)
    return {"at_ms": at_ms, "budget_cents": _dump_cents(budget_cents), **told}


def dump_by_hand(end: StepEnd, keep: Keep) -> Body:
    said = end.by_hand or ByHand("", "")
    return {
        "step": end.step,
        "output": keep(end.output),
        "who": _text(said.who),
        "reason": _text(said.reason),
        "at_ms": end.ended_ms,
    }


def load_by_hand(run: str, body: Body, fetch: Fetch) -> StepEnd:
    said = ByHand(body["who"], body["reason"])
    return StepEnd(run, body["step"], "succeeded", fetch(body["output"]), body["at_ms"], said)


def dump_end(end: RunEnd) -> Body:
    return {
        "status": end.status,
        "ended_ms": end.ended_ms,
        "active_ms": end.active_ms,
        "cause": end.cause,
        "at": None if end.at is None else end.at._asdict(),
        "detail": _text(end.detail),
    }


def load_end(run: str, body: Body) -> RunEnd:
    at = None if body["at"] is None else load_place(body["at"])
    return RunEnd(run, body["status"], body["ended_ms"], body["active_ms"], body["cause"], at, body["detail"])


def _dump_failure(failure: Failure) -> Body:
    return {**failure._asdict(), "detail": _text(failure.detail), "alternatives": list(failure.alternatives)}


def _load_failure(body: Body) -> Failure:
    return Failure(**{**body, "alternatives": tuple(body["alternatives"])})


def _dump_cents(cents: Decimal | None) -> str | None:
    return None if cents is None else decimal_text(cents)


def _cents(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _name(plan: Any) -> str | None:
    name = plan.get("name") if isinstance(plan, Mapping) else None
    return name if isinstance(name, str) else None


def _text(text: str) -> str:
    """What others said, of a bounded length, and such that UTF-8 can say it."""
    return visible(text, _MOST_TEXT)
