"""What a row of the catalogue of codes holds, and the exit statuses."""

from enum import IntEnum
from typing import NamedTuple


class Exit(IntEnum):
    """Exit statuses of the command line; `aos help exit-codes` prints this table."""

    YES = 0
    INTERNAL = 1
    USAGE = 2
    NO = 3
    FORBIDDEN = 4
    UNDETERMINED = 5
    TRANSIENT = 6
    STEPS_FAILED = 7
    PENDING = 8
    CONFLICT = 9
    UNKNOWN_EFFECT = 10
    DAMAGED = 11
    WRITE_FAILED = 12
    TIMED_OUT = 124
    INTERRUPTED = 130
    TERMINATED = 143


EXIT_MEANINGS: dict[Exit, str] = {
    Exit.YES: "yes: feasible, approved, succeeded, healthy, shown",
    Exit.INTERNAL: "internal error: a fault of aos itself",
    Exit.USAGE: "usage, or an input that can't be read or is invalid",
    Exit.NO: "a well-formed no: infeasible, denied, rejected, expired, check failed, drift",
    Exit.FORBIDDEN: "not authenticated or not permitted",
    Exit.UNDETERMINED: "undetermined: a figure that decides is unknown, or too close to call",
    Exit.TRANSIENT: "transient: unreachable or rate limited; safe to retry",
    Exit.STEPS_FAILED: "the run ended with failed steps",
    Exit.PENDING: "pending, waiting or paused; a policy asks for an approval",
    Exit.CONFLICT: "conflict: already decided, voided, stale digest",
    Exit.UNKNOWN_EFFECT: "outcome unknown: do not retry blindly",
    Exit.DAMAGED: "data damaged: ledger, backup, signature or audit",
    Exit.WRITE_FAILED: "a write to the ledger or an output failed",
    Exit.TIMED_OUT: "--wait timed out",
    Exit.INTERRUPTED: "interrupted (SIGINT)",
    Exit.TERMINATED: "terminated (SIGTERM)",
}


class Code(NamedTuple):
    """One row: what `aos explain` says, and what scripts may rely on."""

    area: str
    title: str
    meaning: str
    fix: str
    exit: Exit = Exit.USAGE
    status: int = 422
    retryable: bool = False
