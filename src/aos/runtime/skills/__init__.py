"""Skills: one file each. A skill is called with its resolved parameters and returns a reply; it never raises."""

from collections.abc import Mapping
from decimal import Decimal
from threading import Event
from typing import Any, NamedTuple, Protocol

from aos.domain.runs.outcomes import Effect, SideEffect
from aos.domain.runs.run import Place

__all__ = ["Call", "Fault", "Implementation", "Reply"]


class Call(NamedTuple):
    """One attempt. `key` is the same for all attempts at this place of this run: send it where the other side can
    tell repetitions by it. The attempt has `timeout_s` seconds, and ends early once `cancelled` is set.
    """

    run: str
    place: Place
    attempt: int
    key: str
    timeout_s: float
    cancelled: Event


class Fault(NamedTuple):
    """Why it failed: a code of `aos.domain.skills.failures` or of the descriptor, and a sentence without secrets."""

    code: str
    detail: str
    retry_after_ms: float | None = None


class Reply(NamedTuple):
    """What came of an attempt. `cost_cents` None: nobody knows; `features` are numbers to learn from (tokens).

    `effect` None leaves it to the failure catalogue (a fault) or to the descriptor (a success: committed, or none for
    a call that only reads).
    """

    result: Any = None
    fault: Fault | None = None
    cost_cents: Decimal | None = Decimal(0)
    side_effects: tuple[SideEffect, ...] = ()
    effect: Effect | None = None
    cache_hit: bool = False
    features: Mapping[str, float] = {}


class Implementation(Protocol):
    """A skill. `params` fit the input schema. Whatever it raises all the same becomes a SKILL_ERROR."""

    def __call__(self, params: Mapping[str, Any], call: Call) -> Reply: ...
