"""What people tell of a run that does not go on by itself: whether an attempt took effect, that a step is done."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aos.api.running.ledgers import ledger_path
from aos.api.running.runs import show
from aos.domain.plans.plan import OnError, Step, readers
from aos.domain.runs.recorded import RunState
from aos.domain.runs.run import ByHand, Place, StepEnd
from aos.errors import AosError
from aos.wire.commands import PLAIN, Commands
from aos.wire.problems import visible
from aos.wire.shape import closest

__all__ = ["UNSAID", "Reconciled", "mark_done", "reconcile"]

UNSAID: Any = object()
"""Nobody said what it returned; null is an answer."""


class Reconciled(NamedTuple):
    """Which attempt of which run somebody told the effect of, and what the run is like since."""

    attempt: int
    state: RunState


def reconcile(
    ledger: Path | None,
    run: str,
    place: Place,
    *,
    committed: bool,
    result: Any = UNSAID,
    commands: Commands = PLAIN,
) -> Reconciled:
    """Say whether the attempt at `place` took effect whose end nobody saw, and what it returned.

    Raises AosError: needs_ledger, run_not_found, run_conflict where no attempt there is open, usage where later steps
    need to know what it returned.
    """
    from aos.ledger.ledger import Ledger

    state = show(ledger, run).state
    name = state.start.id
    open_ones = [one for one in state.attempts if one.intent.place == place and one.effect == "unknown"]
    if not open_ones:
        lost = [one.intent.place for one in state.attempts if one.unsettled]
        raise AosError(
            "run_conflict",
            f"no attempt of {place} in run {name} has an unknown end",
            fix=f"`{commands.reconcile(name, lost[0])}` names one that has." if lost else None,
        )
    if committed and result is UNSAID:
        _check_unread(state, place)
    with Ledger(ledger_path(ledger)) as book:
        book.reconcile(
            name,
            place,
            open_ones[-1].intent.attempt,
            committed=committed,
            result=None if result is UNSAID else result,
            at_ms=time.time() * 1000,
            free=open_ones[-1].intent.free,
        )
        return Reconciled(open_ones[-1].intent.attempt, book.state(name))


def mark_done(
    ledger: Path | None, run: str, step: str, *, who: str, reason: str, result: Any = UNSAID
) -> RunState:
    """Say that somebody did a step by hand, who, and why: no attempt of it is made any more, later steps see `result`.

    It holds once the run goes on. Raises AosError: needs_ledger, run_not_found, usage where the plan has no such step,
    no reason is given, or later steps need to know what it returned; run_conflict where the step or the run has
    succeeded, or the run is being carried out.
    """
    from aos.ledger.ledger import Ledger

    state = show(ledger, run).state
    name, ids = state.start.id, [one.id for one in _steps(state)]
    if step not in ids:
        meant = closest(step, ids)
        detail = f'run {name} has no step "{visible(step)}"' + (f'; did you mean "{meant}"?' if meant else "")
        raise AosError("usage", detail, fix="`aos runs show` lists its steps.")
    if not reason.strip():
        raise AosError(
            "usage", "why it was done by hand is left out", fix="Say it, for those who read the record."
        )
    if result is UNSAID:
        _check_unread(state, Place(step))
    output = None if result is UNSAID else result
    end = StepEnd(name, step, "succeeded", output, time.time() * 1000, ByHand(who, reason.strip()))
    with Ledger(ledger_path(ledger)) as book:
        book.done_by_hand(end)
        return book.state(name)


def _check_unread(state: RunState, place: Place) -> None:
    """Raise AosError(usage) where others see the output that nobody has said."""
    steps = _steps(state)
    step = next((one for one in steps if one.id == place.step), None)
    if step is None or place.iteration + 1 < step.iterations:
        return
    if found := [
        name for name in readers(steps, place.step) if name not in state.steps or _open(state, name)
    ]:
        raise AosError(
            "usage",
            f"what {place} returned is needed: {', '.join(found[:5])} {'see' if len(found) > 1 else 'sees'} it",
            fix="Say it with --result JSON; --result null where it returned nothing.",
        )


def _open(state: RunState, step: str) -> bool:
    return state.steps[step].outcome != "succeeded"


def _steps(state: RunState) -> tuple[Step, ...]:
    """The steps of a recorded plan as far as they say who sees whose output: no catalog is needed for that."""
    plan = state.start.plan
    return tuple(_step(one) for one in plan.get("steps", ()))


def _step(told: Mapping[str, Any]) -> Step:
    needs, items, on_error = told.get("needs"), told.get("for_each"), told.get("on_error", "fail")
    stand_in = on_error.removeprefix("fallback:") if on_error.startswith("fallback:") else None
    return Step(
        told["id"],
        told["skill"],
        told.get("params", {}),
        needs=None if needs is None else tuple(needs),
        on_error=OnError("fallback", stand_in) if stand_in else OnError(on_error),
        iterations=told.get("iterations", 1),
        for_each=tuple(items) if isinstance(items, list) else items,
    )
