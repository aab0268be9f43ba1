"""Verdicts: feasible, infeasible or undetermined, and why."""

from decimal import Decimal
from typing import Literal, NamedTuple

Decision = Literal["feasible", "infeasible", "undetermined"]

Status = Literal[
    "feasible",
    "budget_insufficient",
    "permission_denied",
    "skill_unavailable",
    "risk_too_high",
    "invalid_plan",
    "deadline_exceeded",
    "undetermined",
]

DEFAULT_CONFIDENCE = 0.90
DEFAULT_MIN_SUCCESS = 0.50
DEFAULT_SAMPLES = 10_000
MAX_SAMPLES = 160_000
STANDARD_ERRORS = 2.0


class Limits(NamedTuple):
    """What the caller asks for. None: no such limit."""

    budget_cents: Decimal | None = None
    deadline_ms: float | None = None
    confidence: float = DEFAULT_CONFIDENCE
    min_success: float = DEFAULT_MIN_SUCCESS


class Reason(NamedTuple):
    """Why: a code of the catalogue, the place in the plan ("" is the whole), and a sentence."""

    code: str
    pointer: str
    detail: str


class Approval(NamedTuple):
    """A go-ahead that a step asks for: at least `level` (1-5)."""

    step: str
    pointer: str
    level: int


class Verdict(NamedTuple):
    """The answer. `reasons` say why it is not feasible, the decisive one first."""

    decision: Decision
    status: Status
    reasons: tuple[Reason, ...]
    approvals: tuple[Approval, ...]
