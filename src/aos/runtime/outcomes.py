"""From what a skill replied to the outcome that is recorded: category, effect, and what to do next."""

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from aos.domain.plans.retries import effect_of_failure, repeatable, tries_again
from aos.domain.runs.outcomes import Execution, Failure, Outcome
from aos.domain.runs.recorded import PastFailures
from aos.domain.skills.failures import FAILURES, Effect
from aos.domain.skills.skill import Category, Effects, RetryPolicy, Skill
from aos.runtime.masking import Masker
from aos.runtime.skills import Fault, Reply

__all__ = ["Experience", "Situation", "interrupted", "masked", "outcome"]


Experience = Callable[[str, str], PastFailures | None]
"""What is on record of a skill and a code; None: there is no record."""


class Situation(NamedTuple):
    """What an attempt was made of. `retries` are the attempts before it."""

    skill: Skill
    effects: Effects
    policy: RetryPolicy
    latency_ms: float
    retries: int
    stand_in: str | None = None  # the skill of the step's fallback


def outcome(reply: Reply, at: Situation, experience: Experience) -> Outcome:
    """What the attempt came to."""
    execution = Execution(round(at.latency_ms, 3), reply.cost_cents, at.retries, reply.cache_hit)
    effect = reply.effect or _effect(reply, at.effects)
    failure = reply.fault and _failure(reply.fault, effect, at, experience)
    return Outcome(
        failure is None,
        None if failure else reply.result,
        failure,
        execution,
        reply.side_effects,
        effect,
        _next_actions(failure, effect, at) if failure else (),
    )


def masked(made: Outcome, mask: Masker) -> Outcome:
    """The outcome without secrets."""
    failure = made.failure and made.failure._replace(detail=mask.text(made.failure.detail))
    effects = tuple(effect._replace(target=mask.text(effect.target)) for effect in made.side_effects)
    return made._replace(result=mask.value(made.result), failure=failure, side_effects=effects)


def _effect(reply: Reply, effects: Effects) -> Effect:
    if reply.fault:
        return effect_of_failure(reply.fault.code, effects)
    return "none" if effects.read_only else "committed"


def _failure(fault: Fault, effect: Effect, at: Situation, experience: Experience) -> Failure:
    category = _category(fault.code, at.skill)
    past = experience(at.skill.id, fault.code)
    return Failure(
        fault.code,
        category,
        fault.detail,
        tries_again(at.policy, category, effect, repeatable(at.effects, at.policy)),
        fault.retry_after_ms,
        (at.stand_in,) if at.stand_in else (),
        past.seen if past else None,
        past.recovered if past else None,
    )


def interrupted(latency_ms: float, number: int, cost_cents: Decimal | None) -> Outcome:
    """How an attempt is settled that nobody saw the end of, and that is made again."""
    kind = FAILURES["INTERRUPTED"]
    failure = Failure("INTERRUPTED", kind.category, kind.meaning, retryable=True)
    return Outcome(False, None, failure, Execution(latency_ms, cost_cents, number - 1), effect="unknown")


def _category(code: str, skill: Skill) -> Category:
    """A descriptor may file a code under a category of its own."""
    for mode in skill.failures or ():
        if mode.code == code:
            return mode.category
    return FAILURES[code].category if code in FAILURES else "PERMANENT"


def _next_actions(failure: Failure, effect: Effect, at: Situation) -> tuple[str, ...]:
    actions = []
    if effect == "unknown" and not repeatable(at.effects, at.policy):
        actions.append("Find out whether it took effect before calling it again.")
    if failure.retry_after_ms:
        asked, most = (f"{ms / 1000:,.9g} s" for ms in (failure.retry_after_ms, at.policy.max_backoff_ms))
        longer = failure.retry_after_ms > at.policy.max_backoff_ms
        actions.append(
            f"Wait {asked}, as the service asks" + (f": a run waits {most} at most." if longer else ".")
        )
    elif failure.code in FAILURES:
        actions.append(FAILURES[failure.code].advice)
    return tuple(actions)
