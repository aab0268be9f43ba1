"""Outcomes: what an attempt returned, failure included, as data."""

from decimal import Decimal
from typing import Any, NamedTuple

from aos.domain.skills.failures import Effect
from aos.domain.skills.skill import Category

__all__ = ["Effect", "Execution", "Failure", "Outcome", "SideEffect"]


class Failure(NamedTuple):
    """Why an attempt failed.

    `code` is a row of `aos.domain.skills.failures` or of the skill's descriptor. `retryable` says whether another
    attempt may be made at all, `retry_after_ms` how long whoever was called asks to wait (None: it did not say).
    `alternatives` are skills that could serve instead. `similar_past_failures` counts the ledger's failed attempts of
    this skill and code, and `past_recovery_success_rate` is the share of steps that succeeded after one; None: there is
    no record to tell from.
    """

    code: str
    category: Category
    detail: str
    retryable: bool
    retry_after_ms: float | None = None
    alternatives: tuple[str, ...] = ()
    similar_past_failures: int | None = None
    past_recovery_success_rate: float | None = None


class Execution(NamedTuple):
    """How an attempt went. `cost_cents` None: nobody knows; `retries` are the attempts before this one."""

    latency_ms: float
    cost_cents: Decimal | None
    retries: int = 0
    cache_hit: bool = False


class SideEffect(NamedTuple):
    """Something done to the world: "http.request" to an origin, "file.write" of a path. Never holds a secret."""

    type: str
    target: str
    reversible: bool


class Outcome(NamedTuple):
    """What one attempt returned: a `result` (a JSON value) or a `failure`, what it took, and what it did.

    `next_actions` are commands or edits, in a person's words, that make sense now.
    """

    success: bool
    result: Any
    failure: Failure | None
    execution: Execution
    side_effects: tuple[SideEffect, ...] = ()
    effect: Effect = "none"
    next_actions: tuple[str, ...] = ()

    @property
    def unseen(self) -> bool:
        """Whether nothing is known to be wrong with it: it was only not seen to its end."""
        return self.failure is not None and self.failure.code in ("INTERRUPTED", "CANCELLED")
