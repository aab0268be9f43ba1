"""Trying again: after which failures, and after how long. One rule for forecast and run."""

from aos.domain.plans.plan import Step
from aos.domain.skills.failures import FAILURES, Effect
from aos.domain.skills.skill import Category, Effects, RetryPolicy, Skill

__all__ = ["effect_of_failure", "effective_retry", "pause_ms", "repeatable", "tries_again"]


def effective_retry(step: Step, skill: Skill) -> RetryPolicy:
    """The catalog's policy with the step's tighter figures."""
    own, policy = step.retry, skill.retry
    if own is None:
        return policy
    figures = {name: value for name, value in own._asdict().items() if value is not None}
    return policy._replace(**figures)


def repeatable(effects: Effects, policy: RetryPolicy) -> bool:
    """Whether a call may be made again though nobody knows whether the last one took effect: it only reads, twice is
    as good as once, or the receiver tells repetitions by the call's key."""
    return effects.read_only or effects.idempotent or policy.deduplicated


def effect_of_failure(code: str, effects: Effects) -> Effect:
    """What a failure of that code leaves behind; nobody knows of codes that only a descriptor has."""
    if effects.read_only:
        return "none"
    return FAILURES[code].effect if code in FAILURES else "unknown"


def tries_again(policy: RetryPolicy, category: Category, effect: Effect, repeatable: bool) -> bool:
    """Whether the policy tries again after such a failure, as long as attempts are left: its category is in `retry_on`,
    and nothing can happen twice."""
    return category in policy.retry_on and (effect == "none" or repeatable)


def pause_ms(policy: RetryPolicy, failed_attempts: int, retry_after_ms: float | None = None) -> float | None:
    """How long to wait after that many failed attempts: the policy's backoff, longer where the other side asks for it.

    None: it asks for more than the policy's longest wait, so trying again makes no sense in this run.
    """
    backoff = policy.backoff(failed_attempts)
    if retry_after_ms is None or retry_after_ms <= backoff:
        return backoff
    return retry_after_ms if retry_after_ms <= policy.max_backoff_ms else None
