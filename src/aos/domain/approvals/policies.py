"""Policies: what the rules say of a plan, by which of them, and what fact would change it."""

from typing import Literal, NamedTuple

from aos.domain.approvals.levels import LEVELS

Effect = Literal["permit", "forbid"]
Action = Literal["run", "call"]
PolicyDecision = Literal["allow", "requires_approval", "deny"]
Ground = Literal["permitted", "forbidden", "not_permitted", "error"]
"""Why: a rule permits it, a rule forbids it, no rule permits it, or a rule could not be evaluated."""


class Rule(NamedTuple):
    """One rule: its `@id` (else `FILE:LINE`), where it stands, and what its `@reason` tells people ("": nothing)."""

    id: str
    effect: Effect
    file: str
    line: int
    reason: str = ""


class Principal(NamedTuple):
    """Who asks: an agent of a tenant."""

    tenant: str = "local"
    agent: str = "local"


class Facts(NamedTuple):
    """What rules can look at: integers, flags and names. None is unknown, and then absent for the rules, never 0.

    Cents are rounded up and a chance, in basis points, down. `risks` are the codes of failures that may come.
    Of a plan, `read_only`, `idempotent` and `reversible` are those of every step, the other two those of any.
    """

    steps: int
    read_only: bool
    idempotent: bool
    destructive: bool
    reversible: bool
    open_world: bool
    cost_p95_cents: int | None = None
    duration_p95_ms: int | None = None
    success_bp: int | None = None
    risks: tuple[str, ...] | None = None


class Question(NamedTuple):
    """May the principal do this? `resource` is a skill's id for `call`, a plan's digest for `run`."""

    principal: Principal
    action: Action
    resource: str
    facts: Facts


class Ruling(NamedTuple):
    """The answer to one question. `level` is the least that an approver must have; None where none is needed or helps.

    `rules` decided: those that permit it, or that ask for the approval or forbid it; none where nothing permits it.
    `errors` are what went wrong in evaluating, which is never an `allow`.
    """

    decision: PolicyDecision
    ground: Ground
    level: int | None
    rules: tuple[Rule, ...]
    errors: tuple[str, ...] = ()


class Missing(NamedTuple):
    """A fact with which the answer would be better: `cost_p95_cents <= 500`. `without` names a risk that is not there.

    It was found by asking again with the fact changed, and at the next value of a number the answer is worse.
    """

    fact: str
    relation: Literal["<=", ">=", "=", "without"]
    value: int | bool | str
    decision: PolicyDecision
    level: int | None


class StepRuling(NamedTuple):
    """What is said of one step of a plan, or of the plan as a whole (`step` and `pointer` are "")."""

    step: str
    pointer: str
    question: Question
    ruling: Ruling
    missing: tuple[Missing, ...]


class PolicyVerdict(NamedTuple):
    """What the rules say of a plan: the strictest of `rulings`, which are the plan's and then each step's."""

    decision: PolicyDecision
    level: int | None
    digest: str
    rulings: tuple[StepRuling, ...]


def rank(decision: PolicyDecision | None, level: int | None) -> int:
    """How strict an answer is: 0 for allow (or where nothing was asked), 1 to 5 for a level, 6 for deny."""
    return len(LEVELS) + 1 if decision == "deny" else level or 0
