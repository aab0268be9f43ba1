"""Money in the ledger: exact text in the entries, whole micro-cents in the sums that decide."""

from decimal import ROUND_CEILING, Decimal

__all__ = ["UNKNOWN_COSTS", "micro", "of_micro"]

UNKNOWN_COSTS = (
    "unknown_costs + CASE status WHEN 'running' THEN 0"
    " ELSE (SELECT count(*) FROM attempts WHERE run = runs.id AND settled IS NULL) END"
)
"""Attempts whose cost nobody knows: those counted, and those that nobody saw the end of when the run ended."""

_MICRO = 1_000_000
_MOST = 2**62
"""More micro-cents than SQLite can add up are as good as this many: over 40 billion dollars."""


def micro(cents: Decimal | str | None) -> int | None:
    """Whole micro-cents, rounded up, so that a sum is never below what was spent."""
    if cents is None:
        return None
    return min(int((Decimal(cents) * _MICRO).to_integral_value(ROUND_CEILING)), _MOST)


def of_micro(amount: int) -> Decimal:
    """Cents."""
    return Decimal(amount) / _MICRO
