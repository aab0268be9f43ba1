"""A sign of life on stderr while something takes long."""

import sys
import time
from types import TracebackType

from aos.cli.answer import is_live

_PATIENCE_S = 1.0


class Progress:
    """Call it with how many there are so far, of runs simulated unless `what` says of what; from the second second on
    it shows them.

    Only on a terminal: a pipe or a log file gets nothing.
    """

    def __init__(self, what: str = "runs simulated") -> None:
        self._what = what
        self._start = time.monotonic()
        self._shown = False

    def __enter__(self) -> "Progress":
        return self

    def __call__(self, runs: int) -> None:
        if time.monotonic() - self._start > _PATIENCE_S and is_live(sys.stderr):
            self._shown = True
            print(f"\r{runs:,} {self._what}", end="", file=sys.stderr, flush=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
