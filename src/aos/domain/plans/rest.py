"""The rest of a run: a plan under way, as the plan of what is left of it; and whether that stays within an approval."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from aos.domain.approvals.envelopes import SUCCESS_MARGIN, TIME_FACTOR, Envelope, noise, share_beyond
from aos.domain.durations import duration
from aos.domain.forecasts.forecast import Forecast
from aos.domain.plans.plan import Outcome, Plan, Step
from aos.domain.skills.distributions import Constant, Distribution
from aos.domain.skills.skill import CallCost, Catalog, Effects, FailureMode, Figure, Provenance, Skill

__all__ = ["Bounds", "Rest", "bounds", "outside", "rest"]

LIKELY = 0.5
"""The chance to be over a bound from which a run asks again. What has a chance of 0.05 at first reaches it in at most 1
of 10 runs (Ville's inequality), so at most twice as many are asked about as end beyond their p95."""
SLACK_MS = 1000.0
"""So much later than approved no run is asked about: it may be the machine's own time."""

_KNOWN = Provenance("measured", "it has ended")
_NOTHING: Figure[Distribution] = Figure(Constant(0.0), _KNOWN)


class Bounds(NamedTuple):
    """What a run under way is held against: figures of an envelope from so many `samples`; None: there is no bound.

    95 of 100 runs were to stay within `cost_cents` and `time_ms` (active time); `success` is the chance.
    """

    samples: int
    cost_cents: float | None
    time_ms: float | None
    success: float | None


class Rest(NamedTuple):
    """What is left of a plan, and the skills that say so."""

    plan: Plan
    catalog: Catalog


def bounds(approved: Envelope) -> Bounds:
    """What an approval says of the run as a whole."""
    figures = (
        held.value if held.known else None for held in (approved.cost, approved.time, approved.success)
    )
    return Bounds(approved.samples, *figures)


def rest(plan: Plan, catalog: Catalog, ended: Mapping[str, Outcome]) -> Rest:
    """The plan with each step that has ended in its place: at once, for nothing, and as it ended.

    So order, `when`, fallbacks and references stand as they were, and what they decide is decided. A step under way is
    among the rest as a whole. Limits are left out.
    """
    stand_ins = {skill.id: skill for skill in (_stand_in("ended well", ()), _stand_in("failed", _SURELY))}
    steps = tuple(_ended(step, ended[step.id]) if step.id in ended else step for step in plan.steps)
    return Rest(
        plan._replace(steps=steps, budget_cents=None, deadline_ms=None),
        catalog._replace(skills={**catalog.skills, **stand_ins}),
    )


def outside(approved: Bounds, left: Forecast, spent: Decimal, elapsed_ms: float) -> str:
    """In what the rest leaves the approval, in words; "" where it stays within, or can't succeed any more.

    It is outside when it is more likely than not to cost or take more than was approved (of time 1.25 times that, and a
    second), or less likely to succeed, as far as the tolerance before a run goes.
    """
    if left.success.high.value == 0:
        return ""
    return "; ".join(_outside(approved, left, float(spent), elapsed_ms))


def _outside(approved: Bounds, left: Forecast, spent: float, elapsed_ms: float) -> Iterator[str]:
    if approved.cost_cents is not None:
        above = share_beyond(left.cost_at_least, left.samples, approved.cost_cents - spent)
        if above > LIKELY:
            yield f"{spent:g}c are spent, and {100 * above:.3g} of 100 runs would go on beyond {approved.cost_cents:g}c"
    if approved.time_ms is not None:
        limit = approved.time_ms * TIME_FACTOR + SLACK_MS
        late = share_beyond(left.time_at_least, left.samples, limit - elapsed_ms)
        if late > LIKELY:
            beyond = f"{100 * late:.3g} of 100 runs would go on beyond {duration(round(limit), stated=True)}"
            yield f"{duration(round(elapsed_ms), stated=True)} have passed, and {beyond}"
    if approved.success is not None:
        now = left.success.low.value
        chance = noise((approved.success + now) / 2, approved.samples, left.samples)
        if now < approved.success - SUCCESS_MARGIN - chance:
            yield f"{100 * approved.success:.3g} of 100 runs were to succeed, of the rest {100 * now:.3g} do"


def _ended(step: Step, outcome: Outcome) -> Step:
    skill = "failed" if outcome == "failed" else "ended well"
    return Step(step.id, skill, {}, needs=step.needs, when=step.when, on_error=step.on_error)


def _stand_in(name: str, failures: tuple[FailureMode, ...]) -> Skill:
    return Skill(
        *(name, "1.0.0", "what has ended", {}, {}, None),
        latency=_NOTHING,
        cost=CallCost(_NOTHING),
        failures=failures,
        effects=Effects(
            read_only=True, idempotent=True, destructive=False, reversible=True, open_world=False
        ),
        overhead=_NOTHING,
    )


_SURELY = (FailureMode("SKILL_ERROR", "PERMANENT", Figure(1.0, _KNOWN)),)
