"""When something is tried again: one table, which docs/webhooks.md shows."""

from collections.abc import Callable, Sequence

__all__ = ["DELAYS_S", "JITTER", "MAX_RETRY_AFTER_S", "TRIES", "after_s"]

_MINUTE, _HOUR = 60.0, 3600.0

DELAYS_S = (
    *(5.0, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR),
    *(10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR),
)
"""What passes after the first try, after the second … : 75.6 hours in all."""

TRIES = len(DELAYS_S) + 1

JITTER = 0.1
"""Each delay is this part shorter or longer, by chance: what failed together is not tried together."""

MAX_RETRY_AFTER_S = _HOUR
"""How long a receiver may ask us to wait, where the table says less."""


def after_s(
    tried: int,
    retry_after_s: float | None,
    chance: Callable[[], float],
    delays_s: Sequence[float] = DELAYS_S,
) -> float | None:
    """How long to wait after try number `tried` (from 1); None: that was the last one.

    A receiver may ask for more than the table says, up to an hour, never for less: ten tries are ten tries. `chance`
    gives numbers from 0 to 1.
    """
    if tried > len(delays_s):
        return None
    delay = delays_s[tried - 1] * (1 + JITTER * (2 * chance() - 1))
    return max(delay, min(retry_after_s or 0.0, MAX_RETRY_AFTER_S))
