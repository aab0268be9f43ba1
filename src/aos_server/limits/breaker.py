"""A circuit breaker: who did not answer just now is not asked for a while."""

import time
from collections.abc import Callable

__all__ = ["Breaker"]


class Breaker:
    """Open for `pause_s` after a failure; then one question goes through, and its answer decides.

    `clock` gives monotonic seconds. For one event loop; it never waits.
    """

    def __init__(self, pause_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause_s = pause_s
        self._clock = clock
        self._open_until: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether the last answer was a failure."""
        return self._open_until is not None

    def lets_through(self) -> bool:
        """Whether to ask. Where it is open and the pause is over, this one is the probe and the next ones wait."""
        if self._open_until is None:
            return True
        now = self._clock()
        if now < self._open_until:
            return False
        self._open_until = now + self._pause_s
        return True

    def failed(self) -> None:
        """There was no answer."""
        self._open_until = self._clock() + self._pause_s

    def succeeded(self) -> None:
        """There was one."""
        self._open_until = None
