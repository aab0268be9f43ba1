"""Runs: one execution of a plan, and what is written down of it while it goes on."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from aos.domain.runs.outcomes import Outcome

RunStatus = Literal["running", "succeeded", "failed", "paused", "cancelled"]

PauseCause = Literal["budget", "approval", "envelope", "unknown_effect"]
"""Why a run waits: for money, for a person's go-ahead, for another approval since the rest has left the one it has, for
somebody to say whether an attempt took effect."""


class Place(NamedTuple):
    """Where in a run a call stands: item of a `for_each` (0 without one) and iteration, both from 0."""

    step: str
    item: int = 0
    iteration: int = 0

    def __str__(self) -> str:
        """`s1`, `s1[3]`, `s1[3].2`: as people see it. The first of each is left out."""
        item = f"[{self.item}]" if self.item or self.iteration else ""
        return f"{self.step}{item}" + (f".{self.iteration}" if self.iteration else "")

    def key(self, run: str) -> str:
        """The idempotency key: the same for all attempts at this place of one run, and for no other."""
        return hashlib.sha256(f"{run} {self.step} {self.item} {self.iteration}".encode()).hexdigest()[:32]


class RunStart(NamedTuple):
    """What a run rests on, written before its first step.

    `plan` is the normalised plan as a JSON document, `simulation` the `aos.simulation/1` document that was shown before
    the run (its forecast, verdict and digests), `contract` the `catalog_contract_digest`. `started_ms` is Unix time.
    """

    id: str
    plan: Any
    plan_digest: str
    contract: str
    simulation: Any
    budget_cents: Decimal | None
    deadline_ms: float | None
    started_ms: float
    forced: bool = False

    @property
    def approval(self) -> Mapping[str, Any]:
        """The approval that the run has: request, server, digest, level, most_cents, bounds; empty where none."""
        return (self.simulation or {}).get("approval") or {}

    def resumed(self, budget_cents: Decimal | None, approval: Mapping[str, Any] | None) -> "RunStart":
        """What the run rests on from now on; `approval` None: that which it has."""
        told = self.simulation if approval is None else {**(self.simulation or {}), "approval": approval}
        return self._replace(budget_cents=budget_cents, simulation=told)


class Intent(NamedTuple):
    """An attempt about to be made. It is on disk before the attempt touches anything.

    `key` is the idempotency key, the same for all attempts at one place of one run. `repeatable` says whether the
    attempt may be made again when nobody knows how it ended. `params_digest` is of the resolved parameters with secrets
    left out. `reserve_cents` is set aside from the budget until the step has ended; None: nothing to set aside here.
    `free`: it costs nothing, however it ends.
    """

    run: str
    place: Place
    skill: str
    attempt: int
    key: str
    params_digest: str
    repeatable: bool
    started_ms: float
    reserve_cents: Decimal | None = None
    free: bool = False


class Settled(NamedTuple):
    """An attempt's end. `features` are numbers to learn from (tokens).

    `releases` says that its step has ended with it: what that had set aside is free, and a success is the step's own.
    """

    intent: Intent
    outcome: Outcome
    ended_ms: float
    features: Mapping[str, float] = {}
    releases: bool = False

    @property
    def step_end(self) -> "StepEnd | None":
        """The end of its step, where that has ended well with it."""
        if not (self.releases and self.outcome.success):
            return None
        return StepEnd(
            self.intent.run, self.intent.place.step, "succeeded", self.outcome.result, self.ended_ms
        )


class ByHand(NamedTuple):
    """Who says that a step was done by hand, and why."""

    who: str
    reason: str


class StepEnd(NamedTuple):
    """A step's end: succeeded, failed or skipped, and the output that references to it see.

    `by_hand`: no attempt of the run did it, somebody says so.
    """

    run: str
    step: str
    outcome: Literal["succeeded", "failed", "skipped"]
    output: Any
    ended_ms: float
    by_hand: ByHand | None = None


class GoAhead(NamedTuple):
    """A person at the terminal said yes to a step that wants an approval of this level."""

    run: str
    step: str
    level: int
    at_ms: float


class RunEnd(NamedTuple):
    """How a run ended, or why it pauses and at which place. Times are ms; `active_ms` leaves out waits for people."""

    run: str
    status: RunStatus
    ended_ms: float
    active_ms: float
    cause: PauseCause | None = None
    at: Place | None = None
    detail: str = ""


class Money(NamedTuple):
    """Where a run's money is, in cents. `unknown` counts attempts whose cost nobody knows: they are in neither sum."""

    budget: Decimal | None
    spent: Decimal
    reserved: Decimal
    unknown: int = 0
