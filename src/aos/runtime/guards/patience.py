"""How long something may take, and whether anybody still wants it."""

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TypeVar

from aos.runtime.guards import GuardError

__all__ = ["SLICE_S", "Patience"]

SLICE_S = 0.05
"""Nothing waits longer than this without looking whether it was cancelled."""

T = TypeVar("T")


class Patience:
    """Ends after `seconds`, or once `cancelled` is set."""

    def __init__(self, seconds: float, cancelled: Event | None = None) -> None:
        self._seconds = seconds
        self._ends = time.monotonic() + seconds
        self._cancelled = cancelled or Event()

    def left_s(self) -> float:
        """Seconds until the end. Raises GuardError: TIMEOUT at the end, CANCELLED before it."""
        if self._cancelled.is_set():
            raise GuardError("CANCELLED", "stopped while it was under way")
        left = self._ends - time.monotonic()
        if left <= 0:
            raise GuardError("TIMEOUT", f"no answer within {self._seconds:g} s")
        return left

    def slice_s(self) -> float:
        """How long to wait before asking again. Raises like `left_s`."""
        return min(self.left_s(), SLICE_S)

    def at_most(self, seconds: float) -> "Patience":
        """The same, but no longer than `seconds` from now."""
        return Patience(min(seconds, self.left_s()), self._cancelled)

    def wait_for(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises. It can't be stopped, so it is left to itself when the patience ends."""
        answers: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

        def answer() -> None:
            try:
                answers.put((work(), None))
            except BaseException as error:
                answers.put((None, error))

        Thread(target=answer, daemon=True).start()
        while True:
            try:
                value, error = answers.get(timeout=self.slice_s())
            except Empty:
                continue
            if error is not None:
                raise error
            return value  # type: ignore[return-value]  # None only where T allows it
