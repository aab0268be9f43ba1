"""Runs as JSON documents: the trace of one run, and what happens in it, line by line."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from aos.domain.plans.plan import Plan
from aos.domain.runs.happenings import (
    AttemptEnded,
    AttemptStarted,
    Happening,
    Retrying,
    RunEnded,
    RunStarted,
    StepEnded,
)
from aos.domain.runs.outcomes import Outcome
from aos.domain.runs.recorded import Attempted, RunState
from aos.domain.runs.results import RunResult
from aos.domain.runs.run import Intent, Place
from aos.errors import Exit
from aos.wire.commands import PLAIN, Commands
from aos.wire.results.documents import Document, envelope, money, significant
from aos.wire.results.simulations import EXITS

__all__ = ["event", "exit_status", "in_doubt", "next_actions", "not_started", "outcome", "run"]


def run(result: RunResult, exit_status: int, commands: Commands = PLAIN) -> Document:
    """The document `aos.run/1`: how the run went, beside its forecast, and every attempt."""
    state, forecast = result.state, result.simulation
    head: Document = {
        **envelope("aos.run/1"),
        "run": state.start.id if state else None,
        "status": state.status if state else "refused",
        "exit_code": exit_status,
        "plan": {"name": result.plan.name, "steps": len(result.plan.steps)},
        "verdict": forecast["verdict"],
        "reasons": forecast["reasons"],
        "forced": bool(state and state.start.forced),
    }
    if state is None:
        return {**head, **_nothing(forecast), "simulation": forecast}
    end = state.end
    return {
        **head,
        "cause": end.cause if end else None,
        "at": None if end is None or end.at is None else str(end.at),
        "detail": end.detail if end else "",
        "started_ms": round(state.start.started_ms),
        "active_ms": significant(state.active_ms),
        "tries": state.tries,
        "elapsed_ms": significant(max(0.0, end.ended_ms - state.start.started_ms)) if end else None,
        "cost": _money(state),
        "steps": _steps(result.plan, state, forecast),
        "attempts": [_attempt(state, attempted) for attempted in state.attempts],
        "next_actions": list(next_actions(state, commands)),
        "unknowns": _unknowns(state),
        "simulation": forecast,
    }


def exit_status(result: RunResult) -> Exit:
    """The exit status of a run: what it came to, or why it was not started."""
    if result.state is None:
        verdict = result.simulation["verdict"]
        # What is feasible waits for an approval.
        return Exit.PENDING if verdict == "feasible" else EXITS[verdict]
    end = result.state.end
    match result.state.status:
        case "succeeded":
            return Exit.YES
        case "failed":
            return Exit.UNKNOWN_EFFECT if _in_doubt(result.state) else Exit.STEPS_FAILED
        case "paused":
            return Exit.UNKNOWN_EFFECT if end and end.cause == "unknown_effect" else Exit.PENDING
        case _:
            return Exit.INTERRUPTED


def _in_doubt(state: RunState) -> bool:
    """Whether a step failed and nobody knows if it took effect, so that a new run might do it twice."""
    last = {attempted.intent.place: attempted for attempted in state.attempts}.values()
    return any(
        a.ended_as == "failed" and a.effect == "unknown" and not _done(state, a.intent.place) for a in last
    )


def _done(state: RunState, place: Place) -> bool:
    """Whether its step has succeeded, whatever became of that attempt: somebody may have done it by hand."""
    return place.step in state.steps and state.steps[place.step].outcome == "succeeded"


def event(happening: Happening) -> Document:
    """A line of `aos.run-event/1`: what happened, when (Unix time in ms) and where."""
    name, known = _told(happening)
    return {**envelope("aos.run-event/1"), "event": name, "at_ms": round(happening.at_ms, 3), **known}


def _told(happening: Happening) -> tuple[str, Document]:
    match happening:
        case RunStarted(_, start, past):
            return "run_started", {
                "run": start.id,
                "resumed": past is not None,
                "try": past.tries if past else 1,
                "budget_cents": money(start.budget_cents),
            }
        case AttemptStarted(_, intent):
            return "attempt_started", _call(intent)
        case AttemptEnded(_, intent, made):
            return "attempt_ended", {**_call(intent), "outcome": outcome(made)}
        case Retrying(_, run, at, due_ms):
            return "retrying", {"run": run, **at._asdict(), "due_ms": round(due_ms, 3)}
        case StepEnded(_, run, step, came):
            return "step_ended", {"run": run, "step": step, "step_outcome": came}
        case RunEnded(_, end):
            stands = None if end.at is None else str(end.at)
            return "run_ended", {"run": end.run, "status": end.status, "cause": end.cause, "at": stands}


def _call(intent: Intent) -> Document:
    return {"run": intent.run, **intent.place._asdict(), "skill": intent.skill, "attempt": intent.attempt}


def outcome(made: Outcome) -> Document:
    """An outcome as data, failure included."""
    failure, execution = made.failure, made.execution
    return {
        "success": made.success,
        "result": made.result,
        "failure": None
        if failure is None
        else {**failure._asdict(), "alternatives": list(failure.alternatives)},
        "execution": {
            "latency_ms": significant(execution.latency_ms),
            "cost_cents": money(execution.cost_cents),
            "retries": execution.retries,
            "cache_hit": execution.cache_hit,
        },
        "side_effects": [effect._asdict() for effect in made.side_effects],
        "effect": made.effect,
        "next_actions": list(made.next_actions),
    }


def next_actions(state: RunState, commands: Commands = PLAIN) -> Sequence[str]:
    """What makes sense now, as commands where there is one."""
    run, end = state.start.id, state.end
    told = [f"{commands.reconcile(run, place)} --committed, or --not-committed" for place in in_doubt(state)]
    if state.status == "succeeded":
        return ()
    if state.status == "failed":
        failed = [a.outcome for a in state.attempts if a.outcome and not a.outcome.success]
        return (*(failed[-1].next_actions if failed else ()), *told, commands.retry(run))
    match end.cause if end else None:
        case "budget" | "envelope" if state.start.approval:
            return (commands.request(run), commands.resume(run, "--approval ID"))
        case "budget":
            return (commands.resume(run, "--budget CENTS"),)
        case "approval":
            return (commands.resume(run),)
        case _:
            return (*told, commands.resume(run))


def in_doubt(state: RunState) -> Sequence[Place]:
    """Where somebody has to find out whether an attempt took effect, before its step may go on."""
    places = (one.intent.place for one in state.attempts if one.unsettled)
    return [place for place in dict.fromkeys(places) if not _done(state, place)]


def _nothing(forecast: Mapping[str, Any]) -> Document:
    """Nothing was run: for want of a feasible plan, or of a yes by the rules."""
    why, then = not_started(forecast)
    return {
        **dict.fromkeys(("cause", "at", "started_ms", "active_ms", "elapsed_ms", "cost")),
        "tries": 0,
        "detail": why,
        "steps": [],
        "attempts": [],
        "next_actions": list(then),
        "unknowns": [],
    }


def not_started(forecast: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Why a plan was not run, from its forecast, and what can be done about it."""
    said = forecast.get("policy") or {"decision": "allow"}
    if said["decision"] == "deny":
        return "the rules deny it, so nothing was run", ("aos policy eval PLAN",)
    if said["decision"] == "requires_approval":
        level = said["approval_level_required"]
        why = f"the rules ask for an approval of level {level}, so nothing was run"
        return why, ("aos policy eval PLAN", "aos requests create PLAN")
    return "the verdict is not feasible, so nothing was run", ("aos simulate PLAN", "aos run PLAN --force")


def _money(state: RunState) -> Document:
    held = state.money
    return {
        "budget_cents": money(held.budget),
        "spent_cents": None if held.unknown else money(held.spent),
        "known_cents": money(held.spent),
        "reserved_cents": money(held.reserved),
        "attempts_of_unknown_cost": held.unknown,
    }


def _unknowns(state: RunState) -> list[Document]:
    found = []
    if state.money.unknown:
        reason = f"nobody knows what {state.money.unknown} of the attempts cost"
        found.append({"pointer": "/cost/spent_cents", "reason": reason})
    for i, attempted in enumerate(state.attempts):
        if attempted.outcome is None:
            found.append({"pointer": f"/attempts/{i}/outcome", "reason": "nobody saw it end"})
        elif attempted.outcome.execution.cost_cents is None:
            pointer = f"/attempts/{i}/outcome/execution/cost_cents"
            found.append({"pointer": pointer, "reason": "nobody knows what it cost"})
    return found


def _steps(plan: Plan, state: RunState, forecast: Mapping[str, Any]) -> list[Document]:
    """Every step of the plan, what it came to and what was forecast of it."""
    estimates = {estimate["id"]: estimate for estimate in forecast.get("step_estimates", ())}
    return [_step(step.id, step.skill, state, estimates.get(step.id)) for step in plan.steps]


def _step(name: str, skill: str, state: RunState, estimate: Mapping[str, Any] | None) -> Document:
    mine = [attempted for attempted in state.attempts if attempted.intent.place.step == name]
    end = state.steps.get(name)
    latest = [a for a in mine if a.of_try == mine[-1].of_try]
    times = [a.ended_ms for a in latest if a.ended_ms is not None and not a.reconciled]
    costs = [a.outcome.execution.cost_cents if a.outcome else None for a in mine]
    known = [cost for cost in costs if cost is not None]
    return {
        "id": name,
        "skill": skill,
        "outcome": end.outcome if end else None,
        "output": end.output if end else None,
        "by_hand": end.by_hand._asdict() if end and end.by_hand else None,
        "attempts": len(mine),
        "duration_ms": significant(max(times) - latest[0].intent.started_ms) if times else None,
        "cost_cents": money(sum(known, Decimal(0))) if len(known) == len(costs) else None,
        "forecast": estimate
        and {key: estimate[key] for key in ("chance_to_succeed", "attempts", "duration_ms", "cost_cents")},
    }


def _attempt(state: RunState, attempted: Attempted) -> Document:
    intent = attempted.intent
    return {
        **intent.place._asdict(),
        "skill": intent.skill,
        "attempt": intent.attempt,
        "try": attempted.of_try,
        "after_ms": significant(max(0.0, intent.started_ms - state.start.started_ms)),
        "key": intent.key,
        "outcome": None if attempted.outcome is None else outcome(attempted.outcome),
    }
