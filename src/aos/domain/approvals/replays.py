"""Replays: what one policy says, and what another would have said, of what is on record."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, NamedTuple, get_args

from aos.domain.approvals.policies import Ground, PolicyDecision, Question, Rule, rank

__all__ = [
    *("CHANGES", "Answer", "Answers", "Asked", "Basis", "Change", "Near", "Recorded", "Replay", "Row"),
    *("RuleUse", "Source", "Why"),
]

Source = Literal["run", "plan", "request", "evaluation"]
"""A run in a ledger or uploaded to a server, a plan file, a request for an approval, an evaluation in the audit log."""

Basis = Literal["rules", "forecast", "simulated"]
"""Whose facts they are: those that rules saw then, those of the forecast that was made then, those of one made now."""

Change = Literal[
    "newly_denied", "newly_allowed", "newly_asked", "level_raised", "level_lowered", "no_longer_denied"
]
CHANGES: tuple[Change, ...] = get_args(Change)
"""What may become of an answer, the most serious first: nobody can let it through any more; nobody looks at it any
more; people are asked who were not, or others than before; it is no longer denied, but people are asked."""


class Asked(NamedTuple):
    """A question about a plan as a whole (`step` and `pointer` are ""), or about one of its steps."""

    step: str
    pointer: str
    question: Question


class Why(NamedTuple):
    """Why nobody can tell what rules would have said of something."""

    code: Literal["plan_not_kept", "facts_not_kept", "other_contract", "invalid_plan", "unreadable"]
    detail: str


class Recorded(NamedTuple):
    """Something that happened, or a plan that may. `asked` None: what rules would ask is not known, and `why`.

    `at_ms` is Unix time (None: a plan has none), `forecast_cents` the mean cost that was forecast, `spent_cents` what
    it has cost: both None where nobody knows.
    """

    id: str
    source: Source
    at_ms: float | None
    asked: tuple[Asked, ...] | None
    basis: Basis | None = None
    why: Why | None = None
    forecast_cents: float | None = None
    spent_cents: Decimal | None = None


class Answer(NamedTuple):
    """What a policy says of one of them, by which rules, and at which step (""): the plan as a whole) first."""

    decision: PolicyDecision
    level: int | None
    ground: Ground
    rules: tuple[str, ...]
    step: str

    @property
    def strictness(self) -> int:
        """0 for allow, 1 to 5 for a level, 6 for deny."""
        return rank(self.decision, self.level)


class Answers(NamedTuple):
    """What the current policy says of something, and what the candidate would."""

    before: Answer
    after: Answer

    @property
    def change(self) -> Change | None:
        """What becomes of it; None: it is the same decision, for a person of the same level."""
        was, now = self.before.strictness, self.after.strictness
        if was == now:
            return None
        if self.after.decision == "deny":
            return "newly_denied"
        if self.after.decision == "allow":
            return "newly_allowed"
        if self.before.decision == "requires_approval":
            return "level_raised" if now > was else "level_lowered"
        return "newly_asked" if self.before.decision == "allow" else "no_longer_denied"


class Row(NamedTuple):
    """One of them under both policies. `said` None: nobody can tell."""

    recorded: Recorded
    said: Answers | None

    @property
    def change(self) -> Change | None:
        """What the candidate changes about it; None: nothing, or nobody knows."""
        return self.said.change if self.said else None


class RuleUse(NamedTuple):
    """What a rule of the candidate does: of how many it decided, by the decision.

    `matched`: its conditions held for something at some level, whoever decided. None: there was no time to find out.
    """

    rule: Rule
    decided: Mapping[PolicyDecision, int]
    matched: bool | None


class Near(NamedTuple):
    """Which of those `looked` at the candidate would answer otherwise, were a figure a tenth worse, or better."""

    fact: str
    looked: int
    stricter: tuple[str, ...]
    looser: tuple[str, ...]


class Replay(NamedTuple):
    """All rows, in an order of their own; the digests of both policies; what each rule of the candidate did.

    `left_off` counts records that were not looked at for want of time, `passed_over` files that are no plans.
    """

    rows: tuple[Row, ...]
    current: str
    candidate: str
    rules: tuple[RuleUse, ...]
    near: tuple[Near, ...]
    left_off: int = 0
    passed_over: int = 0
